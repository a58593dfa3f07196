//! Several frames in one request: taken apart exactly, or refused whole.

use proptest::prelude::*;

use super::{check_wording, samples};
use crate::codec::{encode, join, split_client, split_server};
use crate::limits::{FRAME_BYTES, FRAMES_PER_REQUEST};
use crate::refusal::Code;

const PING: &str = r#"{"t":"ping"}"#;

#[track_caller]
fn refused(text: &str) -> Code {
    let refusal = split_client(text).expect_err("such a request is refused");
    check_wording(&refusal);
    refusal.code
}

#[test]
fn a_frame_alone_and_an_array_of_frames_are_taken_apart() {
    assert_eq!(split_client(PING), Ok(vec![PING]));
    assert_eq!(split_client(&format!(" \r\n\t{PING}\n")), Ok(vec![PING]));
    assert_eq!(split_client("[]"), Ok(Vec::new()));
    assert_eq!(split_client(" [ \n ] "), Ok(Vec::new()));
    assert_eq!(split_client(&format!("[ {PING} ,\n{PING}]")), Ok(vec![PING, PING]));
    let hostile = r#"{"t":"send","body":"],[{\"}\\","x":[[1,2],{"a":[","]}]}"#;
    assert_eq!(split_client(&format!("[{hostile},{PING}]")), Ok(vec![hostile, PING]));
}

#[test]
fn what_is_no_frame_is_handed_on_so_that_it_is_answered_in_its_place() {
    assert_eq!(split_client(""), Ok(vec![""]));
    assert_eq!(split_client("hello"), Ok(vec!["hello"]));
    assert_eq!(split_client("[1,,null,]"), Ok(vec!["1", "", "null", ""]));
    assert_eq!(split_client("[{[}],{}]"), Ok(vec!["{[}]", "{}"]), "brackets are counted, not understood");
}

#[test]
fn an_array_without_its_end_or_with_something_behind_it_is_refused_whole() {
    for text in ["[", "[[]", "[\"]", "[\"\\\"]", "[}", "[{}}", "[]]", "[{]}]", "[] []", "[{}],", "[{}"] {
        assert_eq!(refused(text), Code::Malformed, "{text}");
    }
}

#[test]
fn a_request_has_its_bounds() {
    let of = |count: usize| format!("[{}]", vec![PING; count].join(","));
    assert_eq!(split_client(&of(FRAMES_PER_REQUEST)).map(|frames| frames.len()), Ok(FRAMES_PER_REQUEST));
    assert_eq!(refused(&of(FRAMES_PER_REQUEST + 1)), Code::Limit);
    assert_eq!(refused(&format!("[{}", ",".repeat(100_000))), Code::Limit);
    let long = |bytes: usize| format!(r#"{{"t":"ping","x":"{}"}}"#, "x".repeat(bytes - r#"{"t":"ping","x":""}"#.len()));
    let most = long(FRAME_BYTES);
    assert_eq!(split_client(&format!("[{PING},{most}]")), Ok(vec![PING, most.as_str()]));
    assert_eq!(refused(&format!("[{PING},{}]", long(FRAME_BYTES + 1))), Code::TooLong);
    assert_eq!(refused(&long(FRAME_BYTES + 1)), Code::TooLong);
    assert_eq!(split_server(&of(FRAMES_PER_REQUEST + 1)).len(), FRAMES_PER_REQUEST + 1, "a bye comes on top");
    assert!(split_server("<html>").first().is_some_and(|text| crate::codec::decode_server(text).is_err()));
}

proptest! {
    #[test]
    fn what_was_joined_is_taken_apart_again(picks in prop::collection::vec((0_usize..1_000, ".{0,40}"), 0..FRAMES_PER_REQUEST)) {
        let samples = samples::client();
        let frames: Vec<String> = picks.iter().map(|(pick, text)| match pick % 3 {
            0 => encode(text),
            _ => encode(&samples[pick % samples.len()]),
        }).collect();
        let text = join(frames.iter().map(String::as_str));
        prop_assert_eq!(split_server(&text), frames.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(split_client(&text).expect("it is whole"), split_server(&text));
    }

    #[test]
    fn nothing_that_is_said_makes_it_panic_or_pass_its_bounds(text in r#"[\[\]{}",\\a-c é\n]{0,200}"#) {
        if let Ok(frames) = split_client(&text) {
            prop_assert!(frames.len() <= FRAMES_PER_REQUEST);
        }
        prop_assert!(split_server(&text).len() <= FRAMES_PER_REQUEST + 1);
    }
}
