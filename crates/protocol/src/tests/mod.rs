//! Tests of the protocol as a whole; `samples` is the conversation they all take their examples from.

mod bodies;
mod contract;
mod fields;
mod golden;
mod hostile;
#[cfg(feature = "names")]
mod names;
mod reading;
mod requests;
mod roundtrip;
mod samples;
mod tables;

use crate::codec::decode_client;
use crate::refusal::{Code, Refusal};

/// The one check of what a client says: `Ok` is the frame encoded again, `Err` the code and the field.
#[track_caller]
fn check(text: &str, expected: Result<&str, (Code, Option<&str>)>) {
    let decoded = decode_client(text);
    let shown: String = text.chars().take(200).collect();
    match (&decoded, expected) {
        (Ok(frame), Ok(json)) => assert_eq!(crate::codec::encode(frame), json, "{shown}"),
        (Err(undecodable), Err((code, field))) => {
            let refusal = &undecodable.refusal;
            assert_eq!((refusal.code, refusal.field.as_deref()), (code, field), "{shown}: {refusal:?}");
            check_wording(refusal);
        }
        _ => panic!("{shown}: expected {expected:?}, got {decoded:?}"),
    }
}

/// A refusal is a sentence that names its field, short enough for a line, without anything that moves a cursor.
#[track_caller]
fn check_wording(refusal: &Refusal) {
    let message = refusal.message.as_ref();
    assert!(message.ends_with('.') && message.chars().count() <= 400, "{message}");
    assert!(!message.chars().any(|c| c.is_control() || crate::text::is_invisible(c)), "{message:?}");
    if let Some(field) = &refusal.field {
        assert!(field.chars().count() <= 400, "{field}");
        if matches!(refusal.code, Code::MissingField | Code::BadField | Code::DuplicateField) {
            assert!(message.contains(field.as_ref()), "{message} does not name {field}");
        }
    }
}
