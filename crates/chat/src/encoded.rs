//! An entry as it leaves: encoded once, shared by every recipient.

use bytes::Bytes;
use tertulia_protocol::{Entry, RoomId, Seq, codec};

/// An entry encoded once for everybody, as the frame that carries it alone.
#[derive(Debug)]
pub struct Encoded {
    /// Its number.
    pub seq: Seq,
    frame: Bytes,
    /// Where the entry itself stands within the frame.
    start: usize,
}

/// What follows the entry in its frame: `]}`.
const FRAME_TAIL: usize = 2;

impl Encoded {
    /// Encodes an entry of a room.
    #[must_use]
    pub fn new(room: RoomId, entry: &Entry) -> Self {
        let json = codec::encode(entry);
        let frame = codec::entries_frame(room, [json.as_str()]);
        let start = frame.len() - FRAME_TAIL - json.len();
        Self { seq: entry.seq, frame: Bytes::from(frame), start }
    }

    /// The frame, shared.
    #[must_use]
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// How long the frame is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.frame.len()
    }

    /// The entry alone.
    #[must_use]
    pub fn json(&self) -> &str {
        let bytes = &self.frame[self.start..self.frame.len() - FRAME_TAIL];
        // Made from a String above, so this cannot fail; an empty object would be refused by the reader.
        std::str::from_utf8(bytes).unwrap_or("{}")
    }
}
