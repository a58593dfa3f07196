//! Instances and clients for the tests beside.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::{Change, Entry, Epoch, Key, RoomId, ServerFrame, codec};
use tokio::time::timeout;

use crate::bus::Connected;
use crate::bus::embedded::{EmbeddedBus, EmbeddedHub};
use crate::clock::SystemClock;
use crate::queue::{Ended, Queue};
use crate::store::Store;
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::{Chat, Connection, MarketOptions, Options, Token};

/// How long anything may take before a test says that it never comes. Generous: a busy machine is no fault.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long an absence stays unsaid, and nobody is said to have come after a start.
pub(super) const GRACE: Duration = Duration::from_millis(300);

/// The lobby of a fresh store.
pub(super) const LOBBY: RoomId = RoomId(1);

/// Several instances on one database file and one bus.
pub(super) struct Cluster {
    pub(super) instances: Vec<Instance>,
    /// Their bus, for those who want to listen to it.
    pub(super) hub: EmbeddedHub,
    dir: tempfile::TempDir,
}

/// One of them.
pub(super) struct Instance {
    pub(super) chat: Arc<Chat>,
    pub(super) bus: Arc<EmbeddedBus>,
}

impl Cluster {
    pub(super) fn of(count: usize) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let hub = EmbeddedHub::new();
        let instances =
            (0..count).map(|index| Instance::start(&dir.path().join("chat.db"), &hub, index, false, GRACE)).collect();
        Self { instances, hub, dir }
    }

    /// One more, that starts now.
    pub(super) fn another(&self) -> Instance {
        Instance::start(&self.dir.path().join("chat.db"), &self.hub, self.instances.len(), false, GRACE)
    }

    pub(super) fn limited() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let hub = EmbeddedHub::new();
        let instance = Instance::start(&dir.path().join("chat.db"), &hub, 0, true, GRACE);
        Self { instances: vec![instance], hub, dir }
    }
}

impl Instance {
    fn start(path: &std::path::Path, hub: &EmbeddedHub, index: usize, rate_limits: bool, grace: Duration) -> Self {
        let options = SqliteOptions { shared: true, ..SqliteOptions::default() };
        let store = Arc::new(SqliteStore::open(path, options).expect("the store opens"));
        Self::on(store, hub, index, rate_limits, grace)
    }

    pub(super) fn on(
        store: Arc<dyn Store>,
        hub: &EmbeddedHub,
        index: usize,
        rate_limits: bool,
        grace: Duration,
    ) -> Self {
        let (bus, heard) = hub.open();
        let options = Options {
            instance: format!("i{index}"),
            node: format!("node-{index}"),
            presence_grace: grace,
            session_ms: 3_600_000,
            rate_limits,
            market: Some(MarketOptions { seed: 7, more: Vec::new() }),
        };
        let chat = Chat::start(store, Connected { bus: bus.clone(), heard }, Arc::new(SystemClock), options);
        Self { chat, bus }
    }

    /// Somebody comes in here and has said nothing yet.
    pub(super) async fn stranger(&self, name: &str) -> Client {
        let (person, token) = self.chat.enter(name).await.expect("the name is fine");
        let hash = Token::hash_of(token.reveal()).expect("a token has a hash");
        let connection = Connection::open(self.chat.clone(), person, hash);
        Client { queue: connection.queue(), connection, frames: VecDeque::new(), token }
    }

    /// Somebody comes in here and says hello.
    pub(super) async fn guest(&self, name: &str) -> Client {
        let mut client = self.stranger(name).await;
        client.say(r#"{"t":"hello","v":1}"#).await.expect("hello is fine");
        client
    }
}

/// A client without a socket.
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) queue: Arc<Queue>,
    frames: VecDeque<ServerFrame>,
    pub(super) token: Token,
}

impl Client {
    pub(super) async fn say(&mut self, text: &str) -> Result<(), Ended> {
        let hearing = self.connection.hear(text);
        tokio::pin!(hearing);
        loop {
            tokio::select! {
                // As a socket does: what waits is read while the frame is obeyed.
                biased;
                heard = &mut hearing => return heard,
                () = self.queue.ready() => take(&self.queue, &mut self.frames)?,
            }
        }
    }

    /// The next frame, whatever it is; an error when the conversation was ended.
    pub(super) async fn next(&mut self) -> Result<ServerFrame, Ended> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(frame);
            }
            timeout(PATIENCE, self.queue.ready()).await.expect("a frame comes");
            take(&self.queue, &mut self.frames)?;
        }
    }

    /// The next frame for which `pick` has an answer; others are passed over.
    pub(super) async fn until<T>(&mut self, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = self.next().await.expect("the conversation goes on");
            if let Some(found) = pick(frame) {
                return found;
            }
        }
    }

    pub(super) async fn subscribe(&mut self, room: RoomId, after: Option<i64>) {
        let after = after.map(|seq| format!(r#","after":{seq}"#)).unwrap_or_default();
        self.say(&format!(r#"{{"t":"subscribe","room":{room}{after}}}"#)).await.expect("subscribing is fine");
        self.until(|frame| matches!(frame, ServerFrame::Subscribed { room: r, .. } if r == room).then_some(())).await;
    }

    /// Sends and waits for the ack: the number.
    pub(super) async fn post(&mut self, room: RoomId, body: &str) -> i64 {
        self.post_with(Key::mint(), room, body).await.0
    }

    /// Sends with a key: the number and whether it was there already.
    pub(super) async fn post_with(&mut self, key: Key, room: RoomId, body: &str) -> (i64, bool) {
        self.say(&format!(r#"{{"t":"send","room":{room},"key":"{key}","body":"{body}"}}"#))
            .await
            .expect("sending is fine");
        self.until(|frame| match frame {
            ServerFrame::Ack { key: k, seq, duplicate, .. } if k == key => Some((seq.0, duplicate)),
            ServerFrame::Nack { refusal, .. } => panic!("refused: {refusal:?}"),
            _ => None,
        })
        .await
    }

    /// Entries of a room until (and with) number `last`.
    pub(super) async fn entries_until(&mut self, room: RoomId, last: i64) -> Vec<Entry> {
        let mut all = Vec::new();
        while all.last().is_none_or(|entry: &Entry| entry.seq.0 < last) {
            all.extend(
                self.until(|frame| match frame {
                    ServerFrame::Entries { room: r, entries } if r == room => Some(entries),
                    _ => None,
                })
                .await,
            );
        }
        all
    }
}

fn take(queue: &Queue, frames: &mut VecDeque<ServerFrame>) -> Result<(), Ended> {
    for frame in queue.take()? {
        let text = std::str::from_utf8(&frame).expect("frames are UTF-8");
        frames.push_back(codec::decode_server(text).expect("our own frames decode"));
    }
    Ok(())
}

/// The bodies of messages, in order.
pub(super) fn bodies(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .filter_map(|entry| match &entry.change {
            Change::Posted { body, .. } => Some(body.as_str()),
            _ => None,
        })
        .collect()
}

/// The numbers, in order.
pub(super) fn seqs(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.seq.0).collect()
}

/// A position of another store.
pub(super) fn foreign_epoch() -> Epoch {
    Epoch::fresh()
}
