//! The way from a request to a WebSocket: axum checks the request and answers it, the stream is ours.

use std::io;

use axum::extract::{FromRequestParts, Request, WebSocketUpgrade};
use axum::http::header::SEC_WEBSOCKET_KEY;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Version};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tertulia_protocol::limits::FRAME_BYTES;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::unfinished::Watched;
use super::unfit::Unfit;

/// Read buffer per socket, in bytes. The default of 128 KiB is allocated at once and costs 1.3 GB for
/// 10,000 idle sockets (stack notes TR-20); ordinary frames are far below 4 KiB.
const READ_BUFFER: usize = 4 * 1024;
/// Write buffer per socket, in bytes: a flush's worth of small frames.
const WRITE_BUFFER: usize = 4 * 1024;
/// Most that may be buffered for one socket before writing fails, in bytes: twice the largest frame we send, a page
/// of 64 KiB of content whose 500 entries each name their sender (230 KiB, see `limits::PAGE_BYTES`). Frames
/// are fed one by one, each after the one before went out.
const MAX_WRITE_BUFFER: usize = 512 * 1024;

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<Watched<TokioIo<Upgraded>>>;

/// A request that may become a WebSocket.
pub(crate) struct Handshake {
    answer: WebSocketUpgrade,
    upgrade: OnUpgrade,
}

impl<S: Send + Sync> FromRequestParts<S> for Handshake {
    type Rejection = Unfit;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        // axum wants to find an upgrade, and keeps what it makes of it to itself: it gets one that never comes.
        let never = || hyper::upgrade::on(Request::new(()));
        let upgrade = match parts.extensions.get_mut::<OnUpgrade>() {
            Some(found) => std::mem::replace(found, never()),
            None => never(),
        };
        let answer = WebSocketUpgrade::from_request_parts(parts, state).await?;
        // axum answers any key there is. Later versions of HTTP have none.
        if parts.version <= Version::HTTP_11 && !has_a_key(&parts.headers) {
            return Err(Unfit::key());
        }
        Ok(Self { answer, upgrade })
    }
}

/// Whether the key is there once, and is 16 bytes in base64 (RFC 6455, section 4.2.1).
fn has_a_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let key = keys.next().and_then(|key| STANDARD.decode(key.as_bytes()).ok());
    key.is_some_and(|key| key.len() == 16) && keys.next().is_none()
}

impl Handshake {
    /// The same, with a subprotocol that is agreed on if the client asks for it.
    ///
    /// # Errors
    /// When it asks for others only: it would not understand what is said.
    pub(super) fn speaking(self, protocol: &'static str) -> Result<Self, Unfit> {
        let answer = self.answer.protocols([protocol]);
        let others = answer.selected_protocol().is_none() && answer.requested_protocols().next().is_some();
        if others { Err(Unfit::protocol(protocol)) } else { Ok(Self { answer, ..self }) }
    }

    /// The answer that grants the upgrade, and the socket that it leads to.
    pub(super) fn accept(self) -> (Response, impl Future<Output = io::Result<Socket>> + Send + 'static) {
        let Self { answer, upgrade } = self;
        let answer = answer.on_upgrade(|_| std::future::ready(()));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_message_size(Some(FRAME_BYTES))
            .max_frame_size(Some(FRAME_BYTES));
        let socket = async move {
            let stream = upgrade.await.map_err(io::Error::other)?;
            let stream = Watched::new(TokioIo::new(stream));
            Ok(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
        };
        (answer, socket)
    }
}
