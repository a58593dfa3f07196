//! The page that gives a text back: what was written in a plain form and could not be sent, ready to be sent again.

use axum::response::Response;
use tertulia_protocol::{Code, Key, Refusal};

use super::error::status_of;
use super::notice;
use crate::ui::kit::escaped;

/// The heading where the text may have been stored all the same.
const PERHAPS: &str = "Perhaps not sent";
/// What to do about it. The form has a key that people do not see.
const AGAIN: &str = "The database failed while this was being stored: it may or may not be there. Send it again: it \
                     cannot come twice.";

/// Answers a form that was refused with its text, under the same key: sending it again cannot double it.
pub(super) fn page(refusal: &Refusal, room: &str, key: Key, body: &str) -> Response {
    let (heading, sentence) = match refusal.code {
        Code::Uncertain => (PERHAPS, AGAIN),
        _ => ("Not sent", &*refusal.message),
    };
    let (sentence, body, room) = (escaped(sentence), escaped(body), escaped(room));
    let below = format!(
        r#"<p role="alert">{sentence}</p>
<form method="post" action="{room}/messages" class="composer unsent">
<input type="hidden" name="key" value="{key}">
<div class="paper">
<textarea name="body" rows="8" dir="auto" aria-label="Message" autofocus>
{body}</textarea>
<button type="submit" class="send" aria-label="Send">
<svg class="icon" aria-hidden="true" focusable="false"><use href="/icons.svg#send"></use></svg>
</button>
</div>
</form>
<p class="ways"><a href="{room}">Back to the room</a></p>"#
    );
    notice::page(status_of(refusal.code), heading, &below)
}
