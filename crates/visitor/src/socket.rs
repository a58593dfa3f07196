//! A WebSocket of any door: the handshake, text out, text in.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::trouble::{Because, Outcome, Trouble, trouble};

/// How long the server may take over one step: with 10,000 arriving at once it queues.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Read and write buffer of a socket, in bytes. The library's 128 KiB would be 1.3 GB for 10,000 of them.
const BUFFER: usize = 4 * 1024;

/// An open socket.
#[derive(Debug)]
pub struct Socket(WebSocketStream<TcpStream>);

/// What came of listening.
#[derive(Debug)]
pub enum Next {
    /// The text of a frame.
    Said(Utf8Bytes),
    /// The socket is gone: the close code, if one was said, and the rest in words.
    Gone(Option<u16>, String),
}

impl Socket {
    /// Opens a socket at `host:port`, as a page of that server would.
    ///
    /// # Errors
    /// When the server cannot be reached or does not upgrade.
    pub async fn open(authority: &str, path: &str, headers: &[(&'static str, &str)]) -> Outcome<Self> {
        let what = format!("ws://{authority}{path}");
        let mut request = what.as_str().into_client_request().because(&what)?;
        let origin = format!("http://{authority}");
        for (name, value) in headers.iter().copied().chain([("origin", origin.as_str())]) {
            let value = HeaderValue::from_str(value).because(&what)?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let stream = TcpStream::connect(authority).await.because(&what)?;
        stream.set_nodelay(true).because(&what)?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        Ok(Self(opened.map_err(|error| refused_upgrade(&what, &error))?.0))
    }

    /// Says a text and flushes it.
    ///
    /// # Errors
    /// When the socket cannot be written.
    pub async fn say(&mut self, text: String) -> Outcome<()> {
        // A server that stops reading must not hold the run for ever.
        let written = timeout(PATIENCE, self.0.send(Message::text(text)));
        written.await.because("writing to the socket")?.because("writing to the socket")
    }

    /// Waits for the next text. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// For what the protocol does not know: binary.
    pub async fn hear(&mut self) -> Outcome<Next> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Next::Said(text)),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => return trouble("the server said something binary"),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Ok(Next::Gone(Some(close.code.into()), close.reason.to_string()));
                }
                Some(Ok(Message::Close(None))) | None => return Ok(Next::Gone(None, "closed".to_owned())),
                Some(Err(error)) => return Ok(Next::Gone(None, error.to_string())),
            }
        }
    }

    /// The ports of its connection: the server's and its own.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn ports(&self) -> Outcome<(u16, u16)> {
        let tcp = self.0.get_ref();
        let (server, own) = (tcp.peer_addr().because("a socket's peer")?, tcp.local_addr().because("a socket's port")?);
        Ok((server.port(), own.port()))
    }

    /// Breaks the connection without a word, as a cable that is pulled; what is heard next is that it is gone.
    pub async fn sever(&mut self) {
        // A peer that is gone already is as good.
        let _gone_already = self.0.get_mut().shutdown().await;
    }

    /// Says goodbye. A peer that is gone already is as good.
    pub async fn close(mut self) {
        let _gone_already = timeout(Duration::from_secs(1), self.0.close(None)).await;
    }
}

/// Says what an HTTP refusal of the upgrade said.
fn refused_upgrade(what: &str, error: &Error) -> Trouble {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let said: String = String::from_utf8_lossy(body).chars().take(200).collect();
            Trouble(format!("{what}: {} {said}", response.status()))
        }
        error => Trouble(format!("{what}: {error}")),
    }
}
