//! Tells code from comments and quotes. Knows raw strings, nested comments, and lifetimes from characters.

/// The text without comments, and without comments and the insides of quotes: spaces in their place, lines as before.
pub(super) fn without_comments(text: &str) -> (String, String) {
    let mut scan = Scan { rest: text, plain: String::new(), bare: String::new(), before: ' ' };
    while let Some(sign) = scan.rest.chars().next() {
        scan.step(sign);
    }
    (scan.plain, scan.bare)
}

struct Scan<'a> {
    rest: &'a str,
    plain: String,
    bare: String,
    /// The sign before `rest`: a quote after a letter belongs to a raw string or a byte string.
    before: char,
}

impl Scan<'_> {
    fn step(&mut self, sign: char) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.comment(end);
        } else if self.rest.starts_with("/*") {
            let end = end_of_block_comment(self.rest);
            self.comment(end);
        } else if let Some(end) = end_of_raw_string(self.rest).filter(|_| !crate::source::is_word(self.before)) {
            self.quoted(end);
        } else if sign == '"' {
            let end = end_of_string(self.rest);
            self.quoted(end);
        } else if let Some(end) = end_of_character(self.rest) {
            self.quoted(end);
        } else {
            self.take(sign.len_utf8(), true, true);
        }
    }

    fn comment(&mut self, bytes: usize) {
        self.take(bytes, false, false);
    }

    /// Keeps the quotes themselves in both views, so that code still reads as code.
    fn quoted(&mut self, bytes: usize) {
        let inner = bytes.saturating_sub(2);
        self.take(1, true, true);
        self.take(inner, true, false);
        self.take((bytes - 1).min(1), true, true);
    }

    fn take(&mut self, bytes: usize, plain: bool, bare: bool) {
        let (taken, rest) = self.rest.split_at(bytes);
        for sign in taken.chars() {
            let blank = if sign == '\n' { '\n' } else { ' ' };
            self.plain.push(if plain { sign } else { blank });
            self.bare.push(if bare { sign } else { blank });
            self.before = sign;
        }
        self.rest = rest;
    }
}

fn end_of_block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn end_of_raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - body.len();
    Some(body.find(&close).map_or(text.len(), |at| start + at + close.len()))
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn end_of_character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    if first == '\\' {
        let after = inner.char_indices().nth(2)?.0;
        return inner[after..].find('\'').map(|at| 1 + after + at + 1);
    }
    inner[first.len_utf8()..].starts_with('\'').then_some(1 + first.len_utf8() + 1)
}
