//! `GET /live`: the WebSocket that carries a [`Connection`]. One task per socket reads, writes and keeps time.

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tertulia_chat::Connection;
use tertulia_protocol::frame::SUBPROTOCOL;
use tertulia_protocol::limits::FRAME_BYTES;
use tertulia_protocol::{Code, Refusal};
use tokio_util::task::TaskTracker;

use super::client::Client;
use super::error::HttpRefusal;
use super::serve::Seat;
use super::session::{Viewer, is_from_our_pages, not_our_page};
use super::state::App;

mod converse;

pub(crate) use converse::{Conversation, Voice, converse};

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
    let viewer = match viewer {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal.into_response(),
    };
    if !is_from_our_pages(&app.origin, &headers) {
        return HttpRefusal(not_our_page()).into_response();
    }
    let Some(place) = app.places.take(client) else {
        let refusal = Refusal::new(Code::Busy, "Too many sockets from this address.").retry_after(5_000);
        return HttpRefusal(refusal).into_response();
    };
    carry(&app.sockets, upgrade.protocols([SUBPROTOCOL]), (place, seat), move || {
        Connection::open(app.chat, viewer.person, viewer.token)
    })
}

/// Upgrades to a socket of bounded buffers that carries a conversation, and keeps what was `held` for as long.
pub(crate) fn carry<C: Conversation + 'static>(
    sockets: &TaskTracker,
    upgrade: WebSocketUpgrade,
    held: impl Send + 'static,
    open: impl FnOnce() -> C + Send + 'static,
) -> Response {
    let sockets = sockets.clone();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
        .on_upgrade(move |socket| {
            // Tracked, so that shutting down waits for the goodbye.
            sockets.track_future(async move {
                converse(socket, open()).await;
                drop(held);
            })
        })
}
