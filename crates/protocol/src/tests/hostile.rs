//! What a stranger may send instead of a frame (bad-inputs.md section 2): one check, many lines.

use proptest::prelude::*;

use super::{check, check_wording, samples};
use crate::close::Close;
use crate::codec::{decode, decode_client, decode_server, encode};
use crate::entry::Entry;
use crate::ids::RoomId;
use crate::limits::{FRAME_BYTES, JSON_DEPTH, ROOMS_PER_SOCKET};
use crate::refusal::Code;

const MALFORMED: Result<&str, (Code, Option<&str>)> = Err((Code::Malformed, None));
const PING: Result<&str, (Code, Option<&str>)> = Ok(r#"{"t":"ping"}"#);

/// A number in a place where a room is due.
fn typing(room: &str) -> String {
    format!(r#"{{"t":"typing","room":{room}}}"#)
}

#[test]
fn bi_23_what_is_not_one_object_is_malformed() {
    for text in
        ["", " ", "\n\t", "null", "true", "0", "\"\"", "[]", "[1,2,3]", "\u{FEFF}{\"t\":\"ping\"}", "{", "{]", "'"]
    {
        check(text, MALFORMED);
    }
    for text in ["{\"t\":\"ping\"", "{\"t\":\"ping\",}", "{t:\"ping\"}", "{'t':'ping'}", "{\"t\":\"ping\"}/**/", "NaN"]
    {
        check(text, MALFORMED);
    }
    check("{}", Err((Code::MissingField, Some("t"))));
    check(" \r\n\t{ \"t\" : \"ping\" } \n", PING);
}

#[test]
fn bi_25_two_objects_in_one_frame_are_malformed_and_none_is_executed() {
    for tail in [r#"{"t":"ping"}"#, "\n{\"t\":\"ping\"}", "x", ",", "]", "\0"] {
        check(&format!(r#"{{"t":"ping"}}{tail}"#), MALFORMED);
    }
}

#[test]
fn bi_26_nesting_is_read_to_its_limit_and_no_further() {
    // The frame itself is level 1, so the field holds what is left of the levels.
    let nested = |open: &str, core: &str, close: &str, levels: usize| {
        format!(r#"{{"t":"ping","x":{}{core}{}}}"#, open.repeat(levels), close.repeat(levels))
    };
    for (open, core, close) in [("[", "", "]"), ("[", "1", "]"), (r#"{"a":"#, "1", "}"), (r#"[{"a":"#, "1", "}]")] {
        let per_step = open.matches(['[', '{']).count();
        let steps = (JSON_DEPTH - 1) / per_step;
        check(&nested(open, core, close, steps), PING);
        for deeper in [steps + 1, 128, 129, 10_000] {
            check(&nested(open, core, close, deeper), MALFORMED);
        }
    }
    check(&nested("[", "{}", "]", JSON_DEPTH - 2), PING);
    check(&nested("[", "{}", "]", JSON_DEPTH - 1), MALFORMED);
    check(&"[".repeat(1_000_000), MALFORMED);
    check(&r#"{"a":"#.repeat(1_000_000), MALFORMED);
    let refusal = decode_client(&nested("[", "", "]", 99)).expect_err("99 levels are too many").refusal;
    assert_eq!(refusal.limit, Some(8), "the refusal names the limit");
}

#[test]
fn bi_27_a_key_that_is_there_twice_is_refused_with_its_place() {
    for (text, place) in [
        (r#"{"t":"typing","room":1,"room":2}"#, "room"),
        (r#"{"t":"typing","room":1,"\u0072oom":2}"#, "room"),
        (r#"{"t":"ping","t":"ping"}"#, "t"),
        (r#"{"t":"ping","x":1,"x":1}"#, "x"),
        (r#"{"t":"ping","":1,"":1}"#, ""),
        (r#"{"t":"hello","v":1,"resume":[{"room":1,"epoch":"e","seq":0},{"room":1,"room":1}]}"#, "resume[1].room"),
        (r#"{"t":"ping","a":{"b":[[{"c":1,"c":1}]]}}"#, "a.b[0][0].c"),
        (r#"{"t":"ping","x at line 1 column 2":1,"x at line 1 column 2":1}"#, "x at line 1 column 2"),
        (r#"{"t":"ping","\u001b[2J\u202ex":1,"\u001b[2J\u202ex":1}"#, "[2Jx"),
    ] {
        check(text, Err((Code::DuplicateField, Some(place))));
    }
    // Nobody can imitate our own findings in a value.
    check(r#"{"t":"ping","x":"duplicate key room"}"#, PING);
    let long = "k".repeat(30_000);
    check(&format!(r#"{{"{long}":1,"{long}":1}}"#), Err((Code::DuplicateField, Some(&long[..80]))));
}

#[test]
fn bi_29_numbers_of_any_length_are_answered() {
    for digits in [400, 65_000, 100_000] {
        check(&typing(&"9".repeat(digits)), MALFORMED);
        check(&typing(&format!("0.{}", "1".repeat(digits))), Err((Code::NotFound, Some("room"))));
    }
    check(&typing("1e400"), MALFORMED);
    check(&"1".repeat(FRAME_BYTES), MALFORMED);
}

#[test]
fn bi_65_a_room_has_exactly_one_spelling() {
    for room in ["1.0", "1e0", "-0", "0.0", "10E30", "1000000000000000000000000000000", "9223372036854775808"] {
        check(&typing(room), Err((Code::NotFound, Some("room"))));
    }
    // Another type is a bad field in every field there is (BI-30); what is no JSON is no frame.
    for room in ["\"1\"", "\"1 \"", "null", "\"0x1\"", "[1]", "{\"id\":1}", "true"] {
        check(&typing(room), Err((Code::BadField, Some("room"))));
    }
    for room in ["01", "+1", "0x1", "1 2", "1.", ".1", "-", "1e", "Infinity"] {
        check(&typing(room), MALFORMED);
    }
    // Ids that cannot exist are read: the answer is the same `not_found` as for rooms of others.
    for room in ["0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"] {
        check(&typing(room), Ok(&typing(room)));
    }
}

#[test]
fn bi_34_a_hello_of_another_version_is_read_for_its_version_alone() {
    for v in ["0", "2", "999", "-1", "9223372036854775807"] {
        for rest in ["", r#","client":5"#, r#","resume":{"later":"shape"}"#] {
            let read = format!(r#"{{"t":"hello","v":{v},"client":"","resume":[]}}"#);
            check(&format!(r#"{{"t":"hello","v":{v}{rest}}}"#), Ok(&read));
        }
    }
    for (fields, code) in [
        ("", Code::MissingField),
        (r#","client":5"#, Code::MissingField),
        (r#","v":"1""#, Code::BadField),
        (r#","v":1.0"#, Code::BadField),
        (r#","v":null"#, Code::BadField),
        (r#","v":[1],"resume":5"#, Code::BadField),
    ] {
        let text = format!(r#"{{"t":"hello"{fields}}}"#);
        check(&text, Err((code, Some("v"))));
        let undecodable = decode_client(&text).expect_err("checked above");
        assert_eq!(undecodable.close(), Some(Close::Version), "{text}");
    }
    for text in [r#"{"t":"hello","v":1,"client":5}"#, r#"{"t":"read","v":1}"#, r#"{"t":"v"}"#, "{"] {
        assert_eq!(decode_client(text).expect_err("checked by others").close(), None, "{text}");
    }
}

#[test]
fn bi_35_what_only_servers_say_is_an_unknown_type() {
    let only_servers = samples::SERVER_KINDS.into_iter().filter(|kind| !samples::CLIENT_KINDS.contains(kind));
    assert_eq!(only_servers.clone().count(), 14, "`read` and `typing` are said by both");
    for kind in only_servers.chain(["unknown", "", "Ping", "ping ", "PING", "__proto__", "constructor", "toString"]) {
        check(&format!(r#"{{"t":"{kind}"}}"#), Err((Code::UnknownType, Some("t"))));
    }
    for (_, frame) in samples::server()
        .into_iter()
        .filter(|(_, frame)| !matches!(frame, crate::ServerFrame::Typing { .. } | crate::ServerFrame::Read { .. }))
    {
        check(&encode(&frame), Err((Code::UnknownType, Some("t"))));
    }
}

#[test]
fn bi_37_a_key_has_one_spelling_and_is_echoed_when_it_could_be_read() {
    let key = samples::key(4).to_string();
    for bad in [
        String::new(),
        key.to_uppercase(),
        key.replace('-', ""),
        format!("{{{key}}}"),
        format!("urn:uuid:{key}"),
        format!("{key} "),
        key.replace('0', "g"),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        "k".repeat(1_024),
        "é".repeat(18),
    ] {
        let text = format!(r#"{{"t":"send","room":1,"key":"{bad}","body":"hi"}}"#);
        check(&text, Err((Code::BadField, Some("key"))));
        assert_eq!(decode_client(&text).expect_err("checked above").key, None);
    }
    check(r#"{"t":"send","room":1,"body":"hi"}"#, Err((Code::MissingField, Some("key"))));
    for (text, kind) in [
        (format!(r#"{{"t":"send","room":"x","key":"{key}","body":"hi"}}"#), Some("send")),
        (format!(r#"{{"t":"send","key":"{key}"}}"#), Some("send")),
        (format!(r#"{{"t":"pin","key":"{key}"}}"#), Some("pin")),
        (format!(r#"{{"key":"{key}"}}"#), None),
        (format!(r#"{{"t":7,"key":"{key}"}}"#), None),
    ] {
        let undecodable = decode_client(&text).expect_err("each lacks something");
        assert_eq!((undecodable.key, undecodable.kind.as_deref()), (Some(samples::key(4)), kind), "{text}");
    }
}

#[test]
fn the_room_of_a_frame_is_told_whatever_else_is_wrong_with_it() {
    for (text, room) in [
        (r#"{"t":"subscribe","room":7,"after":-1}"#, Some(7)),
        (r#"{"t":"history","room":7}"#, Some(7)),
        (r#"{"t":"pin","room":7}"#, Some(7)),
        (r#"{"room":7}"#, Some(7)),
        (r#"{"t":"subscribe","room":"7"}"#, None),
        (r#"{"t":"subscribe","room":7.0}"#, None),
        (r#"{"t":"subscribe"}"#, None),
        (r#"{"t":"subscribe","room":7"#, None),
    ] {
        let undecodable = decode_client(text).expect_err("each is wrong");
        assert_eq!(undecodable.room, room.map(RoomId), "{text}");
    }
}

#[test]
fn bi_39_the_id_of_a_message_is_read_when_it_is_an_integer() {
    let key = samples::key(8);
    let delete = |id: &str| format!(r#"{{"t":"delete","room":1,"key":"{key}","message":{id}}}"#);
    for id in ["-1", "0", "9007199254740992"] {
        check(&delete(id), Ok(&delete(id)));
    }
    check(&delete("9223372036854775808"), Err((Code::BadField, Some("message"))));
}

#[test]
fn bi_41_bi_43_bi_117_positions_and_counts_that_cannot_exist_are_refused() {
    let history = |before: i64, limit: i64| format!(r#"{{"t":"history","room":1,"before":{before},"limit":{limit}}}"#);
    let pull = |after: i64, limit: i64| format!(r#"{{"t":"pull","room":1,"after":{after},"limit":{limit}}}"#);
    let subscribe = |after: i64| format!(r#"{{"t":"subscribe","room":1,"after":{after}}}"#);
    let read = |seq: i64| format!(r#"{{"t":"read","room":1,"seq":{seq}}}"#);
    let hello =
        |seq: i64| format!(r#"{{"t":"hello","v":1,"client":"","resume":[{{"room":1,"epoch":"e","seq":{seq}}}]}}"#);
    let top = (1 << 53) - 1;
    for seq in [1, 2, top] {
        for text in [history(seq, 1), pull(seq, 1_000_000_000), subscribe(seq), read(seq), hello(seq)] {
            check(&text, Ok(&text));
        }
    }
    for text in [pull(0, 1), subscribe(0), read(0), hello(0)] {
        check(&text, Ok(&text));
    }
    for seq in [i64::MIN, -1, top + 1, i64::MAX] {
        for (text, field, least) in [
            (history(seq, 1), "before", 1),
            (pull(seq, 1), "after", 0),
            (subscribe(seq), "after", 0),
            (read(seq), "seq", 0),
            (hello(seq), "resume[0].seq", 0),
        ] {
            let passed = if seq < least { least } else { top };
            // What 64 bits do not hold is as far from any position, and refused in the same words.
            let beyond = if seq < least { ["-9223372036854775809", "-1e30"] } else { ["9223372036854775808", "1e30"] };
            let beyond = beyond.map(|far| text.replace(&seq.to_string(), far));
            for text in beyond.iter().chain([&text]) {
                check(text, Err((Code::BadCursor, Some(field))));
                let refusal = decode_client(text).expect_err("checked above").refusal;
                assert_eq!(refusal.limit, Some(passed.unsigned_abs()), "{text}: {refusal:?}");
                assert!(refusal.message.contains(&passed.to_string()), "{refusal:?}");
            }
        }
    }
    check(&history(0, 1), Err((Code::BadCursor, Some("before"))));
    for limit in [i64::MIN, -1, 0] {
        check(&history(2, limit), Err((Code::BadField, Some("limit"))));
        check(&pull(2, limit), Err((Code::BadField, Some("limit"))));
        assert_eq!(decode_client(&pull(2, limit)).expect_err("checked above").refusal.limit, Some(1));
    }
}

#[test]
fn bi_42_a_hello_resumes_at_most_as_many_rooms_as_a_socket_can_follow() {
    let hello = |rooms: usize| {
        let positions: Vec<_> = (1..=rooms).map(|id| format!(r#"{{"room":{id},"epoch":"e","seq":0}}"#)).collect();
        format!(r#"{{"t":"hello","v":1,"client":"","resume":[{}]}}"#, positions.join(","))
    };
    for rooms in [0, ROOMS_PER_SOCKET - 1, ROOMS_PER_SOCKET] {
        check(&hello(rooms), Ok(&hello(rooms)));
    }
    for rooms in [ROOMS_PER_SOCKET + 1, 10_000] {
        check(&hello(rooms), Err((Code::Limit, Some("resume"))));
    }
    check(r#"{"t":"hello","v":1,"resume":[[1,"e",0]]}"#, Err((Code::BadField, Some("resume[0]"))));
}

#[test]
fn bi_49_bi_51_surrogates_must_come_in_pairs_and_a_raw_control_character_is_malformed() {
    let hello = |client: &str| format!(r#"{{"t":"hello","v":1,"client":"{client}","resume":[]}}"#);
    for client in [r"\ud800", r"\udc00", r"\udc00\ud800", r"\ud800x", r"\ud800\n", r"\u12", r"\x", "\0", "\n", "\u{1f}"]
    {
        check(&hello(client), MALFORMED);
    }
    check(&hello(r"\ud83c\udf77 \ufffe \ud83f\udffe"), Ok(&hello("🍷 \u{FFFE} \u{1FFFE}")));
    check(&hello(r"a\u0000\u001b[2J\u202e\u2028b"), Ok(&hello("a[2Jb")));
    check(&hello(&"x".repeat(65)), Ok(&hello(&"x".repeat(64))));
}

#[test]
fn what_is_due_is_said_in_words_that_are_no_language_s() {
    let key = samples::key(8);
    let send = |rest: &str| format!(r#"{{"t":"send","room":1,"key":"{key}"{rest}}}"#);
    let most = "a whole number between -9007199254740991 and 9007199254740991";
    for (text, field, due) in [
        (typing(r#""i64""#), "room", "a whole number"),
        (typing(r#""integer `9223372036854775808`, expected i64""#), "room", "a whole number"),
        (typing(r#"["x, expected a string"]"#), "room", "a whole number"),
        (send(r#","body":{}"#), "body", "a text"),
        (send(r#","body":"hi","reply_to":1.5"#), "reply_to", "a whole number"),
        (send(r#","body":"hi","reply_to":1e30"#), "reply_to", most),
        (r#"{"t":"pull","room":1,"after":0,"limit":9223372036854775808}"#.to_owned(), "limit", most),
        (r#"{"t":7,"room":1}"#.to_owned(), "t", "a text"),
        (r#"{"t":"hello","v":1,"back":1}"#.to_owned(), "back", "true or false"),
        (r#"{"t":"hello","v":1,"client":1}"#.to_owned(), "client", "a text"),
        (r#"{"t":"hello","v":1,"resume":{}}"#.to_owned(), "resume", "a list"),
        (r#"{"t":"hello","v":1,"resume":[7]}"#.to_owned(), "resume[0]", "an object"),
        (r#"{"t":"hello","v":1,"resume":[{"room":1,"epoch":7,"seq":1}]}"#.to_owned(), "resume[0].epoch", "a text"),
        (r#"{"t":"hello","v":"1"}"#.to_owned(), "v", "a whole number"),
    ] {
        let refusal = decode_client(&text).expect_err("each is wrong").refusal;
        assert_eq!(refusal.message, format!("The field {field} is wrong: it must be {due}."), "{text}");
        assert_eq!((refusal.code, refusal.field.as_deref()), (Code::BadField, Some(field)));
        assert_eq!(refusal.limit.is_some(), due == most, "{refusal:?}");
    }
}

#[test]
fn errors_echo_little_of_the_input_and_nothing_that_moves_a_cursor() {
    let kind = format!("\\u001b[2J\\u202e{}", "x".repeat(60_000));
    let undecodable = decode_client(&format!(r#"{{"t":"{kind}"}}"#)).expect_err("nobody says that");
    assert_eq!(undecodable.kind.as_deref().map(|kind| kind.chars().count()), Some(80));
    check_wording(&undecodable.refusal);
    let value = format!("\\u0007\\u2066{}", "y".repeat(60_000));
    let undecodable = decode_client(&format!(r#"{{"t":"typing","room":"{value}"}}"#)).expect_err("a text is no room");
    check_wording(&undecodable.refusal);
}

proptest! {
    #[test]
    fn no_text_and_no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        for text in [String::from_utf8_lossy(&bytes).as_ref(), &text] {
            if let Err(undecodable) = decode_client(text) {
                check_wording(&undecodable.refusal);
            }
            let _ = (decode_server(text), decode::<Entry>(text));
        }
        let _ = serde_json::from_slice::<Entry>(&bytes);
    }

    #[test]
    fn no_damage_to_a_frame_makes_a_decoder_panic(
        which in any::<prop::sample::Index>(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut frames: Vec<String> = samples::client().iter().map(encode).collect();
        frames.extend(samples::server().iter().map(|(_, frame)| encode(frame)));
        let mut bytes = which.get(&frames).clone().into_bytes();
        for (at, byte, how) in hits {
            let at = at.index(bytes.len().max(1));
            match how {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 if at < bytes.len() => { bytes.remove(at); }
                _ if at < bytes.len() => bytes[at] = b"\"\\{}[],:0-.eu\x00\xff"[usize::from(byte) % 15],
                _ => {}
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Err(undecodable) = decode_client(&text) {
            check_wording(&undecodable.refusal);
        }
        let _ = (decode_server(&text), serde_json::from_slice::<Entry>(&bytes));
    }
}
