//! The server's twin: nothing is streamed to a page that is being written.

use super::Heard;

/// A stream that never is.
pub struct Stream;

impl Stream {
    /// Opens nothing.
    #[must_use]
    pub fn open(_path: &str, _events: &[&str], _heard: impl Fn(Heard) + 'static) -> Option<Self> {
        None
    }
}
