//! What all streams of server-sent events have in common.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, HeaderName};
use rand::Rng as _;
use tertulia_protocol::limits::REVALIDATE_MS;
use tokio::time::{Instant, sleep_until};

/// Silence after which something is said, if only a comment: half of the 30 s after which the strictest proxies hang up.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The header in which a browser's `EventSource` says how far it got.
pub(super) const LAST_EVENT_ID: &str = "last-event-id";
/// Nobody keeps a stream, and proxies pass each event on at once (nginx reads the second).
pub(super) const HEADERS: [(HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];

/// When a stream looks again whether its session lives: at least every [`REVALIDATE_MS`], whatever comes meanwhile.
pub(super) struct Rounds {
    due: Instant,
}

impl Rounds {
    /// The first look comes at a random time, so that those who came back together do not ask SQL together.
    pub(super) fn begin() -> Self {
        let phase = rand::rng().random_range(REVALIDATE_MS / 2..REVALIDATE_MS);
        Self { due: Instant::now() + Duration::from_millis(phase) }
    }

    /// Returns when it is time for the next look. Safe to cancel: what is due stays due.
    pub(super) async fn next(&mut self) {
        sleep_until(self.due).await;
        self.due = Instant::now() + Duration::from_millis(REVALIDATE_MS);
    }
}
