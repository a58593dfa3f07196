//! Why the link is down, in words for a person. Made from error kinds and codes alone, never from their text:
//! that may quote what was sent, and what was sent may be the password.

use std::error::Error;
use std::io;

use redis::{ErrorKind, RedisError};

/// What an error of the client means for the link.
pub(super) fn reason(error: &RedisError) -> String {
    if let Some(io) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        return io_reason(io.kind());
    }
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
        Some(_) | None if error.is_connection_dropped() => "Redis closed the connection".to_owned(),
        Some(_) | None => format!("Redis client: {}", error.category()),
    }
}

fn io_reason(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "Redis closed the connection".to_owned()
        }
        io::ErrorKind::TimedOut => "Redis does not answer".to_owned(),
        other => format!("no connection: {other}"),
    }
}

/// Error codes are one short word of capitals; anything else is text that we do not repeat.
fn is_code(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
