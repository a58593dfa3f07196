//! Bodies of requests that programs write: of which kind they are, and what is said about one that cannot be used.

use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use tertulia_protocol::{Code, Refusal};

/// The kind of a body, in lower case and without parameters; empty when it is not said.
pub(crate) fn kind_of(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A body as text.
///
/// # Errors
/// `bad_char`, when it is not UTF-8.
pub(crate) fn text_of(body: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(body).map_err(|_| Refusal::new(Code::BadChar, "The body is not UTF-8."))
}

/// What a program is told whose body is larger than any of ours.
pub(crate) fn too_large() -> Refusal {
    Refusal::new(Code::TooLong, "The body is larger than 128 KiB; a message has at most 10,000 characters.")
}

/// What whoever sent too much of a body, or not all of it, is told.
pub(crate) fn cut_off(rejection: &BytesRejection) -> Refusal {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Refusal::new(Code::Malformed, "The body did not come whole."),
    }
}
