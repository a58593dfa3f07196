//! What the generator reads of a server's frames.
//!
//! `entries` has its own reading, of the four fields that are counted, borrowed from the text: the generator shares
//! the machine with the server, and a thousand receivers decode every message a thousand times. Who is there is not read
//! at all: ten thousand browsers have a processor each for their list of five hundred names.

use std::borrow::Cow;

use serde::Deserialize;
use tertulia_protocol::{RoomId, ServerFrame, codec};

use crate::ledger::{Line, What};
use crate::stamp::Run;

/// A frame, as far as it matters here.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Live entries of a room.
    Entries(RoomId, Vec<Line>),
    /// Who is there.
    Presence,
    /// Anything else.
    Frame(Box<ServerFrame>),
}

#[derive(Deserialize)]
struct Entries<'a> {
    room: RoomId,
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    seq: i64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    body: Cow<'a, str>,
}

/// Reads a frame.
///
/// # Errors
/// The reason in words, when it is no frame of the protocol.
pub(crate) fn read(text: &str, run: Run) -> Result<Heard, String> {
    // The codec writes the tag first; a server that does not is still understood below.
    if text.starts_with(r#"{"t":"presence","#) {
        return Ok(Heard::Presence);
    }
    if !text.starts_with(r#"{"t":"entries","#) {
        return match codec::decode_server(text)? {
            ServerFrame::Entries { .. } => entries(text, run),
            frame => Ok(Heard::Frame(Box::new(frame))),
        };
    }
    entries(text, run)
}

fn entries(text: &str, run: Run) -> Result<Heard, String> {
    let frame: Entries<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let lines = frame.entries.iter().map(|entry| Line { seq: entry.seq, what: what(entry, run) });
    Ok(Heard::Entries(frame.room, lines.collect()))
}

fn what(entry: &Entry<'_>, run: Run) -> What {
    if entry.kind != "posted" {
        return What::Other;
    }
    run.read(&entry.body).map_or(What::Foreign, What::Message)
}
