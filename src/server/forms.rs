//! The plain forms: POST, redirect, GET. They work without JavaScript and before the page is hydrated.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tertulia_protocol::names::legible;
use tertulia_protocol::{Body, Code, Key, Refusal};

use super::client::Client;
use super::notice;
use super::session::{LOBBY, Viewer, cookie_for, cookie_gone, viewer_of};
use super::state::App;
use super::unsent;
use crate::ui::kit::TYPED;
use crate::ui::stocks::STOCKS;

/// What must be encoded in a path or a query value of our own redirects: whatever could end it or start another part.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`');

/// What whoever sends more than any form of ours holds is told.
pub(super) const TOO_LARGE: &str = "That is too long. A message has at most 10,000 characters.";

/// Encodes text for a `Location`: one part of it, whatever it holds.
fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

/// The form of the entrance.
#[derive(Deserialize)]
pub(crate) struct Enter {
    name: String,
    #[serde(default)]
    next: String,
}

/// `POST /enter`: a guest comes in.
pub(crate) async fn enter(
    State(app): State<App>,
    Client(address): Client,
    form: Result<Form<Enter>, FormRejection>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return unread(&rejection),
    };
    let next = safe_path(&form.next);
    if let Err(refusal) = app.doors.enter(address) {
        return refused_name(&refusal, &entrance(&next), "refused", &form.name);
    }
    match app.chat.enter(&form.name).await {
        Ok((_, token)) => (cookie_for(&token, &app.origin, app.chat.session_ms()), Redirect::to(&next)).into_response(),
        Err(refusal) => refused_name(&refusal, &entrance(&next), "refused", &form.name),
    }
}

/// `POST /leave`: the session ends, on every instance.
pub(crate) async fn leave(State(app): State<App>, headers: HeaderMap) -> Response {
    let outcome = match viewer_of(&app, &headers).await {
        Ok(Some(viewer)) => app.chat.leave(viewer.token).await,
        Ok(None) => Ok(()),
        Err(refusal) => Err(refusal),
    };
    match outcome {
        Ok(()) => {
            let clear = [("clear-site-data", "\"cache\", \"storage\"")];
            (cookie_gone(&app.origin), clear, Redirect::to("/")).into_response()
        }
        Err(refusal) => notice::refused(&refusal),
    }
}

/// The form for a new room.
#[derive(Deserialize)]
pub(crate) struct NewRoom {
    name: String,
    /// The page the form stands on, to come back to when the name is refused.
    #[serde(default)]
    from: String,
}

/// `POST /rooms`: makes a room, or opens the one that has the name.
pub(crate) async fn create_room(
    State(app): State<App>,
    Client(address): Client,
    headers: HeaderMap,
    form: Result<Form<NewRoom>, FormRejection>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return unread(&rejection),
    };
    let viewer = match viewer_or_entrance(&app, &headers, LOBBY).await {
        Ok(viewer) => viewer,
        Err(response) => return *response,
    };
    let made = match app.doors.make_room(viewer.person.id, address) {
        Ok(()) => app.chat.create_room(&viewer.person, &form.name).await,
        Err(refusal) => Err(refusal),
    };
    match made {
        Ok(room) => Redirect::to(&room_path(&room.slug)).into_response(),
        Err(refusal) => refused_name(&refusal, &safe_path(&form.from), "room-refused", &form.name),
    }
}

/// The form of the composer.
#[derive(Deserialize)]
pub(crate) struct Message {
    /// Minted with the page, so that sending the form twice stores the message once.
    #[serde(default)]
    key: String,
    body: String,
}

/// `POST /r/{slug}/messages`: says something.
pub(crate) async fn send(
    State(app): State<App>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Message>, FormRejection>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return unread(&rejection),
    };
    let page = room_path(&slug);
    let viewer = match viewer_or_entrance(&app, &headers, &page).await {
        Ok(viewer) => viewer,
        Err(response) => return *response,
    };
    // A form without a usable key (an old page, a script) is still one user action.
    let key = Key::parse(&form.key).unwrap_or_else(Key::mint);
    match post(&app, &viewer, &slug, key, &form.body).await {
        Ok(()) => Redirect::to(&page).into_response(),
        // Nothing was written, so nothing can be lost on the way back.
        Err(refusal) if refusal.code == Code::Empty => refused(&refusal, &page, "refused"),
        Err(refusal) => unsent::page(&refusal, &page, key, &form.body),
    }
}

/// The key of other words than those first sent with a form's key: always the same for the same words, so that
/// sending them again after a lost answer stores them once.
fn key_for(key: Key, words: &Body) -> Key {
    Key::derived(Sha256::new().chain_update(key.0.as_bytes()).chain_update(words.as_str()).finalize().into())
}

/// Sends a form's text under its key. The browser's Back button brings the form with its old key: other words under
/// it are another action, and get a key of their own instead of the first words' answer.
async fn post(app: &App, viewer: &Viewer, slug: &str, key: Key, body: &str) -> Result<(), Refusal> {
    let member = app.chat.member_by_slug(&viewer.person, slug).await?;
    let sent = app.chat.send(&member, key, body, None).await?;
    if sent.duplicate {
        let words = Body::parse(body)?;
        if !sent.says(&words) {
            app.chat.send(&member, key_for(key, &words), body, None).await?;
        }
    }
    Ok(())
}

async fn viewer_or_entrance(app: &App, headers: &HeaderMap, next: &str) -> Result<Viewer, Box<Response>> {
    match viewer_of(app, headers).await {
        Ok(Some(viewer)) => Ok(viewer),
        Ok(None) => Err(Box::new(Redirect::to(&entrance(next)).into_response())),
        Err(refusal) => Err(Box::new(notice::refused(&refusal))),
    }
}

/// The page for a form that cannot be read: too large, broken off, or not a form of ours.
fn unread(rejection: &FormRejection) -> Response {
    let status = rejection.status();
    let sentence = match status {
        StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE,
        _ => "That form could not be read, and nothing was stored.",
    };
    notice::plain_page(status, sentence)
}

/// Back to the page with the reason and with the name, which then stands in its field to be mended.
fn refused_name(refusal: &Refusal, page: &str, form: &str, name: &str) -> Response {
    refused(refusal, &asked_with(page, TYPED, &percent_encoded(&legible(name))), form)
}

/// Back to the page with the reason as a word, under the name of the form. What may succeed later keeps the form in
/// the browser instead: a redirect would throw away what was written.
fn refused(refusal: &Refusal, page: &str, form: &str) -> Response {
    if refusal.code.is_temporary() || refusal.code == Code::NotFound {
        return notice::refused(refusal);
    }
    Redirect::to(&asked_with(page, form, refusal.code.as_str())).into_response()
}

/// The address of a page with one word more behind its question mark; `value` is encoded already.
fn asked_with(page: &str, name: &str, value: &str) -> String {
    let joint = if page.contains('?') { '&' } else { '?' };
    format!("{page}{joint}{name}={value}")
}

/// The entrance, for somebody who wants to go on to a page of ours.
pub(super) fn entrance(next: &str) -> String {
    format!("/?next={}", percent_encoded(next))
}

fn room_path(slug: &str) -> String {
    format!("/r/{}", percent_encoded(slug).replace('/', "%2F"))
}

/// A path of our own to go to after a form; the lobby for anything else, so that a crafted link cannot lead away.
fn safe_path(next: &str) -> String {
    if next == STOCKS {
        return STOCKS.to_owned();
    }
    let ours = next.starts_with("/r/") && !next.contains("//") && !next.contains('\\');
    if ours && next.len() <= 1_024 && !next.chars().any(char::is_control) {
        // Only the path: the query of the page before belongs to that page.
        let path = next.split(['?', '#']).next().unwrap_or(LOBBY);
        let decoded = percent_encoding::percent_decode_str(path.trim_start_matches("/r/")).decode_utf8_lossy();
        return room_path(&decoded);
    }
    LOBBY.to_owned()
}
