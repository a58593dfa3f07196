//! A channel of Redis by its literal name, where programs speak that know nothing of us. One instance at a time
//! holds it: publishing and the mark of how far we got happen in one script, and only for the holder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::backoff::Backoff;
use super::counters::add;
use super::offices::{LEASE, TAKE};
use super::reason::reason;
use super::settings::SettingsError;
use super::{RedisBus, Shared};
use ear::Ear;

mod ear;

/// Longest name of a channel, in bytes; it stands in keys and log lines.
const NAME_BYTES: usize = 128;

/// Publishes what is new, for the holder alone, and only from where the last one stopped. `KEYS`: lease, mark.
/// `ARGV`: holder, old mark, new mark, channel, messages. A mark that is gone is as good as moved: Redis was emptied, and
/// another may have held the channel since.
const PUBLISH: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 'moved' end
for at = 5, #ARGV do redis.call('PUBLISH', ARGV[4], ARGV[at]) end
redis.call('SET', KEYS[2], ARGV[3])
return 'done'";

/// Sets the mark, for the holder alone, and never back. `KEYS`: lease, mark. `ARGV`: holder, new mark.
const RESUME: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
local mark = redis.call('GET', KEYS[2])
if mark and tonumber(mark) > tonumber(ARGV[2]) then return 'moved' end
redis.call('SET', KEYS[2], ARGV[2])
return 'done'";

/// What became of a try to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Everything, and the mark stands behind it.
    Done,
    /// Nothing: another instance holds the channel, or nobody.
    Lost,
    /// Nothing: the mark is not where it was thought to be, or gone. Find out, and [`Channel::resume`].
    Moved,
}

impl Published {
    /// Whether it was done.
    ///
    /// # Errors
    /// Why it was not, in words.
    pub fn or_why(self) -> Result<(), &'static str> {
        match self {
            Self::Done => Ok(()),
            Self::Lost => Err("the channel is not held"),
            Self::Moved => Err("the mark moved"),
        }
    }
}

/// One foreign channel.
pub struct Channel {
    shared: Arc<Shared>,
    name: String,
    office: String,
    /// The key of the mark.
    mark: String,
    disconnected: AtomicU64,
}

impl RedisBus {
    /// A channel by its literal name. `scope` keeps its holder and its mark apart from those of others who share
    /// this Redis and its prefix: the store's epoch. `room` keeps the mark apart from that of another room that the
    /// channel was joined to before.
    ///
    /// # Errors
    /// A name that is none: 1 to 128 visible ASCII characters, not one of our own channels.
    pub fn channel(&self, name: &str, scope: &str, room: &str) -> Result<Channel, SettingsError> {
        let visible = !name.is_empty() && name.len() <= NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || self.shared.channels.is_ours(name) {
            return Err(SettingsError::Channel);
        }
        let office = format!("bridge:{name}:{scope}");
        let mark = self.shared.channels.mark(&format!("{office}:{room}"));
        let shared = Arc::clone(&self.shared);
        Ok(Channel { shared, name: name.to_owned(), office, mark, disconnected: AtomicU64::new(0) })
    }
}

impl Channel {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stands for holding it; see [`Bus::elect`](crate::bus::Bus::elect).
    #[must_use]
    pub fn elect(&self) -> watch::Receiver<bool> {
        self.shared.offices.stand(&self.office)
    }

    /// Whether this instance holds it at this very moment, by the clock: also right when the process was stopped
    /// a moment ago and nobody has been told yet.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.shared.offices.holds(&self.office)
    }

    /// Whether this instance holds it for Redis too, at the moment of the answer; a lease that is gone is taken again.
    ///
    /// Whoever was told `true` after something was published is the only one who has heard it: another holder begins
    /// to listen only when it has the lease. The belief of [`Channel::is_held`] is not enough: when Redis was emptied,
    /// another instance has the lease at once, and both would believe for some seconds.
    ///
    /// # Errors
    /// Why Redis cannot be asked, in words.
    pub async fn confirm(&self) -> Result<bool, String> {
        let channels = &self.shared.channels;
        let lease = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("EVAL");
        command.arg(TAKE).arg(1).arg(channels.office(&self.office)).arg(channels.instance()).arg(lease);
        self.shared.ask(&command).await
    }

    /// How often the listening connection was lost, for instance because Redis cut off a reader that was too slow.
    #[must_use]
    pub fn disconnected(&self) -> u64 {
        self.disconnected.load(Relaxed)
    }

    /// How far the channel has been told, as the last holder marked it; `None` when nobody did, or Redis forgot.
    ///
    /// # Errors
    /// Why Redis cannot be asked, in words.
    pub async fn mark(&self) -> Result<Option<i64>, String> {
        let mark: Option<String> = self.shared.ask(redis::cmd("GET").arg(&self.mark)).await?;
        mark.map(|mark| mark.parse().map_err(|_| "the mark in Redis is not a number".to_owned())).transpose()
    }

    /// Sets the mark where it is known to belong, unless it stands further on: from there it is published.
    ///
    /// # Errors
    /// Why Redis cannot be asked, in words.
    pub async fn resume(&self, at: i64) -> Result<Published, String> {
        let mut command = self.script(RESUME);
        command.arg(at);
        self.run(&command).await
    }

    /// Publishes messages in order and moves the mark, both or neither.
    ///
    /// # Errors
    /// Why Redis cannot be asked, in words; whether it was published is then unknown until the mark is read again.
    pub async fn publish(&self, from: i64, to: i64, messages: &[Bytes]) -> Result<Published, String> {
        let mut command = self.script(PUBLISH);
        command.arg(from).arg(to).arg(&self.name);
        for message in messages {
            command.arg(&message[..]);
        }
        self.run(&command).await
    }

    /// A script about lease and mark, and its first argument, the holder.
    fn script(&self, script: &str) -> redis::Cmd {
        let channels = &self.shared.channels;
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(2).arg(channels.office(&self.office)).arg(&self.mark).arg(channels.instance());
        command
    }

    async fn run(&self, command: &redis::Cmd) -> Result<Published, String> {
        let answer: String = self.shared.ask(command).await?;
        match answer.as_str() {
            "done" => Ok(Published::Done),
            "moved" => Ok(Published::Moved),
            _ => Ok(Published::Lost),
        }
    }

    /// Listens for ever, connecting again when need be, and hands over every payload in order. A reader that is
    /// slow must drop by itself: what waits between Redis and `take` is not bounded by us.
    pub async fn hear(&self, mut take: impl FnMut(&[u8])) {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let why = match Ear::open(&self.shared.client, &self.name).await {
                Ok(mut ear) => {
                    let why = ear.hear(&self.name, &mut take).await;
                    add(&self.disconnected, 1);
                    why
                }
                Err(why) => why,
            };
            tracing::warn!(channel = self.name, reason = why, "the channel is not heard; connecting again");
            let pause = backoff.next(began.elapsed(), &mut rand::rng());
            sleep(pause).await;
        }
    }
}

/// Waits at most this long for something of Redis.
async fn within<T>(limit: Duration, what: impl Future<Output = redis::RedisResult<T>>) -> Result<T, String> {
    match timeout(limit, what).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(reason(&error)),
        Err(_) => Err(format!("Redis does not answer within {} s", limit.as_secs())),
    }
}
