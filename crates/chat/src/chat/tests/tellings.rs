//! What a room owes to a channel outside, while Redis forgets: two instances on one database, and a real Redis.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use redis::aio::PubSub;
use tertulia_protocol::{Key, Seq};
use tokio::time::{sleep, timeout};

use super::gated::Gated;
use super::support::{GRACE, LOBBY, PATIENCE};
use crate::bridge::{Bridges, Pair};
use crate::bus::conformance::{RealRedis, until_held};
use crate::bus::redis::{RedisBus, RedisSettings};
use crate::bus::{Bus, Connected};
use crate::clock::SystemClock;
use crate::store::Store;
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::{Chat, Member, Options};

const CHANNEL: &str = "alerts";

/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(10);

/// An instance that joins the lobby to the channel.
struct House {
    chat: Arc<Chat>,
    bus: Arc<RedisBus>,
    bridges: Bridges,
    ana: Member,
}

impl House {
    async fn open(store: Arc<dyn Store>, redis: &RealRedis, name: &str) -> Self {
        let (bus, heard) = RedisBus::open(&RedisSettings::new(redis.url(), name)).unwrap();
        let options = Options {
            instance: name.to_owned(),
            node: name.to_owned(),
            presence_grace: GRACE,
            session_ms: 3_600_000,
            rate_limits: false,
            market: None,
        };
        let chat = Chat::start(store, Connected { bus: bus.clone(), heard }, Arc::new(SystemClock), options);
        let pair = Pair { room: "chat".to_owned(), channel: CHANNEL.to_owned() };
        let bridges = Bridges::start(&chat, &bus, &[pair]).unwrap();
        let person = chat.author("Ana").await.unwrap();
        let ana = chat.member(&person, LOBBY).await.unwrap();
        Self { chat, bus, bridges, ana }
    }

    fn office(&self) -> String {
        format!("bridge:{CHANNEL}:{}", self.chat.epoch())
    }

    async fn until_held(&self, wanted: bool) {
        until_held(&mut self.bus.elect(&self.office()), wanted).await;
    }

    async fn say(&self, words: &str) -> Seq {
        self.chat.send(&self.ana, Key::mint(), words, None).await.unwrap().entry.seq
    }

    async fn stop(self) {
        self.bridges.stop().await;
        self.chat.stop().await;
    }
}

/// Whoever listens to the channel.
struct Terminal(PubSub);

impl Terminal {
    async fn open(redis: &RealRedis) -> Self {
        let mut ears = redis::Client::open(redis.url()).unwrap().get_async_pubsub().await.unwrap();
        ears.subscribe(CHANNEL).await.unwrap();
        Self(ears)
    }

    /// The text of the next message.
    async fn next(&mut self) -> String {
        loop {
            let message = timeout(PATIENCE, self.0.on_message().next()).await.expect("something is said");
            let said: serde_json::Value =
                serde_json::from_slice(message.expect("Redis goes on").get_payload_bytes()).unwrap();
            // Who comes and goes has none.
            if let Some(text) = said["text"].as_str() {
                return text.to_owned();
            }
        }
    }
}

fn shared(path: &Path) -> Arc<SqliteStore> {
    let options = SqliteOptions { shared: true, ..SqliteOptions::default() };
    Arc::new(SqliteStore::open(path, options).unwrap())
}

/// Empties Redis, and lets this instance have the office before anybody else sees that it is vacant.
async fn forget_everything_for(redis: &RealRedis, house: &House, name: &str) {
    const SCRIPT: &[u8] = b"redis.call('FLUSHALL') redis.call('SET', KEYS[1], ARGV[1], 'PX', 6000) return 1";
    let lease = format!("tertulia:office:{}", house.office());
    let done = redis.ask(&[b"EVAL", SCRIPT, b"1", lease.as_bytes(), name.as_bytes()]).await;
    assert_eq!(done, Ok(redis::Value::Int(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_over_an_emptied_redis_waits_for_the_last_word_of_who_lost_it() {
    let (redis, dir) = (RealRedis::start().await, tempfile::tempdir().unwrap());
    let path = dir.path().join("chat.db");
    let slow = Gated::closed(&path);
    slow.let_through(100);
    let a = House::open(slow.clone(), &redis, "a").await;
    a.until_held(true).await;
    let store = shared(&path);
    let b = House::open(store.clone(), &redis, "b").await;
    let mut terminal = Terminal::open(&redis).await;
    a.say("first").await;
    assert_eq!(terminal.next().await, "first");

    let held = slow.hold_notes().await;
    let seq = a.say("published, and not noted yet").await;
    assert_eq!(terminal.next().await, "published, and not noted yet");
    forget_everything_for(&redis, &b, "b").await;
    b.until_held(true).await;
    let noted = store.begin_telling(LOBBY, CHANNEL, Seq(0)).await.unwrap().told;
    assert!(noted < Some(seq), "premise: SQL does not know of it");
    drop(held);
    b.say("last").await;
    assert_eq!(terminal.next().await, "last", "nothing twice, nothing left out");
    a.until_held(false).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_noted_is_what_counts_when_redis_comes_back_with_an_old_mark() {
    let (redis, dir) = (RealRedis::start().await, tempfile::tempdir().unwrap());
    let store = shared(&dir.path().join("chat.db"));
    let a = House::open(store.clone(), &redis, "a").await;
    a.until_held(true).await;
    let mut terminal = Terminal::open(&redis).await;
    let first = a.say("first").await;
    let second = a.say("second").await;
    assert_eq!([terminal.next().await, terminal.next().await], ["first", "second"]);
    let told = async || store.begin_telling(LOBBY, CHANNEL, Seq(0)).await.unwrap().told;
    until("it is noted", async || told().await == Some(second)).await;
    // As from a copy on disk that is older than the last message.
    let key = format!("tertulia:{}:chat", a.office());
    let old = redis.ask(&[b"SET", key.as_bytes(), first.to_string().as_bytes()]).await;
    assert!(old.is_ok(), "{old:?}");
    a.say("third").await;
    assert_eq!(terminal.next().await, "third");
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_joined_while_redis_is_away_owes_what_is_said_from_then_on_also_after_a_new_start() {
    let (mut redis, dir) = (RealRedis::reserve(&[]).await, tempfile::tempdir().unwrap());
    let path = dir.path().join("chat.db");
    let store = shared(&path);
    let lobby = store.snapshot(LOBBY, 1).await.unwrap();
    let a = House::open(store, &redis, "a").await;
    // With eyes of its own: asking the store would join them.
    let db = rusqlite::Connection::open(&path).unwrap();
    let begun = || db.query_row("SELECT begun FROM tellings", [], |row| row.get::<_, i64>(0)).ok();
    until("they are joined", async || begun().is_some()).await;
    assert_eq!(begun(), Some(lobby.seq.0), "at the present");
    a.say("owed").await;
    a.stop().await;
    redis.restart().await;
    let mut terminal = Terminal::open(&redis).await;
    let a = House::open(shared(&path), &redis, "a").await;
    assert_eq!(terminal.next().await, "owed");
    a.say("and more").await;
    assert_eq!(terminal.next().await, "and more");
    a.stop().await;
}

/// Waits for a condition.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let held = async {
        while !holds().await {
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, held).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}
