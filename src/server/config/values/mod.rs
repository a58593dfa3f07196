//! The types of settings that are more than a number or a word; each parses its text and says why it cannot.

mod bridges;
mod database;
mod network;
mod origin;
mod redis;
mod secret;
#[cfg(test)]
mod tests;
mod token;

use std::net::IpAddr;
use std::path::PathBuf;

pub use bridges::Bridges;
pub use database::Database;
pub use network::IpRange;
pub use origin::PublicUrl;
pub use redis::RedisUrl;
pub use secret::Secret;
pub use token::{Scope, TokenGrant};

/// Why a text is not such a value; `None` where the rule in the table says it all.
pub(super) type Reason = Option<&'static str>;

/// Longest name of a host in DNS, in bytes (RFC 1035).
const HOST_BYTES: usize = 253;

/// An address to listen on; an IPv6 address may wear brackets, as in a URL.
pub(super) fn address(text: &str) -> Result<IpAddr, Reason> {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().map_err(|_| None)
}

/// A path that names something.
pub(super) fn path(text: &str) -> Result<PathBuf, Reason> {
    if text.trim().is_empty() {
        return Err(Some("the path is empty"));
    }
    if text.contains('\0') {
        return Err(Some("a path cannot contain U+0000"));
    }
    Ok(PathBuf::from(text))
}

/// A name of at most `max` bytes, made of the characters that are safe in keys, channels, file names and logs.
pub(super) fn plain_name(text: &str, max: usize) -> Result<String, Reason> {
    let fits = (1..=max).contains(&text.len());
    if fits && text.bytes().all(is_plain) { Ok(text.to_owned()) } else { Err(None) }
}

/// Most stocks of one's own: with the ten that are always there as many as one market has.
const STOCKS: usize = tertulia_protocol::limits::SYMBOLS - tertulia_chat::market::LISTED.len();

/// Names of stocks, separated by commas; in capital letters, each once.
pub(super) fn stock_symbols(text: &str) -> Result<Vec<String>, Reason> {
    let mut symbols = Vec::new();
    for part in text.split(',') {
        let symbol = tertulia_protocol::quote::symbol(part.trim()).ok_or(None)?;
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        }
    }
    if symbols.len() > STOCKS { Err(Some("there are too many")) } else { Ok(symbols) }
}

/// Whether the byte may stand in a plain name.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Levels of a log, in the words of `tracing`.
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A filter for the log: levels and `target=level` pairs. Narrower than what `tracing_subscriber` takes, which
/// reads a mistyped level as the name of a target and then logs nothing.
pub(super) fn log_filter(text: &str) -> Result<String, Reason> {
    let is_level = |word: &str| LOG_LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
    let is_target = |word: &str| !word.is_empty() && word.bytes().all(|byte| is_plain(byte) || byte == b':');
    let is_directive = |part: &str| {
        part.split_once('=').map_or_else(|| is_level(part), |(target, level)| is_target(target) && is_level(level))
    };
    if text.split(',').all(is_directive) { Ok(text.to_owned()) } else { Err(None) }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`; the host in lower case and without brackets.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), Reason> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(Some("the bracket of the IPv6 address is not closed"))?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| Some("the IPv6 address cannot be read"))?;
        (host, after)
    } else {
        let at = text.find(':').unwrap_or(text.len());
        let (host, after) = text.split_at(at);
        if !(1..=HOST_BYTES).contains(&host.len()) || !host.bytes().all(is_plain) {
            return Err(Some("the host is missing or cannot be read"));
        }
        (host, after)
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port > 0).ok_or(Some("a port is 1 to 65535"))?)
        }
        _ => return Err(Some("a port is 1 to 65535")),
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// The rest of the text after this scheme, whatever the scheme's case.
fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = text.split_once("://")?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// A host as it stands in a URL.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
