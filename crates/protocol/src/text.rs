//! Bodies of messages: what is kept, what is stripped, what is refused.

use crate::limits::{BODY_BYTES, BODY_CHARS};
use crate::refusal::{Code, Refusal};

/// Longest text that is looked at, in bytes: above it no cleaning could make it fit (each line end loses one of
/// two bytes), except of text that is mostly control characters.
const RAW_BYTES: usize = BODY_BYTES * 2;

/// The text of a message, checked. Both sides parse with the same rules; the server's word counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Checks and cleans a text.
    ///
    /// Line ends become `\n`, other control characters are stripped (they would move a
    /// terminal's cursor or hide text), blank lines at both ends and spaces at the end go.
    /// What is left is measured: a plain form says `\r\n` where a socket says `\n`, and both may say the same.
    ///
    /// # Errors
    /// `bad_char` for U+0000, `empty` when nothing visible is left, `too_long` above 10,000
    /// scalar values or 40,000 bytes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > RAW_BYTES {
            return Err(too_long());
        }
        if text.contains('\0') {
            return Err(Refusal::new(Code::BadChar, "The message holds U+0000, which cannot be stored.").field("body"));
        }
        let clean = clean(text);
        if clean.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
            return Err(Refusal::new(Code::Empty, "The message is empty.").field("body"));
        }
        if clean.len() > BODY_BYTES || clean.chars().count() > BODY_CHARS {
            return Err(too_long());
        }
        Ok(Self(clean))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

fn too_long() -> Refusal {
    let message = "The message is too long: at most 10,000 characters and 40,000 bytes.";
    Refusal::new(Code::TooLong, message).field("body").limit(BODY_CHARS as u64)
}

/// Strips what must not be stored.
fn clean(text: &str) -> String {
    // Dropping every carriage return is also what turns the line ends of forms into plain ones.
    let kept: String = text.chars().filter(|&c| c == '\n' || c == '\t' || !c.is_control()).collect();
    // Leading blank lines go, but the indentation of the first line with text stays: it may be code.
    let start =
        kept.find(|c: char| !c.is_whitespace()).map_or(0, |first| kept[..first].rfind('\n').map_or(0, |at| at + 1));
    kept[start..].trim_end().to_owned()
}

/// Characters that take no room on the page, so that a text of nothing else is empty.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}
