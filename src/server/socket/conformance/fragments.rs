//! Group 5: a message in fragments is one message, control frames may stand between them, and what begins in the middle
//! or continues nothing fails the connection.

use tertulia_protocol::Close;

use super::case::{Case, Heard, Pieces, answer, case, echo, frame, ping, text};
use super::wire::{CONTINUATION, FIN, PING, PONG, TEXT};

/// The same frames at once, one by one, and byte by byte.
const CUTS: [Pieces; 3] = [Pieces::One, Pieces::Frames, Pieces::Of(1)];

fn failed() -> Heard {
    Heard::Close(Close::ProtocolError.code())
}

/// "first second" in two frames.
fn two() -> [Vec<u8>; 2] {
    [frame(TEXT, b"first "), frame(FIN | CONTINUATION, b"second")]
}

pub(super) fn cases() -> Vec<Case> {
    let whole = || echo(b"first second");
    let mut cases = vec![
        case("5.1", [frame(PING, b"half"), frame(FIN | CONTINUATION, b"half")], [failed()]),
        case("5.2", [frame(PONG, b"half"), frame(FIN | CONTINUATION, b"half")], [failed()]),
    ];
    for (cut, at) in CUTS.into_iter().zip(0..) {
        let number = |first: u8| format!("5.{}", first + at);
        let [first, second] = two();
        let stray = |fin: u8| [frame(fin | CONTINUATION, b"of nothing"), text(b"whole")];
        let more = [
            case(number(3), two(), [whole()]),
            case(number(6), [first, ping(b"between"), second], [answer(b"between"), whole()]),
            case(number(9), stray(FIN), [failed()]),
            case(number(12), stray(0), [failed()]),
        ];
        cases.extend(more.map(|case| case.in_pieces(cut)));
    }
    let [first, second] = two();
    let stray = |fin: u8| {
        let once = [frame(fin | CONTINUATION, b"of nothing"), first.clone(), second.clone()];
        [once.clone(), once].concat()
    };
    cases.extend([
        case("5.15", [&two()[..], &[frame(CONTINUATION, b"of nothing"), text(b"whole")]].concat(), [whole(), failed()]),
        case("5.16", stray(0), [failed()]),
        case("5.17", stray(FIN), [failed()]),
        case("5.18", [first.clone(), frame(FIN | TEXT, b"second")], [failed()]),
        five("5.19"),
        five("5.20").in_pieces(Pieces::Frames),
    ]);
    cases
}

/// Five fragments with pings in between; the first is answered while the message waits for its end.
fn five(number: &str) -> Case {
    let middle = |payload: &[u8]| frame(CONTINUATION, payload);
    case(number, [frame(TEXT, b"1"), middle(b"2"), ping(b"first")], [answer(b"first")]).then(
        [middle(b"3"), middle(b"4"), ping(b"second"), frame(FIN | CONTINUATION, b"5")],
        [answer(b"second"), echo(b"12345")],
    )
}
