//! How a client of this version reads what a newer server says, and the small rules of ids.

use uuid::Uuid;

use super::samples;
use crate::codec::{decode, decode_server, encode};
use crate::entry::{Change, Entry};
use crate::frame::{BusState, ServerFrame};
use crate::ids::{Epoch, Key, Seq};
use crate::refusal::Code;

#[test]
fn a_frame_of_an_unknown_kind_is_no_error() {
    for text in [
        r#"{"t":"huddle"}"#,
        r#"{"t":"huddle","room":"text","entries":5,"x":[{"y":null}]}"#,
        r#"{"room":1,"t":""}"#,
        r#"{"t":"unknown"}"#,
    ] {
        assert_eq!(decode_server(text), Ok(ServerFrame::Unknown), "{text}");
    }
    for text in ["", "{}", "[]", "null", r#"{"t":5}"#, r#"{"t":"pong"}{"t":"pong"}"#, r#"{"t":"ack"}"#] {
        assert!(decode_server(text).is_err(), "{text}");
    }
}

#[test]
fn unknown_fields_of_the_server_are_ignored_at_every_level() {
    for (_, frame) in samples::server() {
        let more = encode(&frame).replacen('{', r#"{"later":{"a":[1]},"#, 1);
        assert_eq!(decode_server(&more), Ok(frame.clone()), "{more}");
        let everywhere = encode(&frame).replace('{', r#"{"later":null,"#);
        assert_eq!(decode_server(&everywhere), Ok(frame), "{everywhere}");
    }
}

#[test]
fn an_entry_of_an_unknown_kind_keeps_its_number_and_lets_the_others_through() {
    let [first, .., last] = &samples::entries()[..] else { panic!("the example log has many entries") };
    let by = encode(&samples::ana());
    for extra in ["", r#","options":["yes",{"n":null}],"message":"not a number""#] {
        let poll = format!(r#"{{"seq":2,"at":5,"by":{by},"kind":"poll_opened"{extra}}}"#);
        let entry: Entry = decode(&poll).unwrap_or_else(|error| panic!("{poll}: {error}"));
        assert!(matches!(&entry.change, Change::Unknown(fields) if fields.kind() == "poll_opened"), "{poll}");
        assert_eq!(entry.seq, Seq(2), "{poll}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        let (said, passed_on) = (read(&poll), read(&encode(&entry)));
        assert_eq!(said, passed_on, "nothing is lost on the way through an older version");
        assert_eq!(decode(&encode(&entry.change)).as_ref(), Ok(&entry.change), "nor on the way through SQL");
        let text = format!(r#"{{"t":"entries","room":1,"entries":[{},{poll},{}]}}"#, encode(first), encode(last));
        let Ok(ServerFrame::Entries { entries, .. }) = decode_server(&text) else { panic!("{text} was not read") };
        assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [first.seq, Seq(2), last.seq]);
    }
    for kind in [r#""kind":5"#, r#""kind":null"#, r#""kind":"posted""#, r#""no":"kind""#] {
        let broken = format!(r#"{{"seq":2,"at":5,"by":{by},{kind}}}"#);
        assert!(decode::<Entry>(&broken).is_err(), "{broken}");
    }
}

#[test]
fn words_of_a_newer_server_are_read_with_care() {
    let nack = format!(r#"{{"t":"nack","key":"{}","code":"under_water","message":"Glug."}}"#, samples::key(4));
    let Ok(ServerFrame::Nack { refusal, .. }) = decode_server(&nack) else { panic!("{nack} was not read") };
    assert_eq!((refusal.code, refusal.code.is_temporary()), (Code::Other, false));
    let service = decode_server(r#"{"t":"service","bus":"recovering"}"#);
    assert_eq!(service, Ok(ServerFrame::Service { bus: BusState::Degraded }));
}

#[test]
fn a_body_with_an_embedded_end_of_script_or_line_separator_survives() {
    // SR-51: what pages must be able to carry. Escaping for HTML is the page's business, not the codec's.
    for body in ["</script><script>alert(1)</script>", "<!--<script>", "\u{2028}\u{2029}", "\"\\", "{{x}} ${y}", "7"] {
        let entry = samples::entry(3, samples::ana(), Change::Posted { body: body.to_owned(), reply_to: None });
        assert_eq!(decode::<Entry>(&encode(&entry)), Ok(entry), "{body}");
    }
}

#[test]
fn numbers_of_entries_neither_overflow_nor_fall_below_zero() {
    for (seq, next, prev) in [(0, 1, 0), (1, 2, 0), (41, 42, 40), (i64::MAX, i64::MAX, i64::MAX - 1), (-5, -4, 0)] {
        assert_eq!((Seq(seq).next(), Seq(seq).prev()), (Seq(next), Seq(prev)), "{seq}");
    }
}

#[test]
fn new_keys_and_epochs_are_unlike_each_other_and_spelled_as_promised() {
    let (one, other) = (Key::mint(), Key::mint());
    assert_ne!(one, other);
    assert_eq!(one.0.get_version_num(), 7);
    assert_eq!(Key::parse(&one.to_string()), Some(one));
    assert_eq!(Key::parse(&Uuid::max().to_string()), Some(Key(Uuid::max())));
    let epoch = Epoch::fresh();
    assert_ne!(epoch, Epoch::fresh());
    assert!(epoch.0.len() == 32 && epoch.0.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{epoch}");
    assert_eq!(samples::snapshot().position().seq, Seq(4));
}

#[test]
fn a_key_from_a_digest_is_always_the_same_and_never_passes_for_a_foreign_one() {
    // The bits that a version and a mark would leave as they are.
    let mut digest = [0x5a; 32];
    (digest[6], digest[7]) = (0x0b, 0x1d);
    let key = Key::derived(digest);
    assert_eq!(key, Key::derived(digest));
    assert!(!key.is_foreign(), "{key}");
    digest[0] = 0;
    assert_ne!(key, Key::derived(digest));
}

#[test]
fn a_key_of_a_foreign_channel_is_known_again_after_every_way_and_no_other_is() {
    let (one, other) = (Key::mint_foreign(), Key::mint_foreign());
    assert_ne!(one, other);
    assert!(one.is_foreign() && one.0.get_version_num() == 8);
    assert_eq!(Key::parse(&one.to_string()), Some(one));
    assert!((0..1_000).all(|_| !Key::mint().is_foreign()));
}
