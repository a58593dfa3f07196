//! Takes Pub/Sub messages out of what Redis says, whole, and nothing else: RESP 2 and 3, in whatever pieces it comes.
//!
//! In RESP 2 a message looks like any list of three that begins with its name, so it must not stand before a client that
//! reads such lists. What cannot be read passes as it is, from there to the end.

/// How messages begin, by the ways of subscribing.
const NAMES: [&[u8]; 3] = [b"message", b"pmessage", b"smessage"];
/// The longest of them.
const NAME: u64 = 8;
/// Bytes of a line that are kept: a sign and a number fit, words need not be read.
const LINE: usize = 32;

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Verdict {
    /// It may be a message: it is held until its name is known, which takes less than 64 bytes.
    #[default]
    Open,
    Pass,
    Drop,
}

/// Where in a frame the next byte is.
#[derive(Debug)]
enum Place {
    /// In a line, of which this much was kept.
    Line(Vec<u8>),
    /// In a text, with so many bytes to come, its line end included.
    Text(u64),
    /// Nowhere that is known.
    Lost,
}

/// One stream of Redis.
#[derive(Debug)]
pub(super) struct Sieve {
    place: Place,
    verdict: Verdict,
    held: Vec<u8>,
    /// Values that the frame still needs.
    needs: u64,
    /// Lines of the frame that were read.
    lines: u64,
}

impl Default for Sieve {
    fn default() -> Self {
        Self { place: Place::Line(Vec::new()), verdict: Verdict::Open, held: Vec::new(), needs: 1, lines: 0 }
    }
}

impl Sieve {
    /// What is left of these bytes, with what was held before; `drops` is asked once for each message.
    pub(super) fn sift(&mut self, mut input: &[u8], mut drops: impl FnMut() -> bool) -> Vec<u8> {
        let mut kept = Vec::with_capacity(input.len() + self.held.len());
        while !input.is_empty() {
            let before = self.verdict;
            let (length, ends) = self.stretch(input);
            let (bytes, rest) = input.split_at(length);
            // What was open until here goes behind what is held already.
            match before {
                Verdict::Open => self.held.extend_from_slice(bytes),
                Verdict::Pass => kept.extend_from_slice(bytes),
                Verdict::Drop => {}
            }
            if ends {
                self.read(&mut drops);
            }
            if self.verdict != Verdict::Open {
                let held = std::mem::take(&mut self.held);
                kept.extend(held.into_iter().filter(|_| self.verdict == Verdict::Pass));
            }
            if self.needs == 0 {
                *self = Self::default();
            }
            input = rest;
        }
        kept
    }

    /// How many of the next bytes belong together, and whether a line or a text ends with them.
    fn stretch(&mut self, input: &[u8]) -> (usize, bool) {
        match &mut self.place {
            Place::Lost => (input.len(), false),
            Place::Text(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= length as u64;
                (length, *left == 0)
            }
            Place::Line(line) => {
                let end = input.iter().position(|byte| *byte == b'\n');
                let length = end.map_or(input.len(), |end| end + 1);
                line.extend(input[..length].iter().take(LINE - line.len()));
                // Only lists and names are worth waiting for.
                if self.verdict == Verdict::Open && (line.len() == LINE || !b"*>$".contains(&line[0])) {
                    self.verdict = Verdict::Pass;
                }
                (length, end.is_some())
            }
        }
    }

    /// A line or a text has ended.
    fn read(&mut self, drops: &mut impl FnMut() -> bool) {
        let place = std::mem::replace(&mut self.place, Place::Line(Vec::new()));
        match place {
            Place::Line(line) => {
                self.lines += 1;
                match header(&line) {
                    Some(header) => self.open(header),
                    None => self.lose(),
                }
            }
            Place::Text(_) => {
                self.needs -= 1;
                if self.verdict == Verdict::Open {
                    let is_message = NAMES.iter().any(|name| self.named(name));
                    self.verdict = if is_message && drops() { Verdict::Drop } else { Verdict::Pass };
                }
            }
            Place::Lost => self.place = Place::Lost,
        }
    }

    /// Whether the text at the end of what is held is exactly this name.
    fn named(&self, name: &[u8]) -> bool {
        let mut whole = format!("${}\r\n", name.len()).into_bytes();
        whole.extend_from_slice(name);
        self.held.trim_ascii_end().ends_with(&whole)
    }

    fn open(&mut self, header: Header) {
        // Only a list of three or more that begins with a short text can be a message.
        let may_be = match (self.lines, header) {
            (1, Header::List(length)) => length >= 3,
            (2, Header::Text(length)) => length <= NAME,
            _ => false,
        };
        if !may_be && self.verdict == Verdict::Open {
            self.verdict = Verdict::Pass;
        }
        match header {
            Header::Value => self.needs -= 1,
            Header::Text(length) => self.place = Place::Text(length.saturating_add(2)),
            Header::List(length) | Header::Other(length) => self.needs = (self.needs - 1).saturating_add(length),
            Header::Attribute(length) => self.needs = self.needs.saturating_add(length),
        }
    }

    fn lose(&mut self) {
        (self.place, self.verdict) = (Place::Lost, Verdict::Pass);
    }
}

/// What a line announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    /// It is a whole value.
    Value,
    /// A text of so many bytes follows.
    Text(u64),
    /// So many values follow, in a list or pushed.
    List(u64),
    /// So many values follow, in something else.
    Other(u64),
    /// So many values follow, and then the value they describe.
    Attribute(u64),
}

fn header(line: &[u8]) -> Option<Header> {
    let (&sign, rest) = line.split_first()?;
    let number = || std::str::from_utf8(rest.trim_ascii_end()).ok()?.parse::<i64>().ok();
    // -1 stands for "none", of whatever kind.
    let count = |make: fn(u64) -> Header| Some(u64::try_from(number()?).map_or(Header::Value, make));
    match sign {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => Some(Header::Value),
        b'$' | b'=' | b'!' => count(Header::Text),
        b'*' | b'>' => count(Header::List),
        b'~' => count(Header::Other),
        b'%' => count(|pairs| Header::Other(pairs.saturating_mul(2))),
        b'|' => count(|pairs| Header::Attribute(pairs.saturating_mul(2))),
        _ => None,
    }
}
