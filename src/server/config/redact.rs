//! What may be printed of a value that somebody typed: no passwords, no control characters, no endless lines.

/// Longest value that is printed whole, in characters: what fits on a line of a terminal beside its explanation.
const SHOWN_CHARS: usize = 100;

/// What is printed in the place of a secret.
pub(super) const MASK: &str = "***";

/// Kinds of address whose rest carries no password unless it carries an `@`.
const OPEN_SCHEMES: [&str; 3] = ["http", "https", "sqlite"];

/// Kinds of address that may be named even where the whole value is a secret.
const KNOWN_SCHEMES: [&str; 6] = ["redis", "rediss", "http", "https", "tcp", "unix"];

/// A value as it may be printed. A malformed address may hold its password anywhere, so nothing but the scheme is
/// kept of an address that could carry one.
pub(super) fn value(secret: bool, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return if secret { MASK.to_owned() } else { text.to_owned() };
    };
    let lower = scheme.to_ascii_lowercase();
    let looks_like_one = !scheme.is_empty()
        && scheme.len() <= 16
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-');
    if secret {
        return if KNOWN_SCHEMES.contains(&lower.as_str()) { format!("{scheme}://{MASK}") } else { MASK.to_owned() };
    }
    if !rest.contains('@') && (OPEN_SCHEMES.contains(&lower.as_str()) || looks_like_one && !has_more_than_a_port(rest))
    {
        return text.to_owned();
    }
    if looks_like_one { format!("{scheme}://{MASK}") } else { MASK.to_owned() }
}

/// Whether what follows a colon is no number: in a malformed address that may be a password.
fn has_more_than_a_port(rest: &str) -> bool {
    rest.split(':').skip(1).any(|part| !part.starts_with(|c: char| c.is_ascii_digit()))
}

/// The text without control and invisible characters, cut to a readable length.
pub(super) fn printable(text: &str) -> String {
    let escaped: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    // Quotes and backslashes are harmless here and read better as they are.
    let shown = escaped.replace("\\'", "'").replace("\\\"", "\"").replace("\\\\", "\\");
    if text.chars().nth(SHOWN_CHARS).is_some() { format!("{shown}…") } else { shown }
}

/// The same, in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", printable(text))
}

/// What the parser of the command line has to say, without the secrets of the arguments it quotes.
pub(super) fn said(text: &str, args: &[String]) -> String {
    let mut shown = text.to_owned();
    let after_equals = args.iter().filter_map(|arg| arg.split_once('=').map(|(_, value)| value));
    for arg in args.iter().map(String::as_str).chain(after_equals) {
        let masked = value(false, arg);
        if masked != arg {
            shown = shown.replace(arg, &masked);
        }
    }
    shown
}
