//! Every field of every frame a client can say, made wrong in every way (BI-30, BI-31): generated, not listed.

use serde_json::{Map, Value, json};

use super::{check, samples};
use crate::codec::{decode_client, encode};
use crate::refusal::Code;

/// Fields that may be absent; those of them that may also be `null`, which means the same.
const OPTIONAL: [(&str, bool); 5] =
    [("client", false), ("back", false), ("resume", false), ("after", true), ("reply_to", true)];

fn objects() -> Vec<Map<String, Value>> {
    let frames = samples::client();
    let objects = frames.iter().map(|frame| match serde_json::from_str(&encode(frame)) {
        Ok(Value::Object(object)) => object,
        other => panic!("{frame:?} is encoded as {other:?}"),
    });
    objects.collect()
}

/// One value of each JSON type that `right` does not have; a number with a fraction is no integer.
fn wrong_for(right: &Value) -> Vec<Value> {
    let all = [json!("x"), json!(5), json!(1.5), json!(true), json!(null), json!([]), json!({})];
    let same = |wrong: &Value| match right {
        Value::String(_) => wrong.is_string(),
        Value::Number(_) => wrong.is_i64(),
        Value::Bool(_) => wrong.is_boolean(),
        Value::Array(_) => wrong.is_array(),
        Value::Object(_) => wrong.is_object(),
        other => panic!("no frame has a field like {other}"),
    };
    all.into_iter().filter(|wrong| !same(wrong)).collect()
}

fn is_optional(object: &Map<String, Value>, name: &str) -> Option<bool> {
    // `pull` has an `after` too, which must be there.
    if object["t"] == "pull" {
        return None;
    }
    OPTIONAL.iter().find(|(optional, _)| *optional == name).map(|(_, nullable)| *nullable)
}

#[test]
fn bi_30_every_field_of_the_wrong_type_is_named() {
    let mut checked = 0;
    for object in objects() {
        for (name, right) in &object {
            for wrong in wrong_for(right) {
                let mut broken = object.clone();
                broken.insert(name.clone(), wrong.clone());
                let text = Value::Object(broken).to_string();
                if wrong.is_null() && is_optional(&object, name) == Some(true) {
                    assert!(decode_client(&text).is_ok(), "{text}");
                } else {
                    // A number is the type of a room, though this one is none (BI-65).
                    let unheard = name == "room" && wrong.is_number();
                    check(&text, Err((if unheard { Code::NotFound } else { Code::BadField }, Some(name))));
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 13 * 6, "only {checked} fields were broken");
}

#[test]
fn bi_31_every_required_field_that_is_missing_is_named() {
    let mut required = 0;
    for object in objects() {
        for name in object.keys() {
            let mut broken = object.clone();
            broken.remove(name);
            let text = Value::Object(broken).to_string();
            if is_optional(&object, name).is_some() {
                assert!(decode_client(&text).is_ok(), "{text}");
            } else {
                check(&text, Err((Code::MissingField, Some(name))));
                required += 1;
            }
        }
    }
    assert!(required > 30, "only {required} fields are required");
}

#[test]
fn bi_30_bi_31_the_fields_of_a_position_are_named_with_their_place() {
    let hello = |position: Value| json!({"t": "hello", "v": 1, "resume": [samples_position(), position]}).to_string();
    for (name, right) in samples_position().as_object().expect("a position is an object") {
        let mut broken = samples_position();
        broken.as_object_mut().and_then(|fields| fields.remove(name));
        let field = format!("resume[1].{name}");
        check(&hello(broken.clone()), Err((Code::MissingField, Some(&field))));
        for wrong in wrong_for(right) {
            broken[name] = wrong;
            check(&hello(broken.clone()), Err((Code::BadField, Some(&field))));
        }
    }
    for wrong in wrong_for(&samples_position()) {
        check(&hello(wrong), Err((Code::BadField, Some("resume[1]"))));
    }
}

fn samples_position() -> Value {
    json!({"room": 1, "epoch": samples::epoch().0, "seq": 3})
}

#[test]
fn bi_31_unknown_fields_are_ignored_whatever_they_are_called() {
    for (object, frame) in objects().into_iter().zip(samples::client()) {
        for name in ["__proto__", "constructor", "toString", "", "hasOwnProperty", "\u{0}", "T", "room ", "🍷"] {
            let mut more = object.clone();
            more.insert(name.to_owned(), json!({"polluted": [true]}));
            check(&Value::Object(more).to_string(), Ok(&encode(&frame)));
        }
    }
}

#[test]
fn sr_29_what_only_the_server_may_set_is_ignored_when_a_client_says_it() {
    let frame = &samples::client()[3];
    let mut object = objects().swap_remove(3);
    assert_eq!(object["t"], "send", "the fourth example is a send");
    for (name, value) in [("seq", json!(1)), ("at", json!(0)), ("by", json!({"id": 1})), ("kind", json!("created"))] {
        object.insert(name.to_owned(), value);
    }
    check(&Value::Object(object).to_string(), Ok(&encode(frame)));
}
