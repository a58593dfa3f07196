//! Why something could not be measured, in words for whoever started the run.

use std::fmt::Display;

/// What went wrong; the run ends with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// A result whose error is a sentence.
pub type Outcome<T> = Result<T, Trouble>;

/// Puts what was being done in front of what went wrong.
pub trait Because<T> {
    /// Turns any error into a [`Trouble`] that begins with `what`.
    ///
    /// # Errors
    /// The same failure, in words.
    fn because(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Display> Because<T> for Result<T, E> {
    fn because(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| Trouble(format!("{what}: {error}")))
    }
}

/// A trouble in these words.
///
/// # Errors
/// Always: that is what it is for.
pub fn trouble<T>(words: impl Into<String>) -> Outcome<T> {
    Err(Trouble(words.into()))
}
