//! What all streams of server-sent events have in common.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, HeaderName};

/// Silence after which something is said, if only a comment: half of the 30 s after which the strictest proxies hang up.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The header in which a browser's `EventSource` says how far it got.
pub(super) const LAST_EVENT_ID: &str = "last-event-id";
/// Nobody keeps a stream, and proxies pass each event on at once (nginx reads the second).
pub(super) const HEADERS: [(HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
