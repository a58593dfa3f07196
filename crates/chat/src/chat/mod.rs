//! The verbs: everything a person can do, checked, written and told to whoever must know.
//!
//! Doors (socket, forms, later SSE and publish) hold a [`Chat`] and a [`crate::Member`]; they decide nothing themselves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tertulia_protocol::{BusState, Close, RoomId, ServerFrame, UserId, codec};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::{Admission, Admitted};
use crate::bus::{Bus, Connected, Topic};
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::fanout::Fanout;
use crate::market::{Market, MarketOptions};
use crate::news::News;
use crate::presence::Presence;
use crate::queue::{Ended, Queue};
use crate::room_log::ConnId;
use crate::store::{Store, TokenHash};
use crate::throttle::PersonBudget;

mod background;
mod cluster;
mod doors;
mod listen;
mod market;
mod messages;
mod moves;
mod people;
mod rooms;
mod tellings;
#[cfg(test)]
mod tests;

use doors::Authors;
pub use doors::Post;
use moves::RoomsTold;
use rooms::LateComers;

/// What the host may choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of this instance, for people.
    pub instance: String,
    /// Its name on the bus: no other instance may have it, or each would take the other's news for its echo.
    pub node: String,
    /// How long an absence stays unsaid.
    pub presence_grace: Duration,
    /// How long a session lives, in milliseconds.
    pub session_ms: i64,
    /// Whether budgets are enforced; only benchmarks switch them off.
    pub rate_limits: bool,
    /// The simulated market; none turns it off.
    pub market: Option<MarketOptions>,
}

/// One instance of the chat.
pub struct Chat {
    options: Options,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    fanout: Arc<Fanout>,
    /// Taken before the locks of fan-out, room logs and queues, never while one of those is held: whole lists
    /// and changes then reach every queue in the order in which they became true.
    presence: Mutex<Presence>,
    /// Those who still page through a room's past; taken after `presence`.
    late: Mutex<LateComers>,
    /// Never held while another lock is taken.
    rooms_told: Mutex<RoomsTold>,
    admission: Admission,
    sends: PersonBudget,
    /// Frames, and signs of typing, in requests of their own.
    requests: PersonBudget,
    signs: PersonBudget,
    authors: Mutex<Authors>,
    market: Option<Market>,
    /// In the order they came, which is also the order in which they are sent away.
    connections: Mutex<BTreeMap<ConnId, Registered>>,
    next_conn: AtomicU64,
    /// Set when everybody is told to come back elsewhere: whoever still comes in is told at once.
    dismissed: AtomicBool,
    /// Whether instances hear each other and all heads have been compared since they do.
    bus_state: watch::Sender<BusState>,
    /// What is known of the other instances, for whoever watches.
    cluster: Arc<Cluster>,
    /// Work that must be finished before the process ends: commits on their way and their fan-out.
    commits: TaskTracker,
    /// Loops and repairs, ended by `stop`.
    background: TaskTracker,
    stop: CancellationToken,
}

/// A connection as the instance knows it: whom to tell, and whom to close.
struct Registered {
    queue: Arc<Queue>,
    user: UserId,
    /// The session they came with; doors that ask for none have none.
    session: Option<TokenHash>,
    /// Whether they have been welcomed: nothing may be told to them before.
    greeted: bool,
    /// Whether this is the house's own work, no connection of anybody's.
    own: bool,
}

impl Chat {
    /// Starts the instance: its loops run until [`Chat::stop`].
    #[must_use]
    pub fn start(store: Arc<dyn Store>, connected: Connected, clock: Arc<dyn Clock>, options: Options) -> Arc<Self> {
        let background = TaskTracker::new();
        let stop = CancellationToken::new();
        let fanout =
            Fanout::new(store.clone(), connected.bus.clone(), options.node.clone(), background.clone(), stop.clone());
        let initial = if connected.bus.link().borrow().is_up() { BusState::Live } else { BusState::Degraded };
        let chat = Arc::new(Self {
            store,
            bus: connected.bus,
            clock,
            cluster: Cluster::new(fanout.told()),
            fanout,
            presence: Mutex::new(Presence::new(options.presence_grace)),
            late: Mutex::new(LateComers::new()),
            rooms_told: Mutex::default(),
            admission: Admission::default(),
            sends: PersonBudget::of_sends(options.rate_limits),
            requests: PersonBudget::of_frames(options.rate_limits),
            signs: PersonBudget::of_signs(),
            authors: Mutex::default(),
            market: options.market.clone().map(Market::new),
            connections: Mutex::default(),
            next_conn: AtomicU64::new(1),
            dismissed: AtomicBool::new(false),
            bus_state: watch::Sender::new(initial),
            commits: TaskTracker::new(),
            background,
            stop,
            options,
        });
        chat.run_loops(connected.heard);
        chat
    }

    /// The name of this instance.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.options.instance
    }

    /// How long a session lives, in milliseconds.
    #[must_use]
    pub const fn session_ms(&self) -> i64 {
        self.options.session_ms
    }

    /// Whether budgets are enforced.
    #[must_use]
    pub const fn rate_limits(&self) -> bool {
        self.options.rate_limits
    }

    /// The identity of the store.
    #[must_use]
    pub fn epoch(&self) -> tertulia_protocol::Epoch {
        self.store.epoch()
    }

    /// Whether instances hear each other, now and on every change.
    #[must_use]
    pub fn bus_state(&self) -> watch::Receiver<BusState> {
        self.bus_state.subscribe()
    }

    /// Stands for an office that one instance holds at a time; see [`Bus::elect`].
    #[must_use]
    pub fn elect(&self, office: &str) -> watch::Receiver<bool> {
        self.bus.elect(office)
    }

    /// Why the bus is away, in words; `None` while it carries.
    #[must_use]
    pub fn bus_trouble(&self) -> Option<String> {
        match &*self.bus.link().borrow() {
            crate::bus::Link::Up => None,
            crate::bus::Link::Down(reason) => Some(reason.clone()),
        }
    }

    /// How many instances are told what is said in a room: those with somebody there, and this one, which stores it; see
    /// [`Bus::reach`].
    pub async fn instances_told(&self, room: RoomId) -> usize {
        self.bus.reach(room).await
    }

    /// Connections open on this instance.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock_connections().values().filter(|connection| !connection.own).count()
    }

    /// Proves that a send would be stored now.
    ///
    /// # Errors
    /// The refusal a send would get.
    pub async fn check_writable(&self) -> Result<(), tertulia_protocol::Refusal> {
        self.store.check_writable().await.map_err(|error| crate::refuse::refusal(&error))
    }

    /// Tells every connection to come back after a pause of its own, spread evenly over `spread`, and those that
    /// were on their way in as soon as they are.
    pub fn dismiss_all(&self, spread: Duration) {
        // Under the lock of the connections: whoever registers later sees the flag.
        let connections = self.lock_connections();
        self.dismissed.store(true, Ordering::Relaxed);
        self.cluster.close();
        let queues: Vec<Arc<Queue>> = connections.values().filter(|c| !c.own).map(|c| c.queue.clone()).collect();
        drop(connections);
        if let Some(market) = &self.market {
            market.close();
        }
        let step = spread / u32::try_from(queues.len().max(1)).unwrap_or(u32::MAX);
        for (index, queue) in queues.iter().enumerate() {
            let pause = step * u32::try_from(index).unwrap_or(u32::MAX);
            let retry_after_ms = Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            queue.end(Ended { close: Close::Restarting, retry_after_ms });
        }
    }

    /// Finishes what was begun (commits and their fan-out), says goodbye to the other instances and ends the loops.
    pub async fn stop(&self) {
        self.commits.close();
        self.commits.wait().await;
        self.stop.cancel();
        self.background.close();
        self.background.wait().await;
        // The last word: a loop that still spoke of its people would bring them back on the other instances.
        self.fanout.publish(Topic::Everyone, News::Gone);
        // Last: whoever worked for an office has ended before another instance begins.
        self.bus.close().await;
    }

    /// A place at the desk where greetings are worked on, or the end of the conversation with a time to come back.
    pub(crate) async fn admit(&self) -> Result<Admitted<'_>, Ended> {
        self.admission.enter().await.map_err(|wait| {
            let retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            Ended { close: Close::Overloaded, retry_after_ms }
        })
    }

    /// An id that no other connection of this instance has.
    pub(crate) fn next_conn(&self) -> ConnId {
        self.next_conn.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn register(&self, queue: Arc<Queue>, user: UserId, session: Option<TokenHash>, own: bool) -> ConnId {
        let conn = self.next_conn();
        let mut connections = self.lock_connections();
        if !own && self.dismissed.load(Ordering::Relaxed) {
            queue.end(Ended { close: Close::Restarting, retry_after_ms: Some(0) });
        }
        connections.insert(conn, Registered { queue, user, session, greeted: false, own });
        conn
    }

    pub(crate) fn unregister(&self, conn: ConnId) {
        self.lock_connections().remove(&conn);
    }

    /// Hands a connection its welcome, made under the lock of the connections: what everybody is told from here on
    /// comes after it, and what they were told before is in it.
    pub(crate) fn greet(&self, conn: ConnId, welcome: impl FnOnce(BusState) -> ServerFrame) {
        if let Some(connection) = self.lock_connections().get_mut(&conn) {
            connection.greeted = true;
            connection.queue.push_frame(&welcome(*self.bus_state.borrow()));
        }
    }

    /// Hands a frame to every connection of this instance that was welcomed.
    fn tell_all(&self, frame: &ServerFrame) {
        let frame = Bytes::from(codec::encode(frame));
        for connection in self.lock_connections().values().filter(|connection| connection.greeted) {
            connection.queue.push_encoded(frame.clone());
        }
    }

    /// Ends the connections of a session on this instance.
    fn end_connections(&self, token: TokenHash) {
        for connection in self.lock_connections().values().filter(|connection| connection.session == Some(token)) {
            tracing::info!(user = connection.user.0, "a session ended; its socket is closed");
            connection.queue.end(Ended { close: Close::Revoked, retry_after_ms: None });
        }
    }

    fn lock_connections(&self) -> MutexGuard<'_, BTreeMap<ConnId, Registered>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_authors(&self) -> MutexGuard<'_, Authors> {
        self.authors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_rooms_told(&self) -> MutexGuard<'_, RoomsTold> {
        self.rooms_told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
