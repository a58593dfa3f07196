//! A [`Bus`] that loses, doubles, delays, reorders and forgets: the embedded one with bad weather in front of each end.
//!
//! What it promises it keeps: a confirmed subscription on a link that is up, `MayHaveMissed` before a link is up again.

mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tertulia_chat::bus::embedded::{EmbeddedBus, EmbeddedHub};
use tertulia_chat::bus::{Bus, Connected, Heard, Link, Topic};
use tertulia_protocol::RoomId;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use self::weather::BusWeather;
use crate::dice::{Dice, Fingerprint};
use crate::record::Record;

/// News under way to one end: far more than come in the longest delay. Beyond it the medium keeps them, and says so
/// when it overflows.
const UNDER_WAY: usize = 256;
/// News that have arrived and wait for the listener.
const ARRIVED: usize = 16;
/// The longest way of a confirmation, in milliseconds.
const CONFIRM_MS: u64 = 40;

/// One instance's end. Dropping the last reference leaves the medium.
pub struct SimBus {
    inner: Arc<EmbeddedBus>,
    shared: Arc<Shared>,
    /// Ends the task that carries.
    _ends: DropGuard,
}

struct Shared {
    name: String,
    /// Where it is written down what arrives, if anywhere.
    record: Option<Record>,
    weather: BusWeather,
    link: watch::Sender<Link>,
    state: Mutex<State>,
    /// Something is due earlier than was known.
    sooner: Notify,
}

struct State {
    dice: Dice,
    /// By the moment at which it is due, then in the order it came.
    under_way: BTreeMap<(Instant, u64), Due>,
    next: u64,
    rooms: BTreeMap<RoomId, watch::Sender<bool>>,
    /// Rooms whose subscription the medium has forgotten.
    forgotten: BTreeSet<RoomId>,
    /// Whether rooms are listened to for ever. For sabotage.
    clings: bool,
    /// The wire to the medium is cut, whether this end knows it or not.
    cut: bool,
    /// Goes up with every cut: what was due before it is void.
    generation: u64,
    gone: bool,
}

/// What happens at a moment.
enum Due {
    Arrives(Heard),
    Confirmed(RoomId, u64),
    /// The link notices that it is cut.
    Falls(u64),
    /// The link is whole again, and everything is confirmed.
    Rises(u64),
}

/// What has come out of the weather.
enum Arrived {
    News(Heard),
    /// The link is up, unless it was cut again.
    Up(u64),
}

impl SimBus {
    /// A new end of a hub on which nothing is lost and nothing takes time. Must be called within a Tokio runtime.
    #[must_use]
    pub fn still(hub: &EmbeddedHub) -> Connected {
        Self::connect(hub, BusWeather::still(), Dice::of(0, "bus"), "still", None).1
    }

    /// A new end of a hub. Must be called within a Tokio runtime.
    pub(crate) fn connect(
        hub: &EmbeddedHub,
        weather: BusWeather,
        dice: Dice,
        name: &str,
        record: Option<Record>,
    ) -> (Arc<Self>, Connected) {
        let (inner, heard) = hub.open();
        let (to, arrived) = mpsc::channel(ARRIVED);
        let state = State {
            dice,
            under_way: BTreeMap::new(),
            next: 0,
            rooms: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            clings: false,
            cut: false,
            generation: 0,
            gone: false,
        };
        let link = watch::Sender::new(Link::Up);
        let (name, state, sooner) = (name.to_owned(), Mutex::new(state), Notify::new());
        let shared = Arc::new(Shared { name, record, weather, link, state, sooner });
        let stop = CancellationToken::new();
        // Owned by the bus: its guard ends the task.
        tokio::spawn(carry(shared.clone(), heard, to, stop.clone()));
        let bus = Arc::new(Self { inner, shared, _ends: stop.drop_guard() });
        (bus.clone(), Connected { bus, heard: arrived })
    }

    /// Cuts the wire; this end learns of it after a while.
    pub(crate) fn cut(&self, unsaid: Duration) {
        let mut state = self.shared.lock();
        if state.gone || std::mem::replace(&mut state.cut, true) {
            return;
        }
        self.inner.set_link(false);
        state.generation += 1;
        state.under_way.clear();
        let falls = Due::Falls(state.generation);
        state.put(Instant::now() + unsaid, falls);
        self.shared.sooner.notify_one();
    }

    /// Mends the wire: everything is subscribed anew, then the link is up.
    pub(crate) fn heal(&self) {
        let mut state = self.shared.lock();
        state.forgotten.clear();
        if state.gone || !std::mem::replace(&mut state.cut, false) {
            return;
        }
        // A connection that was replaced before its end was noticed: that is noticed now.
        self.shared.fall(&state);
        state.generation += 1;
        state.under_way.clear();
        self.inner.set_link(true);
        let (now, rooms) = (Instant::now(), state.rooms.keys().copied().collect::<Vec<_>>());
        for room in rooms {
            state.confirm_soon(now, room);
        }
        let rises = Due::Rises(state.generation);
        state.put(now + Duration::from_millis(CONFIRM_MS + 1), rises);
        self.shared.sooner.notify_one();
    }

    /// The medium forgets that this end listens to a room, until it is healed or subscribes anew.
    pub(crate) fn forget(&self, room: RoomId) {
        self.shared.lock().forgotten.insert(room);
    }

    /// Rooms are listened to for ever from here on. For sabotage.
    pub(crate) fn clings(&self) {
        self.shared.lock().clings = true;
    }

    /// Rooms that are subscribed.
    pub(crate) fn rooms(&self) -> usize {
        self.shared.lock().rooms.len()
    }

    /// The instance is gone: nothing is said, and nothing heard any more.
    pub(crate) fn vanish(&self) {
        let mut state = self.shared.lock();
        state.gone = true;
        state.under_way.clear();
        // An embedded end leaves at once.
        let _ = self.inner.close().now_or_never();
    }
}

impl Bus for SimBus {
    fn publish(&self, topic: Topic, payload: Bytes) -> bool {
        let state = self.shared.lock();
        if state.gone {
            return false;
        }
        let (cut, up) = (state.cut, self.shared.link.borrow().is_up());
        drop(state);
        if !up {
            return false;
        }
        // Taken by the kernel, and never to arrive.
        cut || self.inner.publish(topic, payload)
    }

    fn subscribe(&self, room: RoomId) -> watch::Receiver<bool> {
        let mut state = self.shared.lock();
        if let Some(confirmed) = state.rooms.get(&room) {
            return confirmed.subscribe();
        }
        drop(self.inner.subscribe(room));
        let still = self.shared.weather.now().still;
        let (confirmed, receiver) = watch::channel(still && !state.cut);
        state.rooms.insert(room, confirmed);
        state.forgotten.remove(&room);
        if !still && !state.cut {
            state.confirm_soon(Instant::now(), room);
            self.shared.sooner.notify_one();
        }
        receiver
    }

    fn unsubscribe(&self, room: RoomId) {
        let mut state = self.shared.lock();
        if state.clings {
            return;
        }
        self.inner.unsubscribe(room);
        if let Some(confirmed) = state.rooms.remove(&room) {
            confirmed.send_replace(false);
        }
    }

    fn reach(&self, room: RoomId) -> BoxFuture<'_, usize> {
        if self.shared.link.borrow().is_up() { self.inner.reach(room) } else { std::future::ready(1).boxed() }
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    fn elect(&self, office: &str) -> watch::Receiver<bool> {
        self.inner.elect(office)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.vanish();
        self.shared.link.send_replace(Link::Down("closed".to_owned()));
        std::future::ready(()).boxed()
    }
}

/// Brings news from the medium to the listener, as the weather lets them.
async fn carry(
    shared: Arc<Shared>,
    mut heard: mpsc::Receiver<Heard>,
    to: mpsc::Sender<Heard>,
    stop: CancellationToken,
) {
    loop {
        let (first, room) = {
            let state = shared.lock();
            (state.under_way.keys().next().map(|(at, _)| *at), state.under_way.len() < UNDER_WAY)
        };
        tokio::select! {
            biased;
            // Each arm is safe to cancel: news, a permit and a moment are kept until taken.
            () = stop.cancelled() => return,
            () = shared.sooner.notified() => {}
            () = until(first) => {
                for arrived in shared.due() {
                    match arrived {
                        // A listener that does not listen holds up this end alone; the medium then says that it
                        // overflowed.
                        Arrived::News(news) => {
                            shared.note(&news);
                            if to.send(news).await.is_err() { return }
                        }
                        Arrived::Up(generation) => shared.rise(generation),
                    }
                }
            }
            news = heard.recv(), if room => match news {
                Some(news) => shared.send_off(news),
                None => return,
            },
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Shared {
    /// Casts the dice for one piece of news.
    fn send_off(&self, news: Heard) {
        let weather = self.weather.now();
        let mut state = self.lock();
        let forgotten = matches!(&news, Heard::News { topic: Topic::Room(room), .. } if state.forgotten.contains(room));
        if state.gone || state.cut || forgotten {
            return;
        }
        let now = Instant::now();
        if weather.still || news == Heard::MayHaveMissed {
            state.put(now, Due::Arrives(news));
            return;
        }
        // All dice are cast whatever they decide, so that a smaller plan casts the same.
        let (lost, doubled) = (state.dice.chance(weather.drop), state.dice.chance(weather.double));
        let late = |state: &mut State| now + Duration::from_millis(state.dice.within(1..=weather.late_ms.max(1)));
        let (first, second) = (late(&mut state), late(&mut state));
        if lost {
            return;
        }
        if doubled {
            state.put(second, Due::Arrives(news.clone()));
        }
        state.put(first, Due::Arrives(news));
    }

    /// What has arrived by now; confirmations and turns of the link happen on the way.
    fn due(&self) -> Vec<Arrived> {
        let mut state = self.lock();
        let later = state.under_way.split_off(&(Instant::now(), u64::MAX));
        let due = std::mem::replace(&mut state.under_way, later);
        let mut arrived = Vec::new();
        for due in due.into_values() {
            match due {
                Due::Arrives(news) => arrived.push(Arrived::News(news)),
                Due::Confirmed(room, generation) if generation == state.generation => {
                    if let Some(confirmed) = state.rooms.get(&room) {
                        confirmed.send_replace(true);
                    }
                }
                Due::Falls(generation) if generation == state.generation => self.fall(&state),
                // What is owed is said before the link is up.
                Due::Rises(generation) => {
                    arrived.extend([Arrived::News(Heard::MayHaveMissed), Arrived::Up(generation)]);
                }
                Due::Confirmed(..) | Due::Falls(_) => {}
            }
        }
        arrived
    }

    fn note(&self, news: &Heard) {
        let Some(record) = &self.record else { return };
        match news {
            Heard::News { topic, payload } => {
                let mut print = Fingerprint::new();
                print.eat(payload);
                let what = format_args!("{} hears {topic:?} {:x}", self.name, print.value());
                if *topic == Topic::Everyone { record.murmur(what) } else { record.note(what) }
            }
            Heard::MayHaveMissed => record.note(format_args!("{} may have missed something", self.name)),
        }
    }

    fn rise(&self, generation: u64) {
        if self.lock().generation == generation {
            self.link.send_replace(Link::Up);
        }
    }

    fn fall(&self, state: &State) {
        for confirmed in state.rooms.values() {
            confirmed.send_replace(false);
        }
        self.link.send_if_modified(|link| {
            let was_up = link.is_up();
            if was_up {
                *link = Link::Down("cut by the dice".to_owned());
            }
            was_up
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn put(&mut self, at: Instant, due: Due) {
        self.under_way.insert((at, self.next), due);
        self.next += 1;
    }

    fn confirm_soon(&mut self, now: Instant, room: RoomId) {
        let at = now + Duration::from_millis(self.dice.within(1..=CONFIRM_MS));
        let confirmed = Due::Confirmed(room, self.generation);
        self.put(at, confirmed);
    }
}

/// Nothing under these locks can be left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
