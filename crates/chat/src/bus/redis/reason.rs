//! Why the link is down, in words for a person. Made from error kinds and codes alone, never from their text:
//! that may quote what was sent, and what was sent may be the password.

use redis::{ErrorKind, RedisError};

/// What an error of the client means for the link.
pub(super) fn reason(error: &RedisError) -> String {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "wrong password".to_owned();
    }
    match error.code() {
        Some("WRONGPASS") => "wrong password".to_owned(),
        Some("NOAUTH") => "Redis asks for a password, and none is set".to_owned(),
        Some("NOPERM") => "the Redis user may not publish or subscribe here (NOPERM)".to_owned(),
        Some("READONLY") => "this Redis is a replica (READONLY)".to_owned(),
        Some("LOADING") => "Redis is loading its data (LOADING)".to_owned(),
        Some("MASTERDOWN") => "this Redis has lost its primary (MASTERDOWN)".to_owned(),
        Some(code) if is_code(code) => format!("Redis answered {code}"),
        Some(_) | None => without_a_code(error),
    }
}

/// Refusal comes first: the client counts it among the dropped connections too.
fn without_a_code(error: &RedisError) -> String {
    if error.is_connection_refusal() {
        "connection refused".to_owned()
    } else if error.is_timeout() {
        "Redis does not answer".to_owned()
    } else if error.is_connection_dropped() {
        "Redis closed the connection".to_owned()
    } else if error.kind() == ErrorKind::Parse {
        "what answers there is not Redis".to_owned()
    } else if error.is_io_error() {
        "Redis cannot be reached: no such host, or no way to it".to_owned()
    } else {
        format!("no connection to Redis ({})", error.category())
    }
}

/// Error codes are one short word of capitals; anything else is text that we do not repeat.
fn is_code(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
