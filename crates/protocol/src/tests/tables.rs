//! The tables agree with each other: codes, reasons, words and limits.

use std::collections::BTreeSet;

use crate::close::Close;
use crate::limits;
use crate::refusal::Code;

#[test]
fn every_close_code_is_one_a_server_may_send_and_says_whether_to_come_back() {
    let codes: BTreeSet<u16> = Close::ALL.iter().map(|close| close.code()).collect();
    assert_eq!(codes.len(), Close::ALL.len(), "two reasons share a code");
    for close in Close::ALL {
        let code = close.code();
        assert!(matches!(code, 1001..=1003 | 1007..=1014 | 4000..=4999), "{code} may not be sent");
        assert!(!close.reason().is_empty() && close.reason().len() <= 123, "{code}: {}", close.reason());
    }
    for (code, back) in [(1000, true), (1006, true), (1012, true), (3999, true), (4000, true), (4499, true)] {
        assert_eq!(Close::should_return(code), back, "{code}");
    }
    for (code, back) in [(4500, false), (4502, false), (4999, false), (5000, true), (0, true), (u16::MAX, true)] {
        assert_eq!(Close::should_return(code), back, "{code}");
    }
}

#[test]
fn the_reasons_of_closes_name_the_limits_that_hold() {
    for (close, number) in [
        (Close::TooBig, limits::FRAME_BYTES as u64),
        (Close::NoHello, limits::HELLO_MS / 1_000),
        (Close::Unfinished, limits::MESSAGE_MS / 1_000),
        (Close::NoPong, limits::PONG_MS / 1_000),
        (Close::Malformed, u64::from(limits::MALFORMED_FRAMES)),
        (Close::Malformed, limits::MALFORMED_WINDOW_MS / 1_000),
        (Close::Version, u64::try_from(crate::frame::VERSION).expect("versions are positive")),
    ] {
        let words: Vec<&str> = close.reason().split([' ', ';']).collect();
        assert!(words.contains(&number.to_string().as_str()), "{}: {number}", close.reason());
    }
    assert!(crate::frame::SUBPROTOCOL.ends_with(&format!(".v{}", crate::frame::VERSION)));
}

#[test]
fn every_refusal_code_travels_as_its_word() {
    let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len(), "two codes share a word");
    assert!(!words.contains("other"), "`other` is only ever read");
    for code in Code::ALL.into_iter().chain([Code::Other]) {
        let json = format!("\"{}\"", code.as_str());
        assert_eq!(serde_json::to_string(&code).expect("a word"), json);
        assert_eq!(serde_json::from_str::<Code>(&json).expect("a word"), code);
    }
}

#[test]
fn the_longest_body_fits_a_frame_as_the_docs_say() {
    let envelope = 256;
    assert!(limits::BODY_BYTES + envelope <= limits::FRAME_BYTES);
    assert!(limits::BODY_CHARS * r"\uXXXX".len() + envelope <= limits::FRAME_BYTES);
    let positions = limits::ROOMS_PER_SOCKET * (r#"{"room":,"epoch":"","seq":},"#.len() + 32 + 2 * 16);
    assert!(positions + envelope <= limits::FRAME_BYTES, "a full hello has {positions} bytes");
    const { assert!(limits::QUEUE_BYTES >= 4 * limits::PAGE_BYTES) };
    const { assert!(limits::HISTORY_PAGE <= limits::HISTORY_PAGE_MAX) };
}
