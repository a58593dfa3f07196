//! `GET /live`: the WebSocket that carries a [`Connection`]. One task per socket reads, writes and keeps time.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::response::{IntoResponse, Response};
use tertulia_chat::Connection;
use tertulia_protocol::frame::SUBPROTOCOL;
use tertulia_protocol::{Close, Code};

use super::client::Client;
use super::error::HttpRefusal;
use super::serve::Seat;
use super::session::{Viewer, is_from_our_pages, not_our_page};
use super::state::App;

#[cfg(test)]
mod conformance;
mod converse;
mod handshake;
mod unfinished;
mod unfit;
mod utf8;
// The integration tests' own: there is one telling of a frame.
#[cfg(test)]
#[path = "../../../tests/it/support/wire.rs"]
mod wire;

pub(crate) use converse::{Conversation, Voice};
pub(crate) use handshake::Handshake;
pub(crate) use unfit::Unfit;

/// Opens the socket for whoever has a session and comes from one of our own pages.
pub(crate) async fn open(
    State(app): State<App>,
    viewer: Result<Viewer, HttpRefusal>,
    client: Client,
    seat: Option<Extension<Seat>>,
    headers: HeaderMap,
    handshake: Result<Handshake, Unfit>,
) -> Response {
    let handshake = match handshake.and_then(|handshake| handshake.speaking(SUBPROTOCOL)) {
        Ok(handshake) => handshake,
        Err(unfit) => return unfit.into_response(),
    };
    // A browser's page learns nothing from an answer without upgrade (it sees 1006, like a cable that was pulled),
    // so it is upgraded and told by the close code. Whoever sends no `Origin` reads the 401.
    let viewer = match viewer {
        Ok(viewer) => Some(viewer),
        Err(HttpRefusal(refusal)) if refusal.code == Code::Unauthorized && headers.contains_key(ORIGIN) => None,
        Err(refusal) => return refusal.into_response(),
    };
    if !is_from_our_pages(&app.origin, &headers) {
        return HttpRefusal(not_our_page()).into_response();
    }
    let place = match app.places.admit(client) {
        Ok(place) => place,
        Err(refusal) => return HttpRefusal(refusal).into_response(),
    };
    let Some(viewer) = viewer else {
        let (answer, socket) = handshake.accept();
        app.sockets.spawn(async move {
            if let Ok(socket) = socket.await {
                converse::turn_away(socket, Close::Revoked).await;
            }
            drop((place, seat));
        });
        return answer;
    };
    let chat = app.chat.clone();
    carry(&app, handshake, (place, seat), move || Connection::open(chat, viewer.person, viewer.token))
}

/// Grants the upgrade to a socket that carries a conversation, and keeps what was `held` for as long.
pub(crate) fn carry<C: Conversation + 'static>(
    app: &App,
    handshake: Handshake,
    held: impl Send + 'static,
    open: impl FnOnce() -> C + Send + 'static,
) -> Response {
    let (answer, socket) = handshake.accept();
    let bell = app.time.bell();
    // Tracked, so that shutting down waits for the goodbye.
    app.sockets.spawn(async move {
        match socket.await {
            Ok(socket) => converse::converse(socket, open(), bell).await,
            Err(error) => tracing::debug!(%error, "an upgrade was granted and not taken"),
        }
        drop(held);
    });
    answer
}
