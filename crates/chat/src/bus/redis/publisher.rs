//! The speaking half of a connection: takes what was queued, in order, and sends it in batches. Nothing is
//! retried: what was lost is in SQL, and a late copy would only be dropped by its number.

use redis::aio::MultiplexedConnection;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::counters::{Counters, add};
use super::reason::reason;

/// Commands in one pipeline: enough that a round trip of 1 ms carries 256,000 news a second.
const BATCH: usize = 256;

/// Bytes after which a pipeline is closed, so that a heartbeat waits behind at most 1 MiB and one payload.
const BATCH_BYTES: usize = 1024 * 1024;

/// Something to publish.
pub(super) struct Publish {
    pub(super) channel: String,
    pub(super) payload: bytes::Bytes,
    /// The share of the queue's bytes, given back when this is dropped; heartbeats need none.
    pub(super) share: Option<OwnedSemaphorePermit>,
}

/// A batch on its way. Dropped unconfirmed (error, timeout, session ended) it counts as lost.
struct Batch<'a> {
    items: Vec<Publish>,
    counters: &'a Counters,
    confirmed: bool,
}

impl Batch<'_> {
    fn news(&self) -> usize {
        self.items.iter().filter(|item| item.share.is_some()).count()
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let total = if self.confirmed { &self.counters.published } else { &self.counters.dropped };
        add(total, self.news());
    }
}

/// Publishes until something fails, and says what. Heartbeats have their own short queue, so that a flood of
/// news cannot crowd them out, and travel the same way otherwise.
pub(super) async fn publish(
    mut connection: MultiplexedConnection,
    mut beats: mpsc::Receiver<Publish>,
    queue: &mut mpsc::Receiver<Publish>,
    counters: &Counters,
) -> String {
    loop {
        let first = tokio::select! {
            biased;
            // Safe to cancel: `recv` takes nothing unless it returns it.
            Some(beat) = beats.recv() => beat,
            // Safe to cancel: `recv` takes nothing unless it returns it.
            Some(news) = queue.recv() => news,
            else => return "the bus was closed".to_owned(),
        };
        if first.share.is_none()
            && let Err(reason) = check_primary(&mut connection, &first.channel).await
        {
            return reason;
        }
        let mut batch = collect(first, queue, counters);
        let mut pipe = redis::pipe();
        for item in &batch.items {
            pipe.cmd("PUBLISH").arg(&item.channel).arg(&item.payload[..]).ignore();
        }
        match pipe.exec_async(&mut connection).await {
            Ok(()) => batch.confirmed = true,
            Err(error) => return reason(&error),
        }
    }
}

/// A replica takes a PUBLISH and echoes it to its own subscribers, so after a failover the heartbeat alone would
/// call a bus healthy that nobody else hears (TR-35). Only a write tells: this one deletes a key that never is.
async fn check_primary(connection: &mut MultiplexedConnection, key: &str) -> Result<(), String> {
    let Err(error) = redis::cmd("DEL").arg(key).exec_async(connection).await else { return Ok(()) };
    match error.code() {
        // A write may be refused where news still flow: a full memory or disk, a user who may only publish.
        Some(code) if !["READONLY", "MASTERDOWN", "LOADING"].contains(&code) => Ok(()),
        Some(_) | None => Err(reason(&error)),
    }
}

fn collect<'a>(first: Publish, queue: &mut mpsc::Receiver<Publish>, counters: &'a Counters) -> Batch<'a> {
    let mut bytes = first.payload.len();
    let mut items = vec![first];
    while items.len() < BATCH && bytes < BATCH_BYTES {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.payload.len();
        items.push(next);
    }
    Batch { items, counters, confirmed: false }
}
