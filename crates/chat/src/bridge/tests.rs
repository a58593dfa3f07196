//! What a channel's payloads mean. The bridge as a whole is tested with a real Redis in tests/it/bridge.rs.

use proptest::prelude::*;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, RoomInfo, Seq, UserId};

use super::words::{Heard, PAYLOAD_BYTES, Unheard, from, heard, moved, spoken};
use crate::listener::Happened;

const OURS: &str = "tertulia/0af1";

fn said(author: Option<&str>, text: &str) -> Result<Heard, Unheard> {
    Ok(Heard::Message { author: author.map(str::to_owned), text: text.to_owned() })
}

fn room() -> RoomInfo {
    RoomInfo { id: RoomId(7), slug: "ops".to_owned(), name: "Ops".to_owned(), topic: String::new() }
}

fn entry(key: Option<Key>, change: Change) -> Entry {
    let by = Person { id: UserId(3), name: "Ana".to_owned() };
    Entry { seq: Seq(12), at: 1_790_000_000_000, by, key, change }
}

fn posted(text: &str) -> Change {
    Change::Posted { body: text.to_owned(), reply_to: None }
}

#[test]
fn json_with_a_text_is_taken_apart_and_anything_else_is_the_text() {
    for (payload, expected) in [
        (r#"{"author":"Ana","text":"hola"}"#, said(Some("Ana"), "hola")),
        (r#"{"user":"Ana","message":"hola"}"#, said(Some("Ana"), "hola")),
        (r#"{"user":"U","author":"A","message":"m","text":"t"}"#, said(Some("A"), "t")),
        (r#"{"text":5,"message":"m","author":null,"user":["x"]}"#, said(None, "m")),
        (r#" {"text":"hola","extra":{"a":[1]}} "#, said(None, "hola")),
        (r#"{"text":"hola","from":"tertulia/other"}"#, said(None, "hola")),
        (r#"{"author":"Ana"}"#, said(None, r#"{"author":"Ana"}"#)),
        (r#"{"text":"hola""#, said(None, r#"{"text":"hola""#)),
        (r#""hola""#, said(None, r#""hola""#)),
        ("[1,2]", said(None, "[1,2]")),
        ("Hola des de Redis CLI!", said(None, "Hola des de Redis CLI!")),
        ("", said(None, "")),
    ] {
        assert_eq!(heard(payload.as_bytes(), OURS), expected, "{payload}");
    }
}

#[test]
fn what_is_too_large_or_no_text_is_not_looked_into() {
    assert_eq!(heard(b"\xff\xfe", OURS), Err(Unheard::Binary));
    assert_eq!(heard(&vec![b'x'; PAYLOAD_BYTES + 1], OURS), Err(Unheard::TooLarge));
    assert!(heard(&vec![b'x'; PAYLOAD_BYTES], OURS).is_ok(), "the largest is heard");
}

#[test]
fn what_we_said_is_known_again_and_what_came_in_is_never_said() {
    let (epoch, other) = (Epoch("0af1".to_owned()), Epoch("0af2".to_owned()));
    assert_eq!(from(&epoch), OURS);
    let own = spoken(&room(), &entry(Some(Key::mint()), posted("hola")), OURS).unwrap();
    assert_eq!(
        std::str::from_utf8(&own),
        Ok(
            r#"{"room":"ops","seq":12,"id":"7-12","author":"Ana","text":"hola","at":1790000000000,"from":"tertulia/0af1"}"#
        )
    );
    assert_eq!(heard(&own, OURS), Ok(Heard::Nothing));
    assert_eq!(heard(&own, &from(&other)), said(Some("Ana"), "hola"), "another house hears it as a message");
    assert!(spoken(&room(), &entry(None, posted("by the server")), OURS).is_some());
    assert_eq!(spoken(&room(), &entry(Some(Key::mint_foreign()), posted("hola")), OURS), None);
    assert_eq!(spoken(&room(), &entry(None, Change::Created), OURS), None);
}

#[test]
fn who_comes_and_goes_is_told_and_is_no_message_to_any_house() {
    let ana = Person { id: UserId(3), name: "Ana \"A\"".to_owned() };
    let told = moved(&room(), &Happened::Joined(ana.clone()), OURS).expect("somebody came");
    let expected = r#"{"room":"ops","event":"joined","who":"Ana \"A\"","from":"tertulia/0af1"}"#;
    assert_eq!(std::str::from_utf8(&told), Ok(expected));
    for house in [OURS, "tertulia/other"] {
        assert_eq!(heard(&told, house), Ok(Heard::Nothing), "{house}");
    }
    assert!(moved(&room(), &Happened::Left(ana), OURS).is_some());
    assert_eq!(moved(&room(), &Happened::Entry(entry(None, posted("hola"))), OURS), None);
    let stranger = r#"{"event":"joined","who":"Ana"}"#;
    assert_eq!(heard(stranger.as_bytes(), OURS), said(None, stranger), "a program's own event is a text");
}

proptest! {
    #[test]
    fn any_bytes_are_understood_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let understood = heard(&payload, OURS);
        prop_assert_eq!(understood.is_err(), std::str::from_utf8(&payload).is_err());
    }

    #[test]
    fn what_one_house_says_another_hears_as_it_was(text in "\\PC{0,80}", name in "\\PC{1,20}") {
        let mut entry = entry(None, posted(&text));
        entry.by.name.clone_from(&name);
        let payload = spoken(&room(), &entry, OURS).unwrap();
        prop_assert_eq!(heard(&payload, "tertulia/other"), said(Some(&name), &text));
    }
}
