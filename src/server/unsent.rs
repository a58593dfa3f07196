//! The page that gives a text back: what was written in a plain form and could not be sent, ready to be sent again.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use tertulia_protocol::{Code, Key, Refusal};

use super::assets;
use super::error::status_of;
use crate::ui::kit::escaped;

/// The heading where the text may have been stored all the same.
const PERHAPS: &str = "Perhaps not sent";
/// What to do about it. The form has a key that people do not see.
const AGAIN: &str = "The database failed while this was being stored: it may or may not be there. Send it again: it \
                     cannot come twice.";

/// Answers a form that was refused with its text, under the same key: sending it again cannot double it.
pub(super) fn page(refusal: &Refusal, room: &str, key: Key, body: &str) -> Response {
    let status: StatusCode = status_of(refusal.code);
    let (heading, sentence) = match refusal.code {
        Code::Uncertain => (PERHAPS, AGAIN),
        _ => ("Not sent", &*refusal.message),
    };
    let (sentence, body, room) = (escaped(sentence), escaped(body), escaped(room));
    let folder = assets::pkg_dir();
    let html = format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading} · Tertulia</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/{folder}/tertulia.css">
</head>
<body>
<main class="absent">
<h1>{heading}</h1>
<p role="alert">{sentence}</p>
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
<p class="ways"><a href="{room}">Back to the room</a></p>
</main>
</body>
</html>
"#
    );
    (status, Html(html)).into_response()
}
