//! Group 3: the three bits that only an extension may set, when there is none.

use tertulia_protocol::Close;

use super::case::{Case, Heard, Pieces, case, echo, frame, ping, text};
use super::wire::{BINARY, CLOSE, FIN, PING, TEXT};

/// RSV1, RSV2 and RSV3, as a number.
const fn bits(number: u8) -> u8 {
    number << 4
}

pub(super) fn cases() -> Vec<Case> {
    let words = b"Bon dia";
    let failed = || Heard::Close(Close::ProtocolError.code());
    // What was said properly is answered, and the ping afterwards is not.
    let between = |number: &str, reserved: u8| {
        let sent = [text(words), frame(FIN | bits(reserved) | TEXT, words), ping(b"")];
        case(number, sent, [echo(words), failed()])
    };
    vec![
        case("3.1", [frame(FIN | bits(1) | TEXT, words)], [failed()]),
        between("3.2", 2),
        between("3.3", 3).in_pieces(Pieces::Frames),
        between("3.4", 4).in_pieces(Pieces::Of(1)),
        case("3.5", [frame(FIN | bits(5) | BINARY, &[0x00, 0xff])], [failed()]),
        case("3.6", [frame(FIN | bits(6) | PING, words)], [failed()]),
        case("3.7", [frame(FIN | bits(7) | CLOSE, &1_000_u16.to_be_bytes())], [failed()]),
    ]
}
