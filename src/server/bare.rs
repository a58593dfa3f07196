//! Refusals that the layers before our handlers make without words: people and programs get ours.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tertulia_protocol::{Code, Refusal};
use tower_http::csrf::ProtectionError;

use super::body;
use super::error::HttpRefusal;
use super::forms::TOO_LARGE;
use super::notice::plain_page;
use super::session::not_our_page;
use crate::ui::stocks::STOCKS;

/// Puts words to what would be an empty 403 or 405, or a 413 in somebody else's.
pub(super) async fn in_words(request: Request, next: Next) -> Response {
    let people = is_for_people(request.uri().path());
    let response = next.run(request).await;
    if response.extensions().get::<ProtectionError>().is_some() {
        return match people {
            true => plain_page(StatusCode::FORBIDDEN, "A page of another site sent this, and nothing was done."),
            false => HttpRefusal(not_our_page()).into_response(),
        };
    }
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if is_plain(&response) => match people {
            true => plain_page(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
            false => HttpRefusal(body::too_large().field("message")).into_response(),
        },
        StatusCode::METHOD_NOT_ALLOWED => not_so(&response, people),
        _ => response,
    }
}

/// Whether what asks there is a page or a form, and no program.
fn is_for_people(path: &str) -> bool {
    matches!(path, "/" | "/enter" | "/leave" | "/rooms" | "/cluster" | "/cluster/bus" | STOCKS)
        || path.starts_with("/r/")
}

/// What stands in the way of a body that is announced as too large says so in plain text, and ours is JSON or a page.
fn is_plain(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

/// The answer to a method that the address does not take. Which it takes stands in `Allow`, which axum adds after us
/// (RFC 9110, section 15.5.6), or stood there before.
fn not_so(response: &Response, people: bool) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let sentence = "This address does not take this method; the header Allow names those that it takes.";
    let mut answer = match people {
        true => plain_page(status, sentence),
        false => HttpRefusal(Refusal::new(Code::Unsupported, sentence).field("method")).with_status(status),
    };
    if let Some(allow) = response.headers().get(ALLOW) {
        answer.headers_mut().insert(ALLOW, allow.clone());
    }
    answer
}
