//! The accept loop: our own, because `axum::serve` sets no timer, so that its header timeout never runs (TR-22).

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::ServiceExt as _;

use super::client::{Place, Places};

#[cfg(test)]
mod tests;

/// How long the headers of a request may take.
const HEADER_READ: Duration = Duration::from_secs(10);
/// How long a new connection may take until its first request has a head. hyper's timer for heads starts with
/// the first byte: a peer that says nothing would be waited for for ever.
const FIRST_REQUEST: Duration = HEADER_READ;
/// Largest head of a request, in bytes: twice the 8 KiB that a URL or a cookie may have.
const HEAD_BYTES: usize = 16 * 1024;
/// Most headers of a request.
const HEADERS: usize = 100;
/// How long the kernel keeps bytes that nobody acknowledges before it gives the peer up. With the 15 s after which a silent
/// stream is written to, a half-open one is freed within 40 s, and its person has left within 45 (a grace of 12 s).
const USER_TIMEOUT: Duration = Duration::from_secs(16);
/// Pause after an accept that failed (the process has no file left): long enough for one to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What a connection above a cap is told, in one write, without reading anything.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A connection's place under the cap. In the extensions of its requests, so that a socket that leaves HTTP behind
/// keeps it: hyper is done with a connection the moment it is upgraded.
#[derive(Clone)]
pub(super) struct Seat {
    #[expect(dead_code, reason = "held for its drop")]
    place: Arc<(OwnedSemaphorePermit, Place)>,
    cut: CancellationToken,
}

impl Seat {
    fn taken(place: (OwnedSemaphorePermit, Place)) -> Self {
        Self { place: Arc::new(place), cut: CancellationToken::new() }
    }

    /// Cuts the connection: for a peer that takes nothing, so that no answer can tell it anything.
    pub(super) fn hang_up(&self) {
        self.cut.cancel();
    }
}

/// Serves until `stop`, at most `most` connections at a time, and of one address as many as `places` grant; returns when
/// the requests that were under way are answered. WebSockets are not waited for here: they have left HTTP.
pub async fn serve(listener: TcpListener, router: Router, most: usize, places: Arc<Places>, stop: CancellationToken) {
    let server = Arc::new(builder());
    let connections = TaskTracker::new();
    let seats = Arc::new(Semaphore::new(most));
    loop {
        let accepted = tokio::select! {
            // Both safe to cancel: a connection not yet accepted stays in the kernel's queue.
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = places.connect(peer.ip());
        match seats.clone().try_acquire_owned().ok().zip(place) {
            Some(held) => spawn(&server, &connections, &stop, router.clone(), stream, peer, Seat::taken(held)),
            None => {
                connections.spawn(turn_away(stream));
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn builder() -> Builder {
    // HTTP/1.1 alone: browsers speak HTTP/2 only over TLS, which ends at the proxy, and an idle HTTP/2 connection
    // has no deadline of its own: it would keep its seat for ever.
    // hyper-util's `http1_only` would not do: its `serve_connection_with_upgrades` looks for HTTP/2 all the same.
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_READ).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    builder
}

fn spawn(
    server: &Arc<Builder>,
    connections: &TaskTracker,
    stop: &CancellationToken,
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seat,
) {
    tune(&stream);
    let asked = Arc::new(AtomicBool::new(false));
    let has_asked = asked.clone();
    let cut = seat.cut.clone();
    let service = tower::service_fn(move |mut request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(seat.clone());
        router.clone().oneshot(request)
    });
    let server = server.clone();
    let stop = stop.clone();
    connections.spawn(async move {
        let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = pin!(connection.with_upgrades());
        let mut patience = pin!(tokio::time::sleep(FIRST_REQUEST));
        let (mut waiting, mut stopping) = (true, false);
        let outcome = loop {
            tokio::select! {
                // Safe to cancel: the connection, the stop and the patience are borrowed and go on where they were.
                outcome = &mut connection => break outcome.map_err(|error| error.to_string()),
                () = cut.cancelled() => break Err("the peer took nothing".to_owned()),
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut patience, if waiting => {
                    waiting = false;
                    if !has_asked.load(Ordering::Relaxed) {
                        break Err("there was no request in time".to_owned());
                    }
                }
            }
        };
        // Peers that break off or speak rubbish are everyday life on a public port.
        if let Err(error) = outcome {
            tracing::debug!(%error, %peer, "a connection ended badly");
        }
    });
}

fn tune(stream: &TcpStream) {
    let outcome =
        stream.set_nodelay(true).and_then(|()| socket2::SockRef::from(stream).set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection could not be tuned");
    }
}

async fn turn_away(mut stream: TcpStream) {
    // Courtesy to somebody who will come back; a failure changes nothing.
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(FULL)).await;
}
