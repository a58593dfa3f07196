//! The server's twin: there is no socket on a page that is being written.

use futures::channel::mpsc;

use super::Heard;

/// Carries nothing.
pub(super) fn carry(_outgoing: mpsc::Receiver<String>, _heard: impl Fn(Heard) + 'static) {}
