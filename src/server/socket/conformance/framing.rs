//! Group 1: messages at both sides of every length that is written differently. Group 10: one message in many frames.
//! Tertulia speaks text alone, so the binary half applies as: refused with 1003, whatever its length.

use tertulia_protocol::Close;
use tertulia_protocol::limits::FRAME_BYTES;

use super::case::{Case, Heard, Pieces, binary, case, echo, frame, text};
use super::wire::{CONTINUATION, FIN, TEXT};

/// Lengths in one byte, in two and in eight. The last is the most that we hear, in frames and in messages.
const LENGTHS: [usize; 7] = [0, 125, 126, 127, 128, 65_535, FRAME_BYTES];
/// A piece that divides no length.
const ODD: usize = 997;

pub(super) fn cases() -> Vec<Case> {
    let refused = || [Heard::Close(Close::Binary.code())];
    let mut cases = Vec::new();
    for (at, length) in (1..).zip(LENGTHS) {
        let payload = vec![b'*'; length];
        cases.push(case(format!("1.1.{at}"), [text(&payload)], [echo(&payload)]));
        cases.push(case(format!("1.2.{at}"), [binary(&payload)], refused()));
    }
    let payload = [b'*'; FRAME_BYTES];
    cases.push(case("1.1.8", [text(&payload)], [echo(&payload)]).in_pieces(Pieces::Of(ODD)));
    cases.push(case("1.2.8", [binary(&payload)], refused()).in_pieces(Pieces::Of(ODD)));
    cases
}

/// The largest message in frames of 1,300 bytes.
pub(super) fn pieces() -> Vec<Case> {
    let payload = [b'*'; FRAME_BYTES];
    let (first, rest) = payload.split_at(1_300);
    let mut frames = vec![frame(TEXT, first)];
    frames.extend(rest.chunks(1_300).map(|piece| frame(CONTINUATION, piece)));
    if let Some(last) = frames.last_mut() {
        last[0] |= FIN;
    }
    vec![case("10.1.1", frames, [echo(&payload)])]
}
