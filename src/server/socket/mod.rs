//! `GET /live`: the WebSocket that carries a [`Connection`]. One task per socket reads, writes and keeps time.

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::response::{IntoResponse, Response};
use tertulia_chat::Connection;
use tertulia_protocol::frame::SUBPROTOCOL;
use tertulia_protocol::limits::FRAME_BYTES;
use tertulia_protocol::{Close, Code, Refusal};

use super::client::Client;
use super::error::HttpRefusal;
use super::serve::Seat;
use super::session::{Viewer, is_from_our_pages};
use super::state::App;

mod converse;

/// Read buffer per socket, in bytes. The default of 128 KiB is allocated at once and costs 1.3 GB for
/// 10,000 idle sockets (stack notes TR-20); ordinary frames are far below 4 KiB.
const READ_BUFFER: usize = 4 * 1024;
/// Write buffer per socket, in bytes: a flush's worth of small frames.
const WRITE_BUFFER: usize = 4 * 1024;
/// Most that may be buffered for one socket before writing fails, in bytes: twice the largest frame we send, a page
/// of 64 KiB of content whose 500 entries each name their sender (230 KiB, see `limits::PAGE_BYTES`). Frames
/// are fed one by one, each after the one before went out.
const MAX_WRITE_BUFFER: usize = 512 * 1024;

/// Opens the socket for whoever has a session and comes from one of our own pages.
pub(crate) async fn open(
    State(app): State<App>,
    viewer: Result<Viewer, HttpRefusal>,
    client: Client,
    seat: Option<Extension<Seat>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    // A browser's page learns nothing from an answer without upgrade (it sees 1006, like a cable that was pulled),
    // so it is upgraded and told by the close code. Whoever sends no `Origin` reads the 401.
    let viewer = match viewer {
        Ok(viewer) => Some(viewer),
        Err(HttpRefusal(refusal)) if refusal.code == Code::Unauthorized && headers.contains_key(ORIGIN) => None,
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
    let sockets = app.sockets.clone();
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
        .on_upgrade(move |socket| {
            // Tracked, so that shutting down waits for the goodbye.
            sockets.track_future(async move {
                match viewer {
                    Some(viewer) => {
                        let connection = Connection::open(app.chat, viewer.person, viewer.token);
                        converse::converse(socket, connection).await;
                    }
                    None => converse::turn_away(socket, Close::Revoked).await,
                }
                drop((place, seat));
            })
        })
}
