//! `GET /live`: the WebSocket that carries a [`Connection`]. One task per socket reads, writes and keeps time.

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tertulia_chat::Connection;
use tertulia_protocol::{Code, Refusal};

use super::client::Client;
use super::error::HttpRefusal;
use super::serve::Seat;
use super::session::{Viewer, is_from_our_pages};
use super::state::App;

mod converse;
mod handshake;
mod unfinished;

use self::handshake::Handshake;

/// Opens the socket for whoever has a session and comes from one of our own pages.
pub(crate) async fn open(
    State(app): State<App>,
    viewer: Result<Viewer, HttpRefusal>,
    client: Client,
    seat: Option<Extension<Seat>>,
    headers: HeaderMap,
    handshake: Result<Handshake, WebSocketUpgradeRejection>,
) -> Response {
    let handshake = match handshake {
        Ok(handshake) => handshake,
        Err(rejection) => return rejection.into_response(),
    };
    let viewer = match viewer {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal.into_response(),
    };
    if !is_from_our_pages(&app.origin, &headers) {
        let refusal = Refusal::new(Code::Forbidden, "The Origin of this request is not this server.").field("origin");
        return HttpRefusal(refusal).into_response();
    }
    let Some(place) = app.places.take(client) else {
        let refusal = Refusal::new(Code::Busy, "Too many sockets from this address.").retry_after(5_000);
        return HttpRefusal(refusal).into_response();
    };
    let (answer, socket) = handshake.accept();
    // Tracked, so that shutting down waits for the goodbye.
    app.sockets.clone().spawn(async move {
        match socket.await {
            Ok(socket) => {
                let connection = Connection::open(app.chat, viewer.person, viewer.token);
                converse::converse(socket, connection).await;
            }
            Err(error) => tracing::debug!(%error, "an upgrade was granted and not taken"),
        }
        drop((place, seat));
    });
    answer
}
