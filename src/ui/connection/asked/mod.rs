//! What becomes of something that was asked for and refused.

#[cfg(test)]
mod tests;

use tertulia_protocol::{Code, Refusal};

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the page afresh: who looks has no session any more, or the room is gone. The server says which.
    Reload,
    /// Follow the room again, after a while.
    Follow,
    /// Ask again for what is missing, after a while.
    Pull,
    /// Let the reader ask for the older page again, after a while.
    Page,
    /// Nothing that was waited for.
    Nothing,
}

/// What follows from the refusal of a frame of the kind `reference`.
pub(super) fn next(reference: Option<&str>, refusal: &Refusal) -> Next {
    let temporary = refusal.code.is_temporary() || refusal.retry_after_ms.is_some();
    match (reference, refusal.code) {
        (_, Code::Unauthorized) => Next::Reload,
        // A resume that `hello` asked for is refused under its name; the rest of the greeting holds.
        (Some("hello" | "subscribe"), _) if temporary => Next::Follow,
        (Some("hello" | "subscribe"), Code::NotFound | Code::Forbidden) => Next::Reload,
        (Some("pull"), _) if temporary => Next::Pull,
        (Some("history"), _) => Next::Page,
        _ => Next::Nothing,
    }
}
