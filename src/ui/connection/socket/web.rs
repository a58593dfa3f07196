//! The browser's twin. A task owns the WebSocket and ends with the handle; dropping the socket closes it,
//! because gloo-net 0.6 cannot close one politely from its sink (TR-38).

use futures::channel::mpsc;
use futures::future::{Either, poll_fn, select};
use futures::{SinkExt, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use leptos::prelude::location;
use tertulia_protocol::frame::SUBPROTOCOL;

use super::{ABNORMAL, Heard, WAITING};

/// The address of the socket, on the host that served the page.
const PATH: &str = "/live";

/// Opens a socket, speaks and listens until either side has had enough. `heard` is told everything once.
pub(super) fn carry(outgoing: mpsc::Receiver<String>, heard: impl Fn(Heard) + 'static) {
    leptos::task::spawn_local(async move {
        let code = match WebSocket::open_with_protocol(&address(), SUBPROTOCOL) {
            Ok(socket) => converse(socket, outgoing, &heard).await,
            Err(_) => Some(ABNORMAL),
        };
        if let Some(code) = code {
            heard(Heard::Closed { code });
        }
    });
}

fn address() -> String {
    let here = location();
    let scheme = if here.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{PATH}", here.host().unwrap_or_default())
}

/// Speaks and listens until either side has had enough: the close code, or `None` when our side let go.
async fn converse(mut socket: WebSocket, mut outgoing: mpsc::Receiver<String>, heard: &impl Fn(Heard)) -> Option<u16> {
    for text in opened(&mut socket, &mut outgoing).await? {
        if !said(&mut socket, text).await {
            return Some(ABNORMAL);
        }
    }
    loop {
        // Both are cancel-safe: an unfinished `next` has taken nothing out of its queue.
        match select(outgoing.next(), socket.next()).await {
            Either::Left((None, _)) => return None,
            Either::Left((Some(text), _)) => {
                if !said(&mut socket, text).await {
                    return Some(ABNORMAL);
                }
            }
            Either::Right((Some(Ok(Message::Text(text))), _)) => heard(Heard::Text(text)),
            // This protocol is text; whatever else comes is not for us.
            Either::Right((Some(Ok(Message::Bytes(_))), _)) => {}
            Either::Right((Some(Err(WebSocketError::ConnectionClose(close))), _)) => return Some(close.code),
            Either::Right((Some(Err(_)) | None, _)) => return Some(ABNORMAL),
        }
    }
}

/// Waits until the socket is open, or has failed to open: what was to be said meanwhile, or `None` when our
/// side let go.
async fn opened(socket: &mut WebSocket, outgoing: &mut mpsc::Receiver<String>) -> Option<Vec<String>> {
    let mut waiting = Vec::new();
    loop {
        // Cancel-safe: being ready is a state that stays, and `next` as in `converse`.
        let ready = poll_fn(|context| socket.poll_ready_unpin(context));
        match select(ready, outgoing.next()).await {
            Either::Left(_) => return Some(waiting),
            Either::Right((Some(text), _)) if waiting.len() < WAITING => waiting.push(text),
            Either::Right(_) => return None,
        }
    }
}

/// Says a frame; false when the socket is not open: the browser would complain on its console, and nobody hears.
async fn said(socket: &mut WebSocket, text: String) -> bool {
    matches!(socket.state(), State::Open) && socket.send(Message::Text(text)).await.is_ok()
}
