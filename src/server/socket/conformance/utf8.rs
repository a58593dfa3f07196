//! Group 6: which bytes are text. Most of it is the table of sequences that decoders get wrong; the first four parts are
//! about fragments, and about refusing a text before it has ended.

use tertulia_protocol::Close;

use super::case::{Case, Heard, Pieces, answer, case, echo, frame, ping, text};
use super::wire::{CONTINUATION, FIN, TEXT};

/// Greek: characters of two bytes and one of three.
const WORD: &[u8] = "κ\u{1f79}σμε".as_bytes();
/// The lengths at which a prefix of [`WORD`] ends between two characters.
const ENDS: [usize; 5] = [2, 5, 7, 9, 11];

fn refused() -> Heard {
    Heard::Close(Close::InvalidUtf8.code())
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = whole();
    cases.extend(broken());
    cases.extend(early());
    for (part, is_text, sequences) in table() {
        for (at, bytes) in (1..).zip(sequences) {
            let heard = if is_text(&bytes) { echo(&bytes) } else { refused() };
            cases.push(case(format!("6.{part}.{at}"), [text(&bytes)], [heard]));
        }
    }
    cases
}

/// A text in fragments of so many bytes.
fn in_fragments(payload: &[u8], length: usize) -> Vec<Vec<u8>> {
    let mut frames: Vec<_> = payload.chunks(length).map(|piece| frame(CONTINUATION, piece)).collect();
    if let [first, .., last] = frames.as_mut_slice() {
        first[0] |= TEXT;
        last[0] |= FIN;
    }
    frames
}

/// 6.1 and 6.2: text, empty or not, wherever it is cut.
fn whole() -> Vec<Case> {
    let words = "Bon dia, κόσμε: ñ, €, 𝄞".as_bytes();
    let (first, second) = words.split_at("Bon dia, κό".len());
    let nothing = || frame(CONTINUATION, b"");
    let end = || frame(FIN | CONTINUATION, b"");
    vec![
        case("6.1.1", [text(b"")], [echo(b"")]),
        case("6.1.2", [frame(TEXT, b""), nothing(), end()], [echo(b"")]),
        case("6.1.3", [frame(TEXT, b""), frame(CONTINUATION, b"middle"), end()], [echo(b"middle")]),
        case("6.2.1", [text(words)], [echo(words)]),
        case("6.2.2", [frame(TEXT, first), frame(FIN | CONTINUATION, second)], [echo(words)]),
        case("6.2.3", in_fragments(words, 1), [echo(words)]),
        case("6.2.4", in_fragments(WORD, 1), [echo(WORD)]),
    ]
}

/// 6.3: a surrogate in the middle of a text.
fn broken() -> Vec<Case> {
    let bytes = [WORD, b"\xed\xa0\x80", b"edited"].concat();
    vec![case("6.3.1", [text(&bytes)], [refused()]), case("6.3.2", in_fragments(&bytes, 1), [refused()])]
}

/// 6.4: refused at the byte that no text can have, since what comes after it is never sent. The byte stands at the
/// beginning of a piece or at its end, and the pieces are frames or parts of one.
fn early() -> Vec<Case> {
    // Above U+10FFFF, which is known at the second byte.
    let beyond = b"\xf4\x90\x80\x80";
    let frames = |number: &str, first: &[u8], second: &[u8]| {
        // The answer to a ping between the fragments proves that the first one was no reason to refuse anything.
        case(number, [frame(TEXT, first), ping(b"fine so far")], [answer(b"fine so far")])
            .then([frame(CONTINUATION, second)], [refused()])
    };
    let parts = |number: &str, first: &[u8], second: &[u8]| {
        let mut begun = text(&[first, second, b"edited"].concat());
        begun.truncate(begun.len() - "edited".len());
        let second = begun.split_off(begun.len() - second.len());
        case(number, [begun, second], [refused()]).in_pieces(Pieces::Frames)
    };
    let (fine, at_its_end) = ([WORD, &beyond[..1]].concat(), &beyond[1..2]);
    vec![
        frames("6.4.1", WORD, beyond),
        frames("6.4.2", &fine, at_its_end),
        parts("6.4.3", WORD, beyond),
        parts("6.4.4", &fine, at_its_end),
    ]
}

/// Three bytes for a number of 16 bits, as UTF-8 would have it if it had surrogates.
fn three(unit: u16) -> Vec<u8> {
    let low = |shift: u16| 0x80 | (unit >> shift & 0x3f) as u8;
    vec![0xe0 | (unit >> 12) as u8, low(6), low(0)]
}

type IsText = fn(&[u8]) -> bool;
const YES: IsText = |_| true;
const NO: IsText = |_| false;

/// The parts from 6.5 on: whether their sequences are text, and what they are.
fn table() -> Vec<(u8, IsText, Vec<Vec<u8>>)> {
    let all = |sequences: &[&[u8]]| sequences.iter().map(|bytes| bytes.to_vec()).collect::<Vec<_>>();
    // Each followed by a space, so that nothing can continue them.
    let lonely = |leads: std::ops::RangeInclusive<u8>| leads.flat_map(|lead| [lead, b' ']).collect::<Vec<_>>();
    let cut_off: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let high = [0xd800, 0xdb7f, 0xdb80, 0xdbff];
    let singles = [&high[..], &[0xdc00, 0xdf80, 0xdfff]].concat();
    let pairs = high.iter().flat_map(|first| [0xdc00, 0xdfff].map(|second| [three(*first), three(second)].concat()));
    let planes = (0..=0x10).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    let of_characters = |numbers: &mut dyn Iterator<Item = u32>| {
        let characters = numbers.map(|number| char::from_u32(number).expect("no surrogate"));
        characters.map(|character| character.to_string().into_bytes()).collect::<Vec<_>>()
    };
    vec![
        // Characters of one to four bytes, and a word.
        (5, YES, all(&[b"<\x24>", b"<\xc2\xa2>", b"<\xe2\x82\xac>", b"<\xf0\xa4\xad\xa2>", WORD])),
        // Every prefix of a word.
        (6, |bytes| ENDS.contains(&bytes.len()), (1..=WORD.len()).map(|end| WORD[..end].to_vec()).collect()),
        // The first number of each length, which may be too long.
        (7, YES, all(&[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"])),
        (8, NO, all(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"])),
        // The last number of each length.
        (9, YES, all(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"])),
        (10, NO, all(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"])),
        // Around the surrogates, the sign for what is no character, and the end of Unicode: the fifth is beyond it.
        (
            11,
            |bytes| bytes != b"\xf4\x90\x80\x80",
            all(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]),
        ),
        // Bytes that continue nothing: one of the least and one of the greatest, two to six, all of them.
        (
            12,
            NO,
            [vec![0x80], vec![0xbf]]
                .into_iter()
                .chain((2..=6).map(|count| [0x80, 0xbf].into_iter().cycle().take(count).collect()))
                .chain([(0x80..=0xbf).collect()])
                .collect(),
        ),
        (13, NO, [0xc0..=0xdf, 0xe0..=0xef, 0xf0..=0xf7, 0xf8..=0xfb, 0xfc..=0xfd].map(lonely).to_vec()),
        // The last byte is missing, of one character and of ten in a row.
        (14, NO, all(&cut_off)),
        (15, NO, vec![cut_off.concat()]),
        // Bytes that are in no text.
        (16, NO, all(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"])),
        // Written longer than needed: a slash, the greatest number for each length, NUL.
        (17, NO, overlong(b'/').to_vec()),
        (
            18,
            NO,
            all(&[
                b"\xc1\xbf",
                b"\xe0\x9f\xbf",
                b"\xf0\x8f\xbf\xbf",
                b"\xf8\x87\xbf\xbf\xbf",
                b"\xfc\x83\xbf\xbf\xbf\xbf",
            ]),
        ),
        (19, NO, overlong(0).to_vec()),
        // Halves of surrogate pairs, and whole pairs, written as if they were characters.
        (20, NO, singles.into_iter().map(three).collect()),
        (21, NO, pairs.collect()),
        // What Unicode will never assign, and what is special: text all the same.
        (22, YES, of_characters(&mut planes.into_iter())),
        (23, YES, of_characters(&mut (0xfff9..=0xffff))),
    ]
}

/// A number of six bits, written with two to six bytes.
fn overlong(number: u8) -> [Vec<u8>; 5] {
    [&b"\xc0"[..], b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80"]
        .map(|zeros| [zeros, &[0x80 | number]].concat())
}
