//! Why a form was refused, in words. The address names only a code; what the address says is never shown.

#[cfg(test)]
mod tests;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::ui::kit::{flag, text};

/// The sentence for a code that came back as `?refused=`; `None` for a word that is no code of ours.
#[must_use]
pub fn sentence(code: &str) -> Option<&'static str> {
    Some(match code {
        "empty" => "That was empty. Write something and try again.",
        "too_long" => "That is too long. A name has at most 48 characters, a room 64, a message 10,000.",
        "bad_char" => "That holds a character which cannot be kept. Take it out and try again.",
        "bad_name" => "That cannot be a name. Use letters or digits that everybody can see.",
        "name_reserved" => "This name is kept for the server. Choose another.",
        "limit" => "That is one too many. Make room first.",
        "not_found" => "This room does not exist, or is not yours to see.",
        "forbidden" => "That is not allowed here.",
        "unauthorized" => "Say who you are first.",
        "rate_limited" => "A little slower, please. Try again in a moment.",
        "busy" => "There is a queue. Try again in a moment.",
        "storage_unavailable" => "Nothing can be stored right now, and nothing was. Try again in a moment.",
        "malformed" | "missing_field" | "bad_field" | "duplicate_field" | "bad_cursor" | "unsupported" => {
            "That did not work, and nothing was stored. Try again."
        }
        "uncertain" | "internal" | "other" => "Nobody knows yet whether that was stored. Try again.",
        _ => return None,
    })
}

/// The word of the query that stands for what was typed and refused.
pub const TYPED: &str = "typed";

/// The refusal that the address names, near the form it belongs to; nothing when there is none.
#[component]
pub fn Refused(
    /// The word of the query that stands for the form.
    of: &'static str,
) -> impl IntoView {
    let query = use_query_map();
    let words = text(move || {
        let words = query.with(|query| query.get_str(of).and_then(sentence));
        words.unwrap_or_default().to_owned()
    });
    let none = flag(move || words.with(String::is_empty));
    view! { <p class="refused" role="alert" hidden=none>{words}</p> }
}
