//! Whether bytes that are still coming can become text: known at each byte, where tungstenite looks at whole frames.

#[cfg(test)]
mod tests;

/// A text of which the end is still to come.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// Bytes that the character under way still needs, at most three.
    missing: u8,
    /// The least and the greatest that the next of them may be. After a few leading bytes that is less than what
    /// continues a character in general: RFC 3629 has no long forms, no surrogates and nothing above U+10FFFF.
    next: (u8, u8),
}

/// What continues a character in general.
const CONTINUES: (u8, u8) = (0x80, 0xbf);

impl Text {
    /// Nothing yet.
    pub(super) const fn new() -> Self {
        Self { missing: 0, next: CONTINUES }
    }

    /// Takes the next byte. `false`: whatever follows, this is no text.
    pub(super) const fn take(&mut self, byte: u8) -> bool {
        let (missing, next) = if self.missing > 0 {
            if byte < self.next.0 || byte > self.next.1 {
                return false;
            }
            (self.missing - 1, CONTINUES)
        } else {
            match byte {
                0x00..=0x7f => (0, CONTINUES),
                0xc2..=0xdf => (1, CONTINUES),
                0xe0 => (2, (0xa0, 0xbf)),
                0xed => (2, (0x80, 0x9f)),
                0xe1..=0xef => (2, CONTINUES),
                0xf0 => (3, (0x90, 0xbf)),
                0xf1..=0xf3 => (3, CONTINUES),
                0xf4 => (3, (0x80, 0x8f)),
                _ => return false,
            }
        };
        *self = Self { missing, next };
        true
    }
}
