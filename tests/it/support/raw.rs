//! A WebSocket without a library: bytes out, frames in.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::guest::Guest;
use super::wire::{self, CLOSE, FIN, Frame, TEXT, UPGRADE, frame};

/// One socket.
pub(crate) struct RawSocket {
    pub(crate) stream: TcpStream,
}

impl RawSocket {
    /// Opens one, and says hello.
    pub(crate) async fn open(guest: &Guest) -> Self {
        let mut socket = Self::silent(guest).await;
        socket.write(&frame(FIN | TEXT, br#"{"t":"hello","v":1}"#)).await;
        let welcome = socket.next().await.expect("a welcome");
        assert!(welcome.payload.starts_with(br#"{"t":"welcome""#), "{welcome:?}");
        socket
    }

    /// Opens one, and says nothing.
    pub(crate) async fn silent(guest: &Guest) -> Self {
        let mut stream = TcpStream::connect(guest.door.address).await.expect("the server accepts");
        let head = format!(
            "GET /live HTTP/1.1\r\nhost: {}\r\norigin: {}\r\ncookie: {}\r\n{UPGRADE}\r\n",
            guest.door.host, guest.door.origin, guest.cookie
        );
        let answer = self::head(&mut stream, head.as_bytes()).await;
        assert!(answer.starts_with("http/1.1 101"), "{answer}");
        Self { stream }
    }

    /// Writes bytes. The server may hang up meanwhile; what it said first is read by [`Self::next`].
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("the server reads or hangs up");
    }

    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        timeout(PATIENCE, Frame::read(&mut self.stream)).await.expect("a frame comes, or the end").ok()
    }

    /// Reads to the Close frame: its code (0 for none) and reason. Then the server must hang up by itself.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let Some(frame) = self.next().await else { panic!("the connection ended without a Close frame") };
            if frame.opcode != CLOSE {
                continue;
            }
            let code = frame.close_code();
            let reason = frame.payload.get(2..).unwrap_or_default().to_vec();
            let end = timeout(PATIENCE, self.stream.read(&mut [0])).await.expect("the connection ends in time");
            assert!(matches!(end, Ok(0)), "it ends in order and with nothing after the Close frame: {end:?}");
            return (code, String::from_utf8(reason).expect("UTF-8"));
        }
    }
}

/// Sends a request and reads the head of the answer, in lower case, and nothing behind it.
pub(crate) async fn head(stream: &mut TcpStream, request: &[u8]) -> String {
    timeout(PATIENCE, wire::head(stream, request)).await.expect("an answer in time").expect("a whole answer")
}
