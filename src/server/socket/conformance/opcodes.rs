//! Group 4: the opcodes that are kept for later, five for data and five for control.

use tertulia_protocol::Close;

use super::case::{Case, Heard, Pieces, case, echo, frame, ping, text};
use super::wire::FIN;

pub(super) fn cases() -> Vec<Case> {
    let words = b"Bon dia";
    let mut cases = Vec::new();
    for (part, first) in [(1, 0x3), (2, 0xb)] {
        let number = |at: u8| format!("4.{part}.{at}");
        let odd = |at: u8, payload: &[u8]| frame(FIN | (first + at - 1), payload);
        let failed = || Heard::Close(Close::ProtocolError.code());
        // What was said properly is answered, and the ping afterwards is not.
        let between = |at: u8, payload: &[u8]| {
            case(number(at), [text(words), odd(at, payload), ping(b"")], [echo(words), failed()])
        };
        cases.push(case(number(1), [odd(1, b"")], [failed()]));
        cases.push(case(number(2), [odd(2, b"reserved")], [failed()]));
        cases.push(between(3, b""));
        cases.push(between(4, b"reserved"));
        cases.push(between(5, b"reserved").in_pieces(Pieces::Of(1)));
    }
    cases
}
