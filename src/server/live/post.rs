//! `POST /live`: what a client says, in requests that any instance may take, answered in the same frames.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tertulia_chat::Connection;
use tertulia_protocol::{Code, Refusal, codec};

use crate::server::body::{cut_off, kind_of, text_of};
use crate::server::error::HttpRefusal;
use crate::server::session::{Viewer, is_from_our_pages, not_our_page};
use crate::server::state::App;

/// Obeys one frame or an array of them, for whoever has a session and comes from one of our own pages.
pub(crate) async fn say(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, HttpRefusal> {
    if !is_from_our_pages(&app.origin, &headers) {
        return Err(not_our_page().into());
    }
    // A page elsewhere can make a browser post forms and plain text without being asked for leave, and no JSON.
    if kind_of(&headers) != "application/json" {
        let sentence = "The content-type must be application/json: one frame, or an array of frames.";
        return Err(Refusal::new(Code::BadField, sentence).field("content-type").into());
    }
    let body = body.map_err(|rejection| cut_off(&rejection))?;
    let frames = codec::split_client(text_of(&body)?)?;
    let answers = Connection::answer(app.chat, viewer.person, viewer.token, &frames).await;
    // Frames come from our own encoder and are UTF-8.
    let answers = answers.iter().filter_map(|frame| std::str::from_utf8(frame).ok());
    Ok(([(CONTENT_TYPE, "application/json")], codec::join(answers)).into_response())
}
