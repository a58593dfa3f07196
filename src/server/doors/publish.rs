//! `POST /publish/{room}`: one request, one message, on every instance.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tertulia_protocol::json::{Map, Value};
use tertulia_protocol::{Body, Code, Refusal, Seq, codec};

use super::Room;
use super::idempotency::key_of;
use crate::server::access::{Caller, Deed};
use crate::server::body::{cut_off, kind_of, text_of};
use crate::server::client::Client;
use crate::server::error::HttpRefusal;
use crate::server::state::App;

/// A message as it came.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::server) struct Said {
    #[serde(alias = "text")]
    message: Option<String>,
    #[serde(alias = "user")]
    author: Option<String>,
}

/// What the caller is told.
#[derive(Serialize)]
struct Published {
    room: String,
    seq: Seq,
    id: String,
    /// How many instances were told: those with somebody in the room, and this one.
    instances: usize,
}

/// Publishes a message: from the address (`?message=…`), a JSON text, a JSON object, a form or plain text.
pub(in crate::server) async fn publish(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    room: super::RoomName,
    query: Result<Query<Said>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, HttpRefusal> {
    let unreadable = |_| Refusal::new(Code::Malformed, "What stands behind the question mark cannot be read.");
    let Query(asked) = query.map_err(unreadable)?;
    let body = body.map_err(|rejection| cut_off(&rejection).field("message"))?;
    let said = said(asked, &headers, &body)?;
    let message = said.message.ok_or_else(no_message)?;
    // Before anything is written, and before it costs anybody's budget.
    let text = Body::parse(&message).map_err(|refusal| refusal.field("message"))?;
    caller.pay(&app, client)?;
    let member = caller.member(&app, &room.0, Deed::Write, said.author.as_deref(), client).await?;
    let key = key_of(&headers, member.room_id(), caller.keyring())?;
    let appended = app.chat.post(&member, key, text.as_str()).await?;
    if appended.duplicate && !appended.says(&text) {
        let sentence = "This Idempotency-Key was used for another message.";
        return Err(Refusal::new(Code::DuplicateField, sentence).field("idempotency-key").into());
    }
    let told = Room { id: member.room_id(), slug: member.room().slug.clone(), epoch: app.chat.epoch() };
    let published = Published {
        seq: appended.entry.seq,
        id: told.place(appended.entry.seq),
        room: told.slug,
        instances: app.chat.instances_told(member.room_id()).await,
    };
    let replayed = appended.duplicate.then_some([("idempotency-replayed", "true")]);
    Ok((StatusCode::CREATED, replayed.unwrap_or([("idempotency-replayed", "false")]), Json(published)).into_response())
}

fn no_message() -> Refusal {
    let sentence = "There is no message: send ?message=…, a JSON text, a JSON object or a form with message, or text.";
    Refusal::new(Code::MissingField, sentence).field("message")
}

/// What was said: in the body, or in the address when there is no body. Never half from each.
fn said(asked: Said, headers: &HeaderMap, body: &[u8]) -> Result<Said, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(asked);
    }
    if asked.message.is_some() {
        let sentence = "The message is both in the address and in the body.";
        return Err(Refusal::new(Code::DuplicateField, sentence).field("message"));
    }
    let said = from_body(headers, body)?;
    Ok(Said { author: said.author.or(asked.author), ..said })
}

fn from_body(headers: &HeaderMap, body: &[u8]) -> Result<Said, Refusal> {
    if let Some(coding) = headers.get(CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        let sentence = format!("The body is {coding:?}; it must come as it is.");
        return Err(Refusal::new(Code::Unsupported, sentence).field("content-encoding"));
    }
    let kind = kind_of(headers);
    let text = text_of(body).map_err(|refusal| refusal.field("message"))?;
    let is_form = kind == "application/x-www-form-urlencoded";
    // `curl -d` calls whatever it sends a form: what opens like JSON is read as JSON.
    let looks_like_json = text.trim_start().starts_with(['"', '{']);
    if kind == "application/json" || (is_form && looks_like_json) {
        return from_json(text);
    }
    match kind.as_str() {
        "application/x-www-form-urlencoded" => from_form(text),
        "text/plain" | "" => Ok(Said { message: Some(text.to_owned()), author: None }),
        _ => {
            let sentence = "The body may be application/json, application/x-www-form-urlencoded or text/plain.";
            Err(Refusal::new(Code::Unsupported, sentence).field("content-type"))
        }
    }
}

fn from_json(text: &str) -> Result<Said, Refusal> {
    let malformed = || Refusal::new(Code::Malformed, "The body is not JSON.");
    if text.trim_start().starts_with('{') {
        // A key that is there twice could be read in two ways: refused, here as on the socket.
        let twice = |refusal: Refusal| if refusal.code == Code::DuplicateField { refusal } else { malformed() };
        return from_object(codec::decode_object(text).map_err(twice)?);
    }
    match codec::decode(text).map_err(|_: String| malformed())? {
        Value::String(message) => Ok(Said { message: Some(message), author: None }),
        _ => Err(Refusal::new(Code::BadField, "The body must be a JSON text or a JSON object.").field("message")),
    }
}

fn from_object(mut object: Map<String, Value>) -> Result<Said, Refusal> {
    let mut take = |names: [&'static str; 2]| {
        let found = names.iter().find_map(|name| Some((*name, object.remove(*name)?)));
        match found {
            None | Some((_, Value::Null)) => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(text)),
            Some((name, _)) => Err(Refusal::new(Code::BadField, "This field must be a text.").field(name)),
        }
    };
    Ok(Said { message: take(["message", "text"])?, author: take(["author", "user"])? })
}

fn from_form(text: &str) -> Result<Said, Refusal> {
    // A bare `curl -d Hola` is a form with one name and no value: the text itself is meant.
    if !text.contains('=') {
        return Ok(Said { message: Some(text.to_owned()), author: None });
    }
    serde_urlencoded::from_str(text).map_err(|_| {
        Refusal::new(Code::Malformed, "The form cannot be read: it has the fields message and, if you like, author.")
    })
}
