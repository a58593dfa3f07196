//! A WebSocket without a library: bytes out, frames in. For everything a library would refuse to send.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::guest::Guest;

/// The opcodes of RFC 6455.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// The bit that says that a frame is the last of its message.
pub(crate) const FIN: u8 = 0x80;

/// The headers of a proper upgrade without those that say who asks.
pub(crate) const UPGRADE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// One socket.
pub(crate) struct RawSocket {
    pub(crate) stream: TcpStream,
}

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
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
        timeout(PATIENCE, self.read()).await.expect("a frame comes, or the end").ok()
    }

    async fn read(&mut self) -> std::io::Result<Frame> {
        let first = self.stream.read_u8().await?;
        let second = self.stream.read_u8().await?;
        assert_eq!(second & 0x80, 0, "a server never masks");
        let length = match second {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a length that fits")];
        self.stream.read_exact(&mut payload).await?;
        Ok(Frame { opcode: first & 0x0f, payload })
    }

    /// Reads to the Close frame: its code (0 for none) and reason. Then the server must hang up by itself.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let Some(frame) = self.next().await else { panic!("the connection ended without a Close frame") };
            if frame.opcode != CLOSE {
                continue;
            }
            let said = match frame.payload.as_slice() {
                [] => (0, String::new()),
                [high, low, reason @ ..] => {
                    (u16::from_be_bytes([*high, *low]), String::from_utf8(reason.to_vec()).expect("UTF-8"))
                }
                [_] => panic!("a Close frame of one byte"),
            };
            let after = self.next().await;
            assert_eq!(after, None, "nothing comes after a Close frame");
            return said;
        }
    }
}

/// Sends a request and reads the head of the answer, in lower case, and nothing behind it.
pub(crate) async fn head(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(PATIENCE, stream.read_u8()).await.expect("an answer").expect("a whole answer"));
    }
    String::from_utf8_lossy(&answer).to_lowercase()
}

/// A masked frame: the first byte as given, then the shortest form of the length.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    // A mask of zeros is a mask, and leaves the payload readable.
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// The first bytes of a masked frame that says it has this length, up to and without the mask.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => bytes.push(0x80 | short),
        (_, Ok(middle)) => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes
}
