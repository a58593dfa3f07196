//! The house: instances that start, are stopped in order or killed, and the ways in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tertulia_chat::bus::embedded::EmbeddedHub;
use tertulia_chat::clock::Clock;
use tertulia_chat::store::TokenHash;
use tertulia_chat::{Chat, Connection, Options};
use tertulia_protocol::{Epoch, RoomId};
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{BusWeather, SimBus};
use crate::dice::Dice;
use crate::plan::{How, INSTANCES, Plan, Sabotage};
use crate::record::{Record, Word};
use crate::socket::{self, Down, Ends, Up};
use crate::store::{BEGINNING, Server, SimStore, StoreWeather};
use crate::wire::{Rx, Tx, Wire, direction};
use crate::witness::Witness;

/// Frames from a browser that are under way; it says few.
const UP_ROOM: usize = 256;
/// Frames to a browser that are under way, at most: what a socket's buffers hold of short messages.
const DOWN_ROOM: u64 = 32;
/// The longest way between a browser and an instance, in milliseconds.
const LATENCY_MS: u64 = 40;
/// How long an absence stays unsaid; the default of the real server.
const GRACE: Duration = Duration::from_secs(12);
/// A session outlives the run by far, in milliseconds.
const SESSION_MS: i64 = 3_600_000;
/// Over how long an orderly stop spreads those who must come back.
const SPREAD: Duration = Duration::from_secs(5);
/// How long an orderly stop waits for them, and any stop for its tasks.
const PATIENCE: Duration = Duration::from_secs(20);
/// How far apart the clocks of the instances are, in milliseconds at most in either direction: they decide nothing.
const SKEW_MS: u64 = 5_000;

/// All instances and what they share.
pub(crate) struct House {
    /// Who looks.
    pub(crate) witness: Witness,
    /// How news travel.
    pub(crate) bus_weather: BusWeather,
    /// Tasks of the house: burials, and errands of browsers.
    pub(crate) tasks: TaskTracker,
    hub: EmbeddedHub,
    seed: u64,
    /// Whether buses listen to rooms for ever. For sabotage.
    clings: bool,
    start: Instant,
    slots: Mutex<Vec<Slot>>,
}

/// A place for one instance after the other.
struct Slot {
    weather: StoreWeather,
    skew_ms: i64,
    incarnation: u32,
    running: Option<Arc<Instance>>,
}

/// One instance, from its start to its end.
pub(crate) struct Instance {
    /// Unlike any other's, before or after.
    pub(crate) name: String,
    /// The real thing.
    pub(crate) chat: Arc<Chat>,
    /// The process is gone; whoever talks to it hears nothing any more.
    pub(crate) gone: CancellationToken,
    bus: Arc<SimBus>,
    store: Arc<SimStore>,
    sockets: TaskTracker,
    wires: Mutex<Vec<Weak<Wire>>>,
}

/// The browser's ends of a wire.
pub(crate) struct Line {
    /// What it says.
    pub(crate) up: Tx<Up>,
    /// What it hears.
    pub(crate) down: Rx<Down>,
    /// The wire itself.
    pub(crate) wire: Arc<Wire>,
}

/// Why nobody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    /// Nobody answers, or not now.
    Later,
    /// The session does not live.
    Revoked,
}

/// The time of day of one instance: paused time, and a clock that is wrong.
struct SimClock {
    start: Instant,
    skew_ms: i64,
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let since = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        BEGINNING + since + self.skew_ms
    }
}

impl House {
    /// A house with all its instances running.
    pub(crate) fn open(plan: &Plan, record: Record) -> Arc<Self> {
        let seed = plan.seed;
        let epoch = Epoch(format!("{seed:032x}"));
        let server = Server::new(epoch, record.clone(), plan.sabotage, Dice::of(seed, "server"));
        let slot = |index: usize| {
            let mut dice = Dice::of(seed, &format!("slot {index}"));
            let skew_ms = dice.within(0..=2 * SKEW_MS) as i64 - SKEW_MS as i64;
            Slot { weather: StoreWeather::fair(dice), skew_ms, incarnation: 0, running: None }
        };
        let house = Arc::new(Self {
            witness: Witness { record, server },
            bus_weather: BusWeather::fair(),
            tasks: TaskTracker::new(),
            hub: EmbeddedHub::new(),
            seed,
            clings: plan.sabotage == Some(Sabotage::KeepListening),
            start: Instant::now(),
            slots: Mutex::new((0..INSTANCES).map(slot).collect()),
        });
        (0..INSTANCES).for_each(|index| house.start(index));
        house
    }

    /// Starts an instance, unless it runs.
    pub(crate) fn start(&self, index: usize) {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(index).filter(|slot| slot.running.is_none()) else { return };
        slot.incarnation += 1;
        let name = format!("{}{}", ["ana", "biel", "carla"].get(index).unwrap_or(&"more"), slot.incarnation);
        let store = Arc::new(self.witness.server.open(&name, slot.weather.clone()));
        let (dice, record) = (Dice::of(self.seed, &format!("bus {name}")), Some(self.record().clone()));
        let (bus, connected) = SimBus::connect(&self.hub, self.bus_weather.clone(), dice, &name, record);
        if self.clings {
            bus.clings();
        }
        let options = Options {
            instance: name.clone(),
            node: name.clone(),
            presence_grace: GRACE,
            session_ms: SESSION_MS,
            rate_limits: false,
            market: None,
        };
        let clock = Arc::new(SimClock { start: self.start, skew_ms: slot.skew_ms });
        let chat = Chat::start(store.clone(), connected, clock, options);
        self.record().note(format_args!("{name} starts"));
        let (gone, sockets) = (CancellationToken::new(), TaskTracker::new());
        slot.running = Some(Arc::new(Instance { name, chat, gone, bus, store, sockets, wires: Mutex::default() }));
    }

    /// Kills an instance: from this moment on nobody hears of it, and it hears of nobody.
    pub(crate) fn crash(&self, index: usize, dice: &mut Dice) {
        let Some(instance) = self.take(index) else { return };
        self.record().note(format_args!("{} crashes", instance.name));
        self.record().count("crashes");
        instance.store.vanish();
        instance.bus.vanish();
        for wire in instance.live_wires() {
            // A process that dies is noticed, a machine that dies is not; and much may still be under way.
            match dice.below(3) {
                0 => wire.cut(How::Neither),
                1 => wire.cut(How::Both),
                _ => {}
            }
        }
        instance.gone.cancel();
        self.tasks.spawn(bury(instance, self.record().clone()));
    }

    /// Stops an instance in order.
    pub(crate) fn replace(&self, index: usize) {
        let Some(instance) = self.take(index) else { return };
        self.record().note(format_args!("{} is told to stop", instance.name));
        self.record().count("orderly stops");
        let record = self.record().clone();
        self.tasks.spawn(async move {
            instance.chat.dismiss_all(SPREAD);
            instance.sockets.close();
            // Who does not go in time is cut, as by the real server.
            let _ = timeout(PATIENCE, instance.sockets.wait()).await;
            instance.gone.cancel();
            if timeout(PATIENCE, instance.chat.stop()).await.is_err() {
                record.note(format_args!("{} does not end in order and is killed", instance.name));
            }
            instance.store.vanish();
            bury(instance, record).await;
        });
    }

    /// Lets somebody in who has a session, after the way there.
    pub(crate) async fn connect(&self, index: usize, token: TokenHash, mut dice: Dice) -> Result<Line, Away> {
        let latency = Duration::from_millis(dice.within(1..=LATENCY_MS));
        sleep(latency).await;
        let instance = self.running(index).ok_or(Away::Later)?;
        let viewer = tokio::select! {
            biased;
            // Safe to cancel: a look at a session changes nothing.
            () = instance.gone.cancelled() => return Err(Away::Later),
            viewer = instance.chat.viewer(token) => viewer,
        };
        let person = viewer.map_err(|_| Away::Later)?.ok_or(Away::Revoked)?;
        // It may have been told to stop meanwhile: then there is nobody to listen.
        if instance.sockets.is_closed() || instance.gone.is_cancelled() {
            return Err(Away::Later);
        }
        let wire = Arc::new(Wire::default());
        let (up, heard) = direction(&wire, UP_ROOM, latency);
        let (said, down) = direction(&wire, dice.within(2..=DOWN_ROOM) as usize, latency);
        instance.keep(&wire);
        let connection = Connection::open(instance.chat.clone(), person, token);
        let ends = Ends { up: heard, down: said };
        instance.sockets.spawn(socket::converse(connection, ends, instance.gone.clone(), self.record().clone(), dice));
        Ok(Line { up, down, wire })
    }

    /// The instance in a slot, if it runs.
    pub(crate) fn running(&self, index: usize) -> Option<Arc<Instance>> {
        self.slots().get(index)?.running.clone()
    }

    /// Any instance that runs.
    pub(crate) fn any(&self, dice: &mut Dice) -> Option<Arc<Instance>> {
        let running: Vec<_> = self.slots().iter().filter_map(|slot| slot.running.clone()).collect();
        running.get(dice.below(running.len())).cloned()
    }

    /// Those that run.
    pub(crate) fn all(&self) -> Vec<Arc<Instance>> {
        self.slots().iter().filter_map(|slot| slot.running.clone()).collect()
    }

    /// The ways to the store: of one instance, or of all.
    pub(crate) fn store_weather(&self, of: Option<usize>) -> Vec<StoreWeather> {
        let slots = self.slots();
        let meant = slots.iter().enumerate().filter(|(index, _)| of.is_none_or(|of| of == *index));
        meant.map(|(_, slot)| slot.weather.clone()).collect()
    }

    /// Ends everything: nothing of any instance is left afterwards, or it is found.
    pub(crate) async fn close(&self) {
        for index in 0..INSTANCES {
            let Some(instance) = self.take(index) else { continue };
            instance.chat.dismiss_all(Duration::ZERO);
            instance.sockets.close();
            instance.sockets.wait().await;
            instance.gone.cancel();
            bury(instance, self.record().clone()).await;
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.witness.server.finish().await;
    }

    /// The record of the run.
    pub(crate) const fn record(&self) -> &Record {
        &self.witness.record
    }

    fn take(&self, index: usize) -> Option<Arc<Instance>> {
        self.slots().get_mut(index)?.running.take()
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the tasks of an instance that nobody hears any more, and looks whether all of it went.
async fn bury(instance: Arc<Instance>, record: Record) {
    instance.sockets.close();
    instance.sockets.wait().await;
    instance.store.release();
    if timeout(PATIENCE, instance.chat.stop()).await.is_err() {
        record.found(Word::Unbounded, format!("{} does not stop: some task of it never ends", instance.name));
    }
    let (name, left) = (instance.name.clone(), Arc::downgrade(&instance.chat));
    drop(instance);
    // Whoever was on the way in lets go within a few turns.
    for _ in 0..100 {
        if left.strong_count() == 0 {
            record.note(format_args!("{name} is gone"));
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    record.found(Word::Unbounded, format!("{name} has stopped and something still holds it"));
}

impl Instance {
    /// Its end of the bus.
    pub(crate) const fn bus(&self) -> &Arc<SimBus> {
        &self.bus
    }

    /// Cuts all its connections.
    pub(crate) fn cut_wires(&self, how: How) {
        self.live_wires().iter().for_each(|wire| wire.cut(how));
    }

    /// Rooms whose logs it keeps, and sockets it counts.
    pub(crate) fn holds(&self) -> (u64, u64) {
        let picture = self.chat.picture();
        picture.instances.iter().find(|shown| shown.here).map_or((0, 0), |here| (here.rooms, here.sockets))
    }

    /// The medium forgets that it listens to a room.
    pub(crate) fn forget(&self, room: RoomId) {
        self.bus.forget(room);
    }

    fn live_wires(&self) -> Vec<Arc<Wire>> {
        self.wires().iter().filter_map(Weak::upgrade).collect()
    }

    fn keep(&self, wire: &Arc<Wire>) {
        let mut wires = self.wires();
        wires.retain(|wire| wire.strong_count() > 0);
        wires.push(Arc::downgrade(wire));
    }

    fn wires(&self) -> MutexGuard<'_, Vec<Weak<Wire>>> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
