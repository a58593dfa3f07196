//! Several pages of one person in one browser, opened, closed, crashed, frozen and woken at random, and a server that
//! stores each key once. Whatever happens: nothing is lost, no two pages send the same, each page's order holds.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tertulia_protocol::{Code, Key, Refusal, RoomId, frame};

use super::tests::Storage;
use super::{Kept, Shared};
use crate::testing::key;

const ROOMS: i64 = 2;

/// How a page learns that another one has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// A lock that each page holds while it lives.
    Locks,
    /// Claims, for browsers that have no locks.
    Claims,
}

/// One thing that happens; pages are named by their number, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    /// A tab is opened, or duplicated: nothing of its own comes with it.
    Open,
    /// A page ends, and says so.
    Close(usize),
    /// A page ends without a word.
    Crash(usize),
    Freeze(usize),
    Thaw(usize),
    /// Somebody says something there, in one of the rooms.
    Push(usize, i64),
    /// What is due goes onto the wire.
    Send(usize),
    /// What is on the wire arrives, up to so many; the answers come back, or are lost.
    Arrive(usize, usize, bool),
    /// The first of a room is refused for good.
    Refuse(usize),
    Retry(usize),
    Disconnect(usize),
    /// Takes over what has no owner; with claims, asks for it first.
    Look(usize),
    /// The wait of a claim is over, and every page that can has answered; or, for the flag, none has.
    Settle(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let page = || 0..6_usize;
    prop_oneof![
        3 => Just(Step::Open),
        2 => page().prop_map(Step::Close),
        2 => page().prop_map(Step::Crash),
        1 => page().prop_map(Step::Freeze),
        2 => page().prop_map(Step::Thaw),
        8 => (page(), 0..ROOMS).prop_map(|(page, room)| Step::Push(page, room)),
        6 => page().prop_map(Step::Send),
        6 => (page(), 1..4_usize, any::<bool>()).prop_map(|(page, count, lost)| Step::Arrive(page, count, lost)),
        1 => page().prop_map(Step::Refuse),
        1 => page().prop_map(Step::Retry),
        1 => page().prop_map(Step::Disconnect),
        4 => page().prop_map(Step::Look),
        4 => (page(), prop::bool::weighted(0.1)).prop_map(|(page, rude)| Step::Settle(page, rude)),
    ]
}

struct Page {
    kept: Kept,
    alive: bool,
    frozen: bool,
    wire: Vec<frame::Send>,
    claims: Vec<String>,
    /// How often it was thought to have ended while it stood still: from then on it is another page to everybody.
    lives: usize,
}

/// One message as the world remembers it.
struct Said {
    key: Key,
    /// Which page, in which of its lives.
    by: (usize, usize),
    room: RoomId,
    /// It was refused once, so others of its room may have gone first.
    failed: bool,
}

struct World {
    way: Way,
    shared: Storage,
    pages: Vec<Page>,
    said: Vec<Said>,
    /// What the server stored, in its order.
    log: Vec<Key>,
    /// The numbers of keys to come: a clock that is set back mints smaller ones.
    numbers: Vec<i64>,
}

impl World {
    fn new(way: Way, numbers: Vec<i64>) -> Self {
        let (shared, pages, said, log) = (Storage::default(), Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { way, shared, pages, said, log, numbers };
        world.open();
        world
    }

    fn open(&mut self) {
        let mut kept = Kept::new();
        kept.begin(self.pages.len().to_string(), "ana".to_owned());
        self.pages.push(Page { kept, alive: true, frozen: false, wire: Vec::new(), claims: Vec::new(), lives: 1 });
    }

    /// A page that can do something.
    fn awake(&mut self, number: usize) -> Option<usize> {
        let index = number % self.pages.len();
        (self.pages[index].alive && !self.pages[index].frozen).then_some(index)
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Open if self.pages.len() < 12 => self.open(),
            Step::Open => {}
            Step::Close(number) => self.close(number),
            Step::Crash(number) => self.end(number),
            Step::Freeze(number) => self.freeze(number, true),
            Step::Thaw(number) => self.freeze(number, false),
            Step::Push(number, room) => self.push(number, room),
            Step::Send(number) => self.send(number),
            Step::Arrive(number, count, lost) => self.arrive(number, count, lost),
            Step::Refuse(number) => self.refuse(number),
            Step::Retry(number) => self.retry(number),
            Step::Disconnect(number) => {
                if let Some(index) = self.awake(number) {
                    self.pages[index].wire.clear();
                    self.pages[index].kept.disconnected();
                }
            }
            Step::Look(number) => self.look(number),
            Step::Settle(number, rude) => self.settle(number, rude),
        }
        self.check();
    }

    fn close(&mut self, number: usize) {
        if let Some(index) = self.awake(number)
            && self.way == Way::Claims
        {
            self.pages[index].kept.leave(&self.shared);
        }
        self.end(number);
    }

    /// What was sent still travels; nobody is there to hear the answers.
    fn end(&mut self, number: usize) {
        let index = number % self.pages.len();
        self.pages[index].alive = false;
    }

    fn freeze(&mut self, number: usize, frozen: bool) {
        let index = number % self.pages.len();
        self.pages[index].frozen = frozen;
    }

    fn push(&mut self, number: usize, room: i64) {
        let (Some(index), Some(number)) = (self.awake(number), self.numbers.pop()) else { return };
        let (key, room) = (key(number), RoomId(room));
        let send = frame::Send { room, key, body: number.to_string(), reply_to: None };
        let page = &mut self.pages[index];
        page.kept.change(&self.shared, |outbox| outbox.push(send));
        page.lives += usize::from(!page.kept.given_up().is_empty());
        let by = (index, page.lives);
        self.said.push(Said { key, by, room, failed: false });
    }

    /// Whoever sends something is the only one who would.
    fn send(&mut self, number: usize) {
        let Some(index) = self.awake(number) else { return };
        let ready = self.pages[index].kept.take_ready(&self.shared, 0.0);
        for (other, page) in self.pages.iter().enumerate().filter(|(other, page)| *other != index && page.alive) {
            let mut kept = page.kept.clone();
            kept.check(&self.shared);
            let both = |send: &&frame::Send| kept.outbox().held().any(|(held, _)| held.key == send.key);
            assert_eq!(ready.iter().find(both), None, "page {other} would send it, and page {index} does");
        }
        self.pages[index].wire.extend(ready);
    }

    fn arrive(&mut self, number: usize, count: usize, lost: bool) {
        let index = number % self.pages.len();
        let count = count.min(self.pages[index].wire.len());
        let arrived: Vec<frame::Send> = self.pages[index].wire.drain(..count).collect();
        for send in arrived {
            if !self.log.contains(&send.key) {
                self.log.push(send.key);
            }
            let answered = !lost && self.awake(index).is_some();
            if answered {
                self.pages[index].kept.change(&self.shared, |outbox| outbox.acked(send.key));
            }
        }
    }

    fn refuse(&mut self, number: usize) {
        let Some(index) = self.awake(number) else { return };
        let page = &mut self.pages[index];
        if page.wire.is_empty() {
            return;
        }
        let send = page.wire.remove(0);
        // The server refuses nothing that it has stored.
        if self.log.contains(&send.key) {
            return;
        }
        let refusal = Refusal::new(Code::Forbidden, "no");
        page.kept.change(&self.shared, |outbox| outbox.nacked(send.key, &refusal, 0.0));
        self.said.iter_mut().filter(|said| said.key == send.key).for_each(|said| said.failed = true);
    }

    fn retry(&mut self, number: usize) {
        let Some(index) = self.awake(number) else { return };
        let kept = &mut self.pages[index].kept;
        let failed: Vec<Key> =
            kept.outbox().held().filter(|(_, refusal)| refusal.is_some()).map(|(send, _)| send.key).collect();
        for key in failed {
            kept.change(&self.shared, |outbox| outbox.retry(key));
        }
    }

    fn look(&mut self, number: usize) {
        let Some(index) = self.awake(number) else { return };
        for name in self.pages[index].kept.others(&self.shared) {
            let living = self.pages.iter().any(|page| page.alive && page.kept.name() == name);
            let page = &mut self.pages[index];
            match self.way {
                Way::Locks if living => {}
                Way::Locks => {
                    page.kept.take(&self.shared, &name);
                }
                Way::Claims => {
                    page.kept.claim(&self.shared, &name).expect("something lies there");
                    page.claims.push(name);
                }
            }
        }
    }

    fn settle(&mut self, number: usize, rude: bool) {
        let Some(index) = self.awake(number) else { return };
        for page in self.pages.iter_mut().filter(|page| page.alive && !page.frozen && !rude) {
            page.kept.answer(&self.shared);
        }
        let page = &mut self.pages[index];
        for name in std::mem::take(&mut page.claims) {
            if page.kept.stands(&self.shared, &name) {
                page.kept.take(&self.shared, &name);
            }
        }
    }

    /// Everything said is stored, or held by a page that lives, or lies where another one finds it.
    fn check(&self) {
        let mut somewhere: BTreeSet<Key> = self.log.iter().copied().collect();
        for page in self.pages.iter().filter(|page| page.alive) {
            somewhere.extend(page.kept.outbox().held().map(|(send, _)| send.key));
        }
        let texts: Vec<String> = self.shared.texts.borrow().values().cloned().collect();
        for said in &self.said {
            let lies = || texts.iter().any(|text| text.contains(&said.key.to_string()));
            assert!(somewhere.contains(&said.key) || lies(), "{} is lost", said.key);
        }
    }

    /// Everybody goes, somebody comes, and the server answers everything.
    fn drain(&mut self) {
        for number in 0..self.pages.len() {
            self.end(number);
            self.arrive(number, usize::MAX, true);
        }
        self.open();
        let last = self.pages.len() - 1;
        self.look(last);
        self.settle(last, false);
        self.retry(last);
        while self.pages[last].kept.outbox().waiting() > 0 {
            self.send(last);
            assert!(!self.pages[last].wire.is_empty(), "something waits and nothing can be sent");
            self.arrive(last, usize::MAX, false);
        }
        assert!(self.shared.names().is_empty(), "nothing waits, so nothing lies there");
    }
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(vec![Way::Locks, Way::Claims])
}

proptest! {
    #[test]
    fn nothing_is_lost_nothing_is_sent_by_two_and_each_pages_order_holds(
        way in way(),
        numbers in Just((1..200_i64).collect::<Vec<_>>()).prop_shuffle(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(way, numbers);
        steps.iter().for_each(|step| world.run(step));
        world.drain();
        let said: BTreeSet<Key> = world.said.iter().map(|said| said.key).collect();
        let stored: BTreeSet<Key> = world.log.iter().copied().collect();
        prop_assert_eq!(&stored, &said);
        prop_assert_eq!(world.log.len(), stored.len());
        for by in world.said.iter().map(|said| said.by).collect::<BTreeSet<_>>() {
            for room in (0..ROOMS).map(RoomId) {
                let of = |said: &&Said| said.by == by && said.room == room && !said.failed;
                let expected: Vec<Key> = world.said.iter().filter(of).map(|said| said.key).collect();
                let in_log = world.log.iter().copied().filter(|key| expected.contains(key)).collect::<Vec<_>>();
                prop_assert_eq!(in_log, expected);
            }
        }
    }
}
