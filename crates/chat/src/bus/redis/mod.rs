//! The bus over Redis Pub/Sub. One task owns everything: it opens a session, serves it until it ends, says why
//! the link is down, waits with jitter and opens the next. Callers only touch a queue and a registry.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use redis::aio::MultiplexedConnection;
use tertulia_protocol::RoomId;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::backoff::Backoff;
use self::channels::Channels;
pub use self::counters::Snapshot;
use self::counters::{Counters, add};
use self::offices::Offices;
use self::publisher::Publish;
use self::reason::reason;
use self::registry::Registry;
pub use self::settings::{RedisSettings, SettingsError};
use super::outlet::Outlet;
use super::{Bus, Connected, HEARD_QUEUE, Heard, Link, Medium, PAYLOAD_BYTES, Topic};

mod backoff;
pub mod bridge;
mod channels;
mod counters;
mod offices;
mod publisher;
mod pulse;
mod reach;
mod reason;
mod registry;
mod session;
mod settings;
#[cfg(test)]
mod tests;

/// News that wait to be published: at 8,192 Redis is a second or more behind, and SQL is the better way.
const PUBLISH_QUEUE: usize = 8 * 1024;

/// Bytes that wait to be published, 32 MiB: 128 of the largest payloads, or the full queue at 4 KiB each.
const PUBLISH_BYTES: usize = 32 * 1024 * 1024;

/// One instance's half of the bus over Redis that speaks. Dropping the last reference ends its task.
pub struct RedisBus {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Publish>,
    bytes: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Cancels the task when the bus is dropped.
    _ends: DropGuard,
}

/// What callers and the task have in common.
struct Shared {
    client: redis::Client,
    channels: Channels,
    registry: Registry,
    counters: Counters,
    offices: Offices,
    /// The connection for commands while the link is up.
    commands: watch::Sender<Option<MultiplexedConnection>>,
    link: watch::Sender<Link>,
    up_since: Mutex<Option<Instant>>,
    closing: CancellationToken,
}

impl RedisBus {
    /// Starts connecting and returns at once, also when Redis is unreachable or the password is wrong: then the
    /// link is down with the reason, and it keeps trying. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL or a name can never work, whatever Redis does.
    pub fn connect(settings: &RedisSettings) -> Result<Connected, SettingsError> {
        let (bus, heard) = Self::open(settings)?;
        Ok(Connected { bus, heard })
    }

    /// The same as [`connect`](Self::connect), keeping the concrete type with its counters.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn open(settings: &RedisSettings) -> Result<(Arc<Self>, mpsc::Receiver<Heard>), SettingsError> {
        let shared = Arc::new(Shared {
            client: settings.client()?,
            channels: Channels::new(&settings.prefix, &settings.instance),
            registry: Registry::default(),
            counters: Counters::default(),
            offices: Offices::default(),
            commands: watch::Sender::new(None),
            link: watch::Sender::new(Link::Down("not connected yet".to_owned())),
            up_since: Mutex::default(),
            closing: CancellationToken::new(),
        });
        let (queue, queued) = mpsc::channel(PUBLISH_QUEUE);
        let (outlet, heard) = Outlet::new(HEARD_QUEUE);
        let tasks = TaskTracker::new();
        tasks.spawn(supervise(Arc::clone(&shared), queued, outlet));
        tasks.close();
        let ends = shared.closing.clone().drop_guard();
        let bytes = Arc::new(Semaphore::new(PUBLISH_BYTES));
        Ok((Arc::new(Self { shared, queue, bytes, tasks, _ends: ends }), heard))
    }

    /// Totals so far.
    #[must_use]
    pub fn counters(&self) -> Snapshot {
        self.shared.counters.snapshot()
    }

    fn enqueue(&self, topic: Topic, payload: Bytes) -> bool {
        if !self.shared.link.borrow().is_up() {
            return false;
        }
        // At least one, so that the share tells news from heartbeats.
        let bytes = u32::try_from(payload.len().max(1)).unwrap_or(u32::MAX);
        let Ok(share) = Arc::clone(&self.bytes).try_acquire_many_owned(bytes) else { return false };
        let channel = self.shared.channels.topic(topic);
        self.queue.try_send(Publish { channel, payload, share: Some(share) }).is_ok()
    }
}

impl Bus for RedisBus {
    fn publish(&self, topic: Topic, payload: Bytes) -> bool {
        if payload.len() > PAYLOAD_BYTES {
            add(&self.shared.counters.oversized, 1);
            return false;
        }
        let queued = self.enqueue(topic, payload);
        if !queued {
            add(&self.shared.counters.dropped, 1);
        }
        queued
    }

    fn subscribe(&self, room: RoomId) -> watch::Receiver<bool> {
        self.shared.registry.subscribe(room)
    }

    fn unsubscribe(&self, room: RoomId) {
        self.shared.registry.unsubscribe(room);
    }

    fn reach(&self, room: RoomId) -> BoxFuture<'_, usize> {
        self.shared.reach(room).boxed()
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    fn elect(&self, office: &str) -> watch::Receiver<bool> {
        self.shared.offices.stand(office)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.shared.closing.cancel();
        self.tasks.wait().boxed()
    }

    fn medium(&self) -> Medium {
        let up = self.shared.link.borrow().is_up();
        Medium::Redis { echo: if up { self.shared.counters.last_echo() } else { None } }
    }
}

impl Shared {
    /// Asks Redis something on the connection for commands.
    ///
    /// # Errors
    /// Why it cannot be asked, in words.
    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, String> {
        let connection = self.commands.borrow().clone();
        let Some(mut connection) = connection else { return Err("Redis is away".to_owned()) };
        let value: redis::Value = command.query_async(&mut connection).await.map_err(|error| reason(&error))?;
        redis::from_redis_value(value).map_err(|_| "Redis answered something unexpected".to_owned())
    }

    fn came_up(&self) {
        add(&self.counters.came_up, 1);
        *self.up_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.link.send_replace(Link::Up);
        tracing::info!("news from other instances arrive: Redis is connected and echoes");
    }

    /// Says why, once per reason, and returns how long the link had been up.
    fn went_down(&self, reason: &str) -> Duration {
        self.registry.reset();
        self.offices.forget();
        self.commands.send_replace(None);
        let down = Link::Down(reason.to_owned());
        if self.link.send_if_modified(|link| std::mem::replace(link, down.clone()) != down) {
            tracing::warn!(
                reason,
                "no link to Redis: news from other instances do not arrive, and are read from SQL meanwhile"
            );
        }
        let up_since = self.up_since.lock().unwrap_or_else(PoisonError::into_inner).take();
        up_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// News that outlived their connection: their readers get them from SQL, sooner and in order.
    fn discard(&self, queued: &mut mpsc::Receiver<Publish>) {
        while queued.try_recv().is_ok() {
            add(&self.counters.dropped, 1);
        }
    }
}

async fn supervise(shared: Arc<Shared>, mut queued: mpsc::Receiver<Publish>, mut outlet: Outlet) {
    let mut backoff = Backoff::default();
    loop {
        // It ends by itself when the bus closes, because it has offices to give up.
        let reason = session::run(&shared, &mut queued, &mut outlet).await;
        if shared.closing.is_cancelled() {
            break;
        }
        let was_up = shared.went_down(&reason);
        shared.discard(&mut queued);
        let pause = backoff.next(was_up, &mut rand::rng());
        tokio::select! {
            // Safe to cancel: nothing is waited for but the wish to end.
            () = shared.closing.cancelled() => break,
            // Safe to cancel: a pause holds nothing.
            () = sleep(pause) => {}
        }
        // A caller that saw the link up a moment too long may have queued meanwhile.
        shared.discard(&mut queued);
    }
    let _up_for = shared.went_down(session::CLOSED);
    shared.discard(&mut queued);
}
