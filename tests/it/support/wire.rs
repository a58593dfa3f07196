//! WebSocket frames as bytes, without a library: for everything a library would refuse to send. It stands alone, since
//! the conformance cases of `src/server/socket` are made of the same frames.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The opcodes of RFC 6455.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// The bit that says that a frame is the last of its message.
pub(crate) const FIN: u8 = 0x80;

/// A mask of zeros is a mask, and leaves the payload readable.
const READABLE: [u8; 4] = [0; 4];

/// The headers of a proper upgrade without those that say who asks.
pub(crate) const UPGRADE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// Reads the next one.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let first = stream.read_u8().await?;
        assert_eq!(first & 0xf0, FIN, "the server sends whole messages and has agreed on no extension");
        let second = stream.read_u8().await?;
        assert_eq!(second & 0x80, 0, "a server never masks");
        let length = match second {
            126 => u64::from(stream.read_u16().await?),
            127 => stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a length that fits")];
        stream.read_exact(&mut payload).await?;
        Ok(Self { opcode: first & 0x0f, payload })
    }

    /// The code of a Close frame, 0 for none.
    pub(crate) fn close_code(&self) -> u16 {
        assert_eq!(self.opcode, CLOSE, "{self:?} is no Close frame");
        match self.payload.as_slice() {
            [] => 0,
            [high, low, ..] => u16::from_be_bytes([*high, *low]),
            [_] => panic!("a Close frame of one byte"),
        }
    }
}

/// Sends a request and reads the head of the answer, in lower case, and nothing behind it.
pub(crate) async fn head(stream: &mut TcpStream, request: &[u8]) -> io::Result<String> {
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&answer).to_lowercase())
}

/// A masked frame: the first byte as given, then the shortest form of the length.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first, payload, READABLE)
}

/// The same under a mask of one's own.
pub(crate) fn masked(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
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
