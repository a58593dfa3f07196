//! The log against a model that is too simple to be wrong, whatever happens to it and in which order.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tertulia_protocol::{Change, Seq};
use tokio::time::Instant;

use super::tests::{ROOM, entry, seqs_in};
use super::{Joined, Offered, Place, RING_BYTES, RING_ENTRIES, RoomLog};
use crate::encoded::Encoded;
use crate::queue::Queue;

/// Bytes of a long message: sixteen of them are all that is remembered.
const LONG: usize = RING_BYTES / 16;

/// One thing that happens to the log of a room.
#[derive(Clone, Debug)]
enum Step {
    /// SQL says where it stands.
    Load(i64),
    /// An entry is heard of: this far from the newest one.
    Offer(i64),
    /// So many are heard of in order, from the next one on.
    Run(i64),
    /// Somebody follows: from this far behind the newest entry (or ahead of it), or from now on.
    Join(u64, Option<i64>),
    /// So many are read that were said before what is remembered, the newest of them this far from where they fit.
    Remember(i64, i64),
    Part(u64),
    /// The socket of a follower ends; the log is not told.
    End(u64),
    /// What waits is forgotten, except every such one.
    Forget(usize),
    /// Nobody may have been there for so long.
    Release(bool),
    /// Whoever finds the log released makes a new one.
    Renew,
}

fn step() -> impl Strategy<Value = Step> {
    let conn = || 0..4_u64;
    prop_oneof![
        2 => (0..8_i64).prop_map(Step::Load),
        1 => (100..600_i64).prop_map(Step::Load),
        12 => (-3..6_i64).prop_map(Step::Offer),
        4 => (1..40_i64).prop_map(Step::Run),
        1 => (100..300_i64).prop_map(Step::Run),
        6 => (conn(), prop::option::weighted(0.8, -3..8_i64)).prop_map(|(conn, behind)| Step::Join(conn, behind)),
        2 => (conn(), 200..320_i64).prop_map(|(conn, behind)| Step::Join(conn, Some(behind))),
        2 => (1..20_i64).prop_map(|count| Step::Remember(0, count)),
        1 => (200..300_i64).prop_map(|count| Step::Remember(0, count)),
        1 => (-2..3_i64, 0..4_i64).prop_map(|(far, count)| Step::Remember(far, count)),
        3 => conn().prop_map(Step::Part),
        1 => conn().prop_map(Step::End),
        2 => (1..4_usize).prop_map(Step::Forget),
        1 => any::<bool>().prop_map(Step::Release),
        1 => Just(Step::Renew),
    ]
}

/// The entry with a number: every so many, one is long. Encoded once, however often it is offered.
fn encoded(seq: i64, long_every: i64) -> Arc<Encoded> {
    thread_local!(static MADE: RefCell<HashMap<(i64, bool), Arc<Encoded>>> = RefCell::default());
    let long = seq % long_every == 0;
    let make = || {
        let mut entry = entry(seq);
        if long {
            entry.change = Change::Posted { body: "x".repeat(LONG), reply_to: None };
        }
        Arc::new(Encoded::new(ROOM, &entry))
    };
    MADE.with_borrow_mut(|made| made.entry((seq, long)).or_insert_with(make).clone())
}

fn bytes_of(seq: i64, long_every: i64) -> usize {
    encoded(seq, long_every).bytes()
}

/// What must be true, in numbers alone.
struct Model {
    head: Option<i64>,
    held: BTreeSet<i64>,
    /// The numbers of what is remembered, and the bytes of all of it.
    ring: VecDeque<i64>,
    bytes: usize,
    /// What each follower must have been given since it was last looked at, and whether its socket has ended.
    followers: BTreeMap<u64, (Vec<i64>, bool)>,
    released: bool,
    /// Entries given to followers so far.
    told: u64,
    /// Every so many entries, one is long.
    long_every: i64,
}

impl Model {
    fn new(long_every: i64) -> Self {
        let (held, ring, followers) = (BTreeSet::new(), VecDeque::new(), BTreeMap::new());
        Self { head: None, held, ring, bytes: 0, followers, released: false, told: 0, long_every }
    }

    fn fits(&self, bytes: usize) -> bool {
        self.ring.len() < RING_ENTRIES && self.bytes + bytes <= RING_BYTES
    }

    /// The oldest remembered, or the one to come when nothing is.
    fn oldest(&self) -> Option<i64> {
        self.ring.front().copied().or(self.head.map(|head| head + 1))
    }

    fn deliver_what_fits(&mut self) {
        let Some(mut head) = self.head else { return };
        self.held.retain(|seq| *seq > head);
        while self.held.remove(&(head + 1)) {
            head += 1;
            self.followers.retain(|_, (_, ended)| !*ended);
            self.followers.values_mut().for_each(|(given, _)| given.push(head));
            self.told += self.followers.len() as u64;
            while !self.fits(bytes_of(head, self.long_every)) {
                let oldest = self.ring.pop_front().expect("one fits");
                self.bytes -= bytes_of(oldest, self.long_every);
            }
            self.bytes += bytes_of(head, self.long_every);
            self.ring.push_back(head);
        }
        self.head = Some(head);
    }

    fn remember(&mut self, newest: i64, count: i64) -> bool {
        for seq in (newest - count + 1..=newest).rev() {
            let bytes = bytes_of(seq, self.long_every);
            if self.oldest() != Some(seq + 1) || !self.fits(bytes) {
                return false;
            }
            self.bytes += bytes;
            self.ring.push_front(seq);
        }
        true
    }

    /// From where on more may be remembered.
    fn remembers_from(&self) -> Option<i64> {
        self.oldest().filter(|oldest| *oldest > 1 && self.fits(1) && !self.released)
    }

    fn load(&mut self, head: i64) {
        self.head.get_or_insert(head);
        self.deliver_what_fits();
    }

    fn offer(&mut self, seq: i64) -> Offered {
        if self.released || self.head.is_some_and(|head| seq <= head) {
            return Offered::Known;
        }
        self.held.insert(seq);
        let next = self.head.is_some_and(|head| seq == head + 1);
        self.deliver_what_fits();
        if next { Offered::Delivered } else { Offered::Held }
    }

    fn join(&mut self, conn: u64, after: Option<i64>) -> Joined {
        let now = self.head.unwrap_or(0);
        let (head, after) = (Seq(now), after.unwrap_or(now));
        if self.released {
            return Joined::Released;
        }
        if after > now {
            return Joined::Ahead { head };
        }
        if now - after > self.ring.len() as i64 {
            return Joined::TooOld { head };
        }
        self.followers.insert(conn, ((after + 1..=now).collect(), false));
        Joined::Following { head }
    }

    fn release(&mut self, patient: bool) -> bool {
        self.released |= !patient && self.followers.is_empty();
        if self.released {
            self.held.clear();
        }
        self.released
    }
}

/// The log and its model, side by side.
struct Both {
    log: RoomLog,
    told: Arc<AtomicU64>,
    queues: BTreeMap<u64, Arc<Queue>>,
    model: Model,
}

impl Both {
    fn new(long_every: i64) -> Self {
        let told = Arc::default();
        let log = RoomLog::counting(ROOM, Arc::clone(&told));
        Self { log, told, queues: BTreeMap::new(), model: Model::new(long_every) }
    }

    fn take(&mut self, step: &Step) {
        let head = self.model.head.unwrap_or(0);
        match *step {
            Step::Load(seq) => {
                self.log.load(Seq(seq));
                self.model.load(seq);
            }
            Step::Offer(far) => self.offer((head + far).max(1)),
            Step::Run(count) => (head + 1..=head + count).for_each(|seq| self.offer(seq)),
            Step::Join(conn, behind) => self.join(conn, behind.map(|behind| (head - behind).max(0))),
            Step::Remember(far, count) => {
                let newest = self.model.oldest().unwrap_or(1) - 1 + far;
                let count = count.min(newest).max(0);
                let older: Vec<_> =
                    (newest - count + 1..=newest).rev().map(|seq| encoded(seq, self.model.long_every)).collect();
                assert_eq!(self.log.remember(older), self.model.remember(newest, count), "{count} up to {newest}");
            }
            Step::Part(conn) => {
                self.log.part(conn);
                self.model.followers.remove(&conn);
            }
            Step::End(conn) => {
                if let Some((given, ended)) = self.model.followers.get_mut(&conn) {
                    given.clear();
                    *ended = true;
                    self.queues[&conn].abandon();
                }
            }
            Step::Forget(every) => {
                let some: Vec<i64> = self.model.held.iter().copied().step_by(every).collect();
                let forgotten = self.log.forget_held(&some.iter().copied().map(Seq).collect::<Vec<_>>());
                assert_eq!(forgotten, some.len());
                self.model.held.retain(|seq| !some.contains(seq));
            }
            Step::Release(patient) => {
                let linger = if patient { Duration::from_secs(3_600) } else { Duration::ZERO };
                assert_eq!(self.log.release_if_idle(Instant::now(), linger), self.model.release(patient));
            }
            Step::Renew if self.model.released => *self = Self::new(self.model.long_every),
            Step::Renew => {}
        }
        self.check();
    }

    fn offer(&mut self, seq: i64) {
        assert_eq!(self.log.offer(encoded(seq, self.model.long_every)), self.model.offer(seq), "offered {seq}");
    }

    fn join(&mut self, conn: u64, after: Option<i64>) {
        let queue = Arc::new(Queue::default());
        let mut greeted = None;
        let joined = self.log.join(&Place::new(conn, queue.clone()), after.map(Seq), |head| greeted = Some(head));
        assert_eq!(joined, self.model.join(conn, after));
        let following = if let Joined::Following { head } = joined { Some(head) } else { None };
        assert_eq!(greeted, following, "greeted in the same turn, or not at all");
        if following.is_some() {
            self.queues.insert(conn, queue);
        }
    }

    fn check(&mut self) {
        assert_eq!(self.log.head(), self.model.head.map(Seq));
        assert_eq!(self.log.held(), self.model.held.iter().copied().map(Seq).collect::<Vec<_>>());
        assert_eq!(self.log.has_hole(), self.model.head.is_some() && !self.model.held.is_empty());
        assert_eq!(self.log.remembers_from(), self.model.remembers_from().map(Seq));
        assert_eq!(self.told.load(Ordering::Relaxed), self.model.told);
        for (conn, (given, ended)) in &mut self.model.followers {
            if !*ended {
                assert_eq!(seqs_in(&self.queues[conn]), *given, "what {conn} is given");
            }
            given.clear();
        }
    }
}

proptest! {
    #[test]
    fn the_log_does_what_the_model_does(
        long_every in prop::sample::select(vec![i64::MAX, i64::MAX, i64::MAX, 12]),
        steps in prop::collection::vec(step(), 1..50),
    ) {
        let mut both = Both::new(long_every);
        steps.iter().for_each(|step| both.take(step));
    }
}
