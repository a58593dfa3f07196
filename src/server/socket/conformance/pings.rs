//! Group 2: pings of every length are answered with what they carry, in order; pongs that nobody asked for are not.

use tertulia_protocol::Close;

use super::case::{Case, Heard, Pieces, answer, case, ping, pong};

pub(super) fn cases() -> Vec<Case> {
    let (words, binary, longest) = (b"Are you there?", [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff], [0xfe; 125]);
    let ten: Vec<String> = (0..10).map(|number| format!("ping {number}")).collect();
    let pings: Vec<_> = ten.iter().map(|payload| ping(payload.as_bytes())).collect();
    let pongs = || ten.iter().map(|payload| answer(payload.as_bytes())).collect::<Vec<_>>();
    vec![
        case("2.1", [ping(b"")], [answer(b"")]),
        case("2.2", [ping(words)], [answer(words)]),
        case("2.3", [ping(&binary)], [answer(&binary)]),
        case("2.4", [ping(&longest)], [answer(&longest)]),
        case("2.5", [ping(&[0xfe; 126])], [Heard::Close(Close::ProtocolError.code())]),
        case("2.6", [ping(&longest)], [answer(&longest)]).in_pieces(Pieces::Of(1)),
        case("2.7", [pong(b"")], []),
        case("2.8", [pong(words)], []),
        case("2.9", [pong(b"not asked for"), ping(words)], [answer(words)]),
        case("2.10", pings.clone(), pongs()),
        case("2.11", pings, pongs()).in_pieces(Pieces::Of(1)),
    ]
}
