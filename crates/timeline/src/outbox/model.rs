//! The outbox against a plain model, under any order of events.

use proptest::prelude::*;

use super::Outbox;
use super::tests::{busy, number, send, take, too_long};
use crate::testing::key;

/// One thing that happens to the outbox; sends are named by their number.
#[derive(Clone, Debug)]
enum Step {
    Push(i64),
    Take,
    Ack(i64),
    Busy(i64, u64),
    Refuse(i64),
    Disconnect,
    Retry(i64),
    Discard(i64),
    Wait(u64),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let any_of = || 0..NUMBERS;
    prop_oneof![
        4 => any_of().prop_map(Step::Push),
        5 => Just(Step::Take),
        4 => any_of().prop_map(Step::Ack),
        3 => (any_of(), 0..200_u64).prop_map(|(number, wait)| Step::Busy(number, wait)),
        2 => any_of().prop_map(Step::Refuse),
        1 => Just(Step::Disconnect),
        2 => any_of().prop_map(Step::Retry),
        1 => any_of().prop_map(Step::Discard),
        2 => (0..200_u64).prop_map(Step::Wait),
        1 => Just(Step::Reload),
    ]
}

const NUMBERS: i64 = 24;
const ROOMS: i64 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Waiting { until: f64 },
    InFlight,
    Failed,
    Acked,
    Discarded,
}

/// Every key that was ever pushed, in order, and what became of it.
#[derive(Default)]
struct Model {
    fates: Vec<(i64, Fate)>,
    outbox: Outbox,
    now: f64,
}

impl Model {
    fn fate(&mut self, number: i64) -> Option<&mut Fate> {
        self.fates.iter_mut().find(|(known, _)| *known == number).map(|(_, fate)| fate)
    }

    fn run(&mut self, step: &Step) {
        let now = self.now;
        match *step {
            Step::Push(number) => {
                // A key is minted once: what was acked or discarded is never pushed again.
                if self.fate(number).is_none() {
                    self.fates.push((number, Fate::Waiting { until: 0.0 }));
                    self.outbox.push(send(number % ROOMS, number));
                }
            }
            Step::Take => self.take(),
            Step::Ack(number) => {
                self.outbox.acked(key(number));
                self.change(number, |fate| (fate != Fate::Discarded).then_some(Fate::Acked));
            }
            Step::Busy(number, wait) => {
                self.outbox.nacked(key(number), &busy(wait), now);
                let until = now + wait as f64;
                self.change(number, |fate| held(fate).then_some(Fate::Waiting { until }));
            }
            Step::Refuse(number) => {
                self.outbox.nacked(key(number), &too_long(), now);
                self.change(number, |fate| held(fate).then_some(Fate::Failed));
            }
            Step::Disconnect => {
                self.outbox.disconnected();
                self.change_all(|fate| (fate == Fate::InFlight).then_some(Fate::Waiting { until: 0.0 }));
            }
            Step::Retry(number) => {
                let did = self.outbox.retry(key(number));
                let expected =
                    self.change(number, |fate| (fate == Fate::Failed).then_some(Fate::Waiting { until: 0.0 }));
                assert_eq!(did, expected);
            }
            Step::Discard(number) => {
                let did = self.outbox.discard(key(number));
                let free = |fate| held(fate) && fate != Fate::InFlight;
                assert_eq!(did, self.change(number, |fate| free(fate).then_some(Fate::Discarded)));
            }
            Step::Wait(ms) => self.now += ms as f64,
            Step::Reload => {
                self.outbox = serde_json::from_str(&serde_json::to_string(&self.outbox).unwrap()).unwrap();
                let waits = |fate| held(fate) && fate != Fate::Failed;
                self.change_all(|fate| waits(fate).then_some(Fate::Waiting { until: 0.0 }));
            }
        }
        self.check();
    }

    fn change(&mut self, number: i64, next: impl Fn(Fate) -> Option<Fate>) -> bool {
        let Some(fate) = self.fate(number) else { return false };
        next(*fate).map(|next| *fate = next).is_some()
    }

    fn change_all(&mut self, next: impl Fn(Fate) -> Option<Fate>) {
        for (_, fate) in &mut self.fates {
            *fate = next(*fate).unwrap_or(*fate);
        }
    }

    /// What is taken is, per room, exactly the first that waits, if its time has come and none is in flight.
    fn take(&mut self) {
        let mut expected = Vec::new();
        for room in 0..ROOMS {
            let of_room = || self.fates.iter().filter(|(number, _)| number % ROOMS == room);
            if of_room().any(|(_, fate)| *fate == Fate::InFlight) {
                continue;
            }
            let first = of_room().find(|(_, fate)| matches!(fate, Fate::Waiting { .. }));
            expected.extend(first.filter(|(_, fate)| matches!(fate, Fate::Waiting { until } if *until <= self.now)));
        }
        let mut taken = take(&mut self.outbox, self.now);
        taken.sort_unstable();
        let mut numbers: Vec<i64> = expected.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(taken, numbers);
        for number in taken {
            self.change(number, |_| Some(Fate::InFlight));
        }
    }

    /// No key is lost or doubled: what is held is what neither was acked nor discarded, in its order.
    fn check(&self) {
        let expected: Vec<(i64, bool)> = self
            .fates
            .iter()
            .filter(|(_, fate)| held(*fate))
            .map(|(number, fate)| (*number, *fate == Fate::Failed))
            .collect();
        let kept: Vec<(i64, bool)> =
            self.outbox.held().map(|(send, refusal)| (number(send.key), refusal.is_some())).collect();
        assert_eq!(kept, expected);
        assert_eq!(self.outbox.waiting(), expected.iter().filter(|(_, failed)| !failed).count());
    }

    /// A connection that answers everything: each room's sends arrive in order, each once.
    fn drain(&mut self) -> Vec<i64> {
        self.run(&Step::Disconnect);
        let mut arrived = Vec::new();
        while self.outbox.waiting() > 0 {
            self.now = self.now.max(self.outbox.next_at().unwrap_or(self.now));
            let taken = take(&mut self.outbox, self.now);
            assert!(!taken.is_empty(), "something waits and nothing can be taken");
            for number in taken {
                self.run(&Step::Ack(number));
                arrived.push(number);
            }
        }
        arrived
    }
}

fn held(fate: Fate) -> bool {
    !matches!(fate, Fate::Acked | Fate::Discarded)
}

proptest! {
    #[test]
    fn no_key_is_lost_doubled_or_overtaken(steps in prop::collection::vec(step(), 1..120)) {
        let mut model = Model::default();
        steps.iter().for_each(|step| model.run(step));
        let waiting = model.fates.iter().filter(|(_, fate)| matches!(fate, Fate::Waiting { .. } | Fate::InFlight));
        let waiting: Vec<i64> = waiting.map(|(number, _)| *number).collect();
        let arrived = model.drain();
        for room in 0..ROOMS {
            let of_room = |numbers: &[i64]| numbers.iter().copied().filter(|number| number % ROOMS == room).collect::<Vec<_>>();
            prop_assert_eq!(of_room(&arrived), of_room(&waiting));
        }
    }
}
