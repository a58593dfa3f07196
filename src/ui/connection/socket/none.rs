//! The server's twin: there is no socket on a page that is being written.

use super::Heard;

/// A connection that never is.
pub(in crate::ui::connection) struct Socket;

impl Socket {
    /// Opens nothing.
    #[must_use]
    pub(in crate::ui::connection) fn open(_heard: impl Fn(Heard) + 'static) -> Self {
        Self
    }

    /// Sends nothing; false.
    pub(in crate::ui::connection) fn send(&mut self, _text: String) -> bool {
        false
    }
}
