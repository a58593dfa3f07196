//! What is wrong with a field, in sentences for whoever writes a client, in whatever language.

use super::clipped;
use crate::ids::Seq;
use crate::limits::INTEGER_MAX;
use crate::refusal::{Code, Refusal};

/// A field that must be there and is not.
pub(super) fn missing(field: impl Into<String>) -> Refusal {
    let field = field.into();
    Refusal::new(Code::MissingField, format!("The field {field} is missing.")).field(field)
}

/// A field with the wrong type or an impossible value.
pub(super) fn bad(field: impl Into<String>, why: &str) -> Refusal {
    let field = field.into();
    Refusal::new(Code::BadField, format!("The field {field} is wrong: {why}.")).field(field)
}

/// A count of nothing.
///
/// # Errors
/// `bad_field` below 1.
pub(super) fn count(limit: i64) -> Result<(), Refusal> {
    if limit >= 1 { Ok(()) } else { Err(bad("limit", "it must be 1 or more").limit(1)) }
}

/// A position in a log, of which the first that there can be is `least`.
///
/// # Errors
/// `bad_cursor` for one that cannot exist.
pub(super) fn cursor(field: impl FnOnce() -> String, seq: Seq, least: i64) -> Result<(), Refusal> {
    if (least..=INTEGER_MAX).contains(&seq.0) { Ok(()) } else { Err(no_cursor(field(), least, seq.0 < least)) }
}

fn no_cursor(field: String, least: i64, below: bool) -> Refusal {
    let message = format!("The field {field} must be between {least} and {INTEGER_MAX}.");
    let passed = if below { least } else { INTEGER_MAX };
    Refusal::new(Code::BadCursor, message).field(field).limit(passed.unsigned_abs())
}

/// What serde found at a path. Its own words name types of Rust, and a number beyond 64 bits is none to it: where it
/// stands for a room or a position it is one that there cannot be, like any other.
pub(super) fn found(path: &str, error: &str) -> Refusal {
    if let Some(name) = error.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return if path == "." { missing(name) } else { missing(format!("{path}.{name}")) };
    }
    let number = number_in(error);
    let beyond = number.filter(|number| number.abs() > INTEGER_MAX as f64);
    match (path.rsplit('.').next(), beyond) {
        // A room has one spelling: any other number (`1.0`, `1e0`, `10e30`) names no room that there is.
        _ if path == "room" && number.is_some() => Refusal::no_such_room(),
        (Some("before"), Some(number)) => no_cursor(path.to_owned(), 1, number < 0.0),
        (Some("after" | "seq"), Some(number)) => no_cursor(path.to_owned(), 0, number < 0.0),
        (_, Some(_)) => {
            let why = format!("it must be a whole number between -{INTEGER_MAX} and {INTEGER_MAX}");
            bad(path, &why).limit(INTEGER_MAX.unsigned_abs())
        }
        (_, None) => bad(path, &in_words(error)),
    }
}

/// The number that serde found and did not take. A text cannot imitate it: that is quoted, behind another word.
fn number_in(error: &str) -> Option<f64> {
    let shown = ["invalid value: integer `", "invalid type: floating point `"];
    let rest = shown.iter().find_map(|shown| error.strip_prefix(shown))?;
    rest.split('`').next()?.parse().ok()
}

/// What is due where serde found something else. Its own sentences ("invalid type: string …, expected i64") end with
/// the name of a type; those that we gave it are said as they are.
fn in_words(error: &str) -> String {
    let due = match error.rsplit_once(", expected ").map(|(_, due)| due) {
        Some("i64") => "a whole number",
        Some("a string") => "a text",
        Some("a boolean") => "true or false",
        Some("a sequence") => "a list",
        _ => return clipped(error),
    };
    format!("it must be {due}")
}
