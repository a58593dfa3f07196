//! Finds the addresses in a text. Only `http://` and `https://`: nothing else may become a link.

#[cfg(test)]
mod tests;

/// A stretch of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// An address, text and target alike.
    Link(String),
}

/// Cuts a text into addresses and what lies between them.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some(start) = next_scheme(&text[from..]).map(|at| from + at) {
        let address = address(&text[start..]);
        from = start + address.len().max(1);
        let after_a_letter = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        if after_a_letter || !has_host(address) {
            continue;
        }
        if plain < start {
            found.push(Piece::Text(text[plain..start].to_owned()));
        }
        found.push(Piece::Link(address.to_owned()));
        plain = from;
    }
    if plain < text.len() || found.is_empty() {
        found.push(Piece::Text(text[plain..].to_owned()));
    }
    found
}

fn next_scheme(text: &str) -> Option<usize> {
    // One search for what both begin with: a scheme that never comes would be searched to the end each time.
    text.match_indices("http").map(|(at, _)| at).find(|at| {
        let rest = &text[at + "http".len()..];
        rest.starts_with("://") || rest.starts_with("s://")
    })
}

/// Whether the address names a host that reads as what it is: Latin letters, as browsers show them. A letter of another
/// script that looks like one (`аррӏе.com`) would lead elsewhere than it says.
fn has_host(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    host.starts_with(char::is_alphanumeric) && host.chars().all(|c| c.is_ascii() || ('À'..='ÿ').contains(&c))
}

/// The address a text begins with, without the punctuation that ends the sentence around it.
fn address(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`')).unwrap_or(text.len());
    let mut address = &text[..end];
    // Counted once: a thousand brackets that close nothing must not be counted a thousand times.
    let [mut round, mut square] = [('(', ')'), ('[', ']')]
        .map(|(open, close)| address.matches(close).count().saturating_sub(address.matches(open).count()));
    while let Some(last) = address.chars().next_back() {
        let loose = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '»' | '”' | '’' | '…' => true,
            ')' => take_one(&mut round),
            ']' => take_one(&mut square),
            _ => false,
        };
        if !loose {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

/// Takes one of what is left; false when nothing is.
const fn take_one(left: &mut usize) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}
