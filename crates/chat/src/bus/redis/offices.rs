//! Elections: a lease in Redis for each office, taken and renewed by one script. Whoever holds it counts from
//! before the request left, so an instance stops believing in its lease before Redis gives it to another.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::channels::Channels;
use super::reason::reason;

/// How long a lease outlives its last renewal in Redis. With one more round it is the time of a takeover after
/// a crash: 6 s + 2 s, below the 10 s that are promised.
pub(super) const LEASE: Duration = Duration::from_secs(6);

/// How long the holder believes in it: shorter than [`LEASE`] by what may pass between the moment the belief
/// ends and the moment whoever acts on it has heard.
const TRUST: Duration = Duration::from_secs(5);

/// Between two rounds: two may fail before the trust ends.
const EVERY: Duration = Duration::from_secs(2);

/// A takeover after a crash takes less than 10 s.
const _: () = assert!(LEASE.as_millis() + EVERY.as_millis() < 10_000);

/// For giving offices up on the way out; who is slower is waited out by the lease.
const FAREWELL: Duration = Duration::from_secs(1);

/// Takes a free lease or renews one's own: 1 when it is ours for `ARGV[2]` ms from now, 0 when it is another's.
pub(super) const TAKE: &str = "\
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";

/// Gives one's own lease back, and tells the others that there is something to take.
const GIVE_UP: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1";

/// The offices this instance stands for. Bounded by the code and the settings, which name them.
#[derive(Default)]
pub(super) struct Offices {
    state: Mutex<BTreeMap<String, Office>>,
    changed: Notify,
}

struct Office {
    held: watch::Sender<bool>,
    /// While held: when the belief ends unless a renewal is confirmed.
    until: Option<Instant>,
}

impl Offices {
    /// Stands for an office from now on; idempotent.
    pub(super) fn stand(&self, office: &str) -> watch::Receiver<bool> {
        let mut state = self.lock();
        let fresh = || Office { held: watch::Sender::new(false), until: None };
        let held = state.entry(office.to_owned()).or_insert_with(fresh).held.subscribe();
        drop(state);
        self.changed.notify_one();
        held
    }

    /// Whether this instance holds an office at this moment, by the clock.
    pub(super) fn holds(&self, office: &str) -> bool {
        let until = self.lock().get(office).and_then(|office| office.until);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Somebody gave an office up: worth a round at once.
    pub(super) fn nudge(&self) {
        self.changed.notify_one();
    }

    /// The link is down: nothing is known to be held.
    pub(super) fn forget(&self) {
        for office in self.lock().values_mut() {
            office.lose();
        }
    }

    /// Stands, renews and stops believing, for as long as the connection is good. Returns when the bus closes,
    /// after everything was given up. What fails here does not end the session: its heartbeat does that.
    pub(super) async fn run(
        &self,
        mut connection: MultiplexedConnection,
        channels: &Channels,
        closing: &CancellationToken,
    ) {
        let mut farewell = connection.clone();
        tokio::select! {
            // Safe to cancel: nothing is waited for but the wish to end.
            () = closing.cancelled() => {}
            // Safe to cancel: a round whose answer nobody hears is believed by nobody, and its lease runs out.
            () = self.rounds(&mut connection, channels) => {}
            // Safe to cancel: a pause holds nothing.
            () = self.stop_believing() => {}
        }
        let held: Vec<String> = self.names(|office| office.until.is_some());
        // First nobody here acts any more, then another may.
        self.forget();
        let given_up = timeout(FAREWELL, give_up(&mut farewell, channels, &held)).await;
        if !matches!(given_up, Ok(Ok(()))) {
            tracing::warn!("offices were not given up in order; others take them when their leases run out");
        }
    }

    async fn rounds(&self, connection: &mut MultiplexedConnection, channels: &Channels) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = false;
        loop {
            tokio::select! {
                // Safe to cancel: a tick that nobody took comes again.
                _ = ticks.tick() => {}
                // Safe to cancel: a change that nobody took is remembered.
                () = self.changed.notified() => {}
            }
            if let Err(error) = self.round(connection, channels).await
                && !std::mem::replace(&mut told, true)
            {
                tracing::warn!(reason = reason(&error), "this instance cannot be elected to anything now");
            }
        }
    }

    async fn round(&self, connection: &mut MultiplexedConnection, channels: &Channels) -> RedisResult<()> {
        let names = self.names(|_| true);
        if names.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for name in &names {
            let lease = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
            pipe.cmd("EVAL").arg(TAKE).arg(1).arg(channels.office(name)).arg(channels.instance()).arg(lease);
        }
        // Before it leaves: Redis counts from later on, so our belief ends first.
        let until = Instant::now() + TRUST;
        let answers: Vec<bool> = pipe.query_async(connection).await?;
        let mut state = self.lock();
        for (name, ours) in names.iter().zip(answers) {
            match state.get_mut(name) {
                Some(office) if ours && until > Instant::now() => office.hold(until),
                Some(office) if !ours => office.lose(),
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// Ends each belief when its time is over, also while a round waits for its answer. Never returns.
    async fn stop_believing(&self) {
        loop {
            let now = Instant::now();
            let mut next = now + EVERY.min(TRUST / 4);
            for office in self.lock().values_mut() {
                match office.until {
                    Some(until) if until <= now => office.lose(),
                    Some(until) => next = next.min(until),
                    None => {}
                }
            }
            sleep_until(next).await;
        }
    }

    fn names(&self, wanted: impl Fn(&Office) -> bool) -> Vec<String> {
        self.lock().iter().filter(|(_, office)| wanted(office)).map(|(name, _)| name.clone()).collect()
    }

    /// Nothing under this lock can leave it half changed, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Office>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Office {
    fn hold(&mut self, until: Instant) {
        self.until = Some(until);
        self.held.send_if_modified(|held| !std::mem::replace(held, true));
    }

    fn lose(&mut self) {
        self.until = None;
        self.held.send_if_modified(|held| std::mem::replace(held, false));
    }
}

async fn give_up(connection: &mut MultiplexedConnection, channels: &Channels, names: &[String]) -> RedisResult<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut pipe = redis::pipe();
    for name in names {
        let key = channels.office(name);
        pipe.cmd("EVAL").arg(GIVE_UP).arg(1).arg(key).arg(channels.instance()).arg(channels.vacant()).ignore();
    }
    pipe.exec_async(connection).await
}
