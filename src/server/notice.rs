//! Pages for when there is nothing to render from, drawn like the others: they need no database, no script and no view.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use tertulia_protocol::Refusal;

use super::assets;
use super::error::{retry_after, status_of};
use crate::ui::kit::escaped;

/// A page with a heading, and below it whatever HTML is given.
pub(super) fn page(status: StatusCode, heading: &str, below: &str) -> Response {
    let (heading, folder) = (escaped(heading), assets::pkg_dir());
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
<svg class="table" aria-hidden="true" focusable="false"><use href="/icons.svg#table"></use></svg>
<h1>{heading}</h1>
{below}
</main>
</body>
</html>
"#
    );
    (status, Html(html)).into_response()
}

/// A page that says why it is all there is.
pub(super) fn plain_page(status: StatusCode, sentence: &str) -> Response {
    let heading = match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Not now",
        _ => "That did not work",
    };
    let sentence = escaped(sentence);
    let below = format!(
        r#"<p role="alert">{sentence}</p>
<p>Go back and try again: nothing that you wrote is lost.</p>
<p class="ways"><a href="/">Go to the door</a></p>"#
    );
    page(status, heading, &below)
}

/// The same for a refusal, which says when to come back.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let mut response = plain_page(status_of(refusal.code), &refusal.message);
    if let Some(seconds) = retry_after(refusal) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
