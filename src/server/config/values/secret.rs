//! A text that must not be seen: it prints as `***`, whatever prints it.

use std::fmt;

use super::super::redact::MASK;

/// A secret. `Debug` and `Display` hide it, so that no log and no error can show it by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides the text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}
