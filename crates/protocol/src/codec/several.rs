//! Several frames in one text: a request says a JSON array of them where a socket says one after the other.
//!
//! The array is only taken apart here. Each frame is then read by its own decoder, strictly and alone, so that
//! one that is wrong is answered as on a socket and costs its neighbours nothing.

use crate::limits::{FRAME_BYTES, FRAMES_PER_REQUEST};
use crate::refusal::{Code, Refusal};

/// Frames in the answer to a request, at most: one for each that was asked, and a `bye`.
const ANSWERS: usize = FRAMES_PER_REQUEST + 1;

/// The frames of a request: one that stands alone, or those of an array in their order, at most
/// [`FRAMES_PER_REQUEST`] of [`FRAME_BYTES`] each, as they stand there.
///
/// # Errors
/// `malformed` when an array has no end or something follows it, `limit` for too many frames, `too_long` for one that
/// is too large. Nothing of such a request may be done.
pub fn split_client(text: &str) -> Result<Vec<&str>, Refusal> {
    let frames = split(text, FRAMES_PER_REQUEST).map_err(|fault| match fault {
        Fault::Broken => Refusal::new(Code::Malformed, "Not frames: the body is no whole JSON array."),
        Fault::TooMany => {
            let message = format!("One request has at most {FRAMES_PER_REQUEST} frames.");
            Refusal::new(Code::Limit, message).limit(FRAMES_PER_REQUEST as u64)
        }
    })?;
    if frames.iter().any(|frame| frame.len() > FRAME_BYTES) {
        let message = format!("A frame is at most {FRAME_BYTES} bytes.");
        return Err(Refusal::new(Code::TooLong, message).limit(FRAME_BYTES as u64));
    }
    Ok(frames)
}

/// The frames of the answer to a request; none when it is no answer of ours. The browser's half.
#[must_use]
pub fn split_server(text: &str) -> Vec<&str> {
    split(text, ANSWERS).unwrap_or_default()
}

/// Puts encoded frames into the answer to a request.
#[must_use]
pub fn join<'a>(frames: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    push_array(&mut text, frames);
    text
}

/// Appends encoded values as an array.
pub(super) fn push_array<'a>(text: &mut String, values: impl IntoIterator<Item = &'a str>) {
    text.push('[');
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(value);
    }
    text.push(']');
}

/// Why a text cannot be taken apart.
enum Fault {
    /// Its array does not end, or not there.
    Broken,
    /// It holds more than is allowed.
    TooMany,
}

/// Takes a text apart at the commas of its outermost array. Only quotes and brackets are understood: whether what
/// stands between them is JSON is for the decoder to say.
fn split(text: &str, most: usize) -> Result<Vec<&str>, Fault> {
    let text = trimmed(text);
    let Some(inside) = text.strip_prefix('[') else { return Ok(vec![text]) };
    let mut frames = Vec::new();
    let (mut from, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth += 1,
            // The bracket that closes the whole: what follows it would be nobody's.
            b']' if depth == 0 => {
                let last = trimmed(&inside[from..at]);
                if !frames.is_empty() || !last.is_empty() {
                    frames.push(last);
                }
                let whole = at + 1 == inside.len();
                return if !whole {
                    Err(Fault::Broken)
                } else if frames.len() > most {
                    Err(Fault::TooMany)
                } else {
                    Ok(frames)
                };
            }
            b']' | b'}' => depth = depth.checked_sub(1).ok_or(Fault::Broken)?,
            b',' if depth == 0 => {
                if frames.len() >= most {
                    return Err(Fault::TooMany);
                }
                frames.push(trimmed(&inside[from..at]));
                from = at + 1;
            }
            _ => {}
        }
    }
    Err(Fault::Broken)
}

/// Without what JSON calls white space (RFC 8259, section 2) at both ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}
