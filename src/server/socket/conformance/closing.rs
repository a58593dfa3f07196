//! Group 7: how a connection is closed, with which codes, and that nothing is heard after the Close frame.

use tertulia_protocol::Close;

use super::case::{Case, Heard, case, close, echo, frame, ping, text};
use super::wire::{CLOSE, CONTINUATION, FIN, TEXT};

/// Codes that a peer may send: those that RFC 6455 and the registry define, and the ends of the free ranges.
const FINE: [u16; 13] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
/// Codes that must not be sent.
const FORBIDDEN: [u16; 9] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
/// Codes of which the standard says nothing; we refuse them like those that it forbids.
const BEYOND: [u16; 2] = [5000, 65_535];

pub(super) fn cases() -> Vec<Case> {
    let failed = || [Heard::Close(Close::ProtocolError.code())];
    let mut cases = after_close();
    let longest = [b'*'; 123];
    cases.extend([
        case("7.3.1", [frame(FIN | CLOSE, b"")], [Heard::Close(0)]),
        case("7.3.2", [frame(FIN | CLOSE, b"a")], failed()),
        case("7.3.3", [close(1000, b"")], [Heard::Close(1000)]),
        case("7.3.4", [close(1000, b"Adeu")], [Heard::Close(1000)]),
        case("7.3.5", [close(1000, &longest)], [Heard::Close(1000)]),
        case("7.3.6", [close(1000, &[b'*'; 124])], failed()),
        case("7.5.1", [close(1000, b"Ad\xe9u")], [Heard::Close(Close::InvalidUtf8.code())]),
    ]);
    let numbered = |part: &'static str| (1..).map(move |at: u8| format!("7.{part}.{at}"));
    let answered = |(number, code)| case(number, [close(code, b"")], [Heard::Close(code)]);
    let refused = |(number, code)| case(number, [close(code, b"")], failed());
    cases.extend(numbered("7").zip(FINE).map(answered));
    cases.extend(numbered("9").zip(FORBIDDEN).map(refused));
    cases.extend(numbered("13").zip(BEYOND).map(refused));
    cases
}

/// 7.1: data and control frames around the Close frame, all in one piece.
fn after_close() -> Vec<Case> {
    let (bye, heard) = (close(1000, b""), || Heard::Close(1000));
    let large = text(&vec![b'*'; 256 * 1024]);
    let [first, second] = [frame(TEXT, b"first "), frame(FIN | CONTINUATION, b"second")];
    vec![
        // What was said before is answered before.
        case("7.1.1", [text(b"Bon dia"), bye.clone()], [echo(b"Bon dia"), heard()]),
        case("7.1.2", [bye.clone(), bye.clone()], [heard()]),
        case("7.1.3", [bye.clone(), ping(b"")], [heard()]),
        case("7.1.4", [bye.clone(), text(b"Bon dia")], [heard()]),
        case("7.1.5", [first, bye.clone(), second], [heard()]),
        // Above our limit: refused at its head, wherever the Close frame stands.
        case("7.1.6", [large, bye, ping(b"")], [Heard::Close(Close::TooBig.code())]),
    ]
}
