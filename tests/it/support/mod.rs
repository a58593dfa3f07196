//! What the tests stand on: servers, guests, sockets, and patience.

pub(crate) mod binary;
pub(crate) mod guest;
pub(crate) mod html;
pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod raw;
pub(crate) mod redis_cli;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod wire;

use std::time::Duration;

use tertulia_protocol::RoomId;
use tokio::time::{Instant, sleep};

/// How long anything may take before a test says that it never comes. Generous: a busy machine is no fault.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The lobby of a fresh database.
pub(crate) const LOBBY: RoomId = RoomId(1);

/// Between two looks at something that cannot be waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until there is something to see.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "never within {PATIENCE:?}: {what}");
        sleep(LOOK).await;
    }
}
