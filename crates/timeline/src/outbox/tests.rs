//! The outbox by example, and against a plain model under any order of events.

use proptest::prelude::*;
use tertulia_protocol::{Code, Key, Refusal, RoomId, frame};

use super::{HELD, Outbox, Verdict};
use crate::testing::{config, key};

const LOBBY: i64 = 1;
const HALL: i64 = 2;

fn number(key: Key) -> i64 {
    i64::from_str_radix(key.to_string().rsplit('-').next().unwrap(), 16).unwrap()
}

fn send(room: i64, number: i64) -> frame::Send {
    frame::Send { room: RoomId(room), key: key(number), body: format!("message {number}"), reply_to: None }
}

fn filled(sends: &[(i64, i64)]) -> Outbox {
    let mut outbox = Outbox::new();
    for (room, number) in sends {
        outbox.push(send(*room, *number));
    }
    outbox
}

fn take(outbox: &mut Outbox, now_ms: f64) -> Vec<i64> {
    outbox.take_ready(now_ms).into_iter().map(|send| number(send.key)).collect()
}

fn busy(retry_after_ms: u64) -> Refusal {
    Refusal::new(Code::Busy, "busy").retry_after(retry_after_ms)
}

fn too_long() -> Refusal {
    Refusal::new(Code::TooLong, "too long")
}

#[test]
fn one_is_in_flight_per_room_and_rooms_do_not_wait_for_each_other() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2), (HALL, 3), (HALL, 4)]);
    assert_eq!(take(&mut outbox, 0.0), [1, 3]);
    assert_eq!(take(&mut outbox, 0.0), [] as [i64; 0]);
    outbox.acked(key(3));
    assert_eq!(take(&mut outbox, 0.0), [4]);
    assert_eq!(outbox.waiting(), 3);
}

#[test]
fn a_temporary_refusal_keeps_the_send_first_until_its_time() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2)]);
    take(&mut outbox, 0.0);
    assert_eq!(outbox.next_at(), None);
    assert_eq!(outbox.nacked(key(1), &busy(300), 100.0), Verdict::Temporary { retry_at_ms: 400.0 });
    assert_eq!((outbox.next_at(), outbox.waiting()), (Some(400.0), 2));
    assert_eq!(take(&mut outbox, 399.0), [] as [i64; 0]);
    assert_eq!(take(&mut outbox, 400.0), [1]);
}

#[test]
fn a_final_refusal_lets_the_next_one_go() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2)]);
    take(&mut outbox, 0.0);
    assert_eq!(outbox.nacked(key(1), &too_long(), 0.0), Verdict::Final);
    assert_eq!(outbox.waiting(), 1);
    assert_eq!(take(&mut outbox, 0.0), [2]);
    let held: Vec<_> = outbox.held().map(|(send, refusal)| (number(send.key), refusal.cloned())).collect();
    assert_eq!(held, [(1, Some(too_long())), (2, None)]);
}

#[test]
fn what_is_temporary_depends_on_the_hint_and_the_code() {
    let verdict = |refusal: Refusal| {
        let mut outbox = filled(&[(LOBBY, 1)]);
        take(&mut outbox, 0.0);
        outbox.nacked(key(1), &refusal, 0.0)
    };
    let plain = |code| Refusal::new(code, "refused");
    assert_eq!(verdict(plain(Code::Internal).retry_after(1_000)), Verdict::Temporary { retry_at_ms: 1_000.0 });
    assert_eq!(verdict(plain(Code::Other).retry_after(5)), Verdict::Temporary { retry_at_ms: 5.0 });
    assert_eq!(verdict(plain(Code::StorageUnavailable)), Verdict::Temporary { retry_at_ms: 2_000.0 });
    assert_eq!(verdict(plain(Code::Busy).retry_after(u64::MAX)), Verdict::Temporary { retry_at_ms: 3_600_000.0 });
    assert_eq!(verdict(plain(Code::Internal)), Verdict::Final);
    assert_eq!(verdict(plain(Code::Forbidden)), Verdict::Final);
    assert_eq!(Outbox::new().nacked(key(9), &busy(1), 0.0), Verdict::Final, "a key that is not held");
}

#[test]
fn a_lost_connection_queues_again_with_the_same_key_in_the_same_order() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2)]);
    let first = outbox.take_ready(0.0);
    outbox.disconnected();
    assert_eq!(outbox.take_ready(0.0), first);
    outbox.disconnected();
    outbox.acked(key(1));
    assert_eq!(take(&mut outbox, 0.0), [2], "a late answer counts");
}

#[test]
fn a_retried_send_goes_before_those_made_after_it() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2), (LOBBY, 3)]);
    take(&mut outbox, 0.0);
    outbox.nacked(key(1), &too_long(), 0.0);
    assert_eq!(take(&mut outbox, 0.0), [2]);
    assert!(outbox.retry(key(1)));
    assert!(!outbox.retry(key(1)), "it waits already");
    assert!(!outbox.retry(key(2)), "it is in flight");
    assert_eq!(take(&mut outbox, 0.0), [] as [i64; 0], "still one in flight per room");
    outbox.acked(key(2));
    assert_eq!(take(&mut outbox, 0.0), [1]);
    outbox.acked(key(1));
    assert_eq!(take(&mut outbox, 0.0), [3]);
}

#[test]
fn what_waits_or_failed_can_be_discarded_but_not_what_is_in_flight() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2), (HALL, 3)]);
    take(&mut outbox, 0.0);
    outbox.nacked(key(3), &too_long(), 0.0);
    assert!(!outbox.discard(key(1)));
    assert!(outbox.discard(key(2)));
    assert!(outbox.discard(key(3)));
    assert!(!outbox.discard(key(3)));
    assert_eq!(outbox.held().count(), 1);
}

#[test]
fn a_key_is_held_once() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 1), (HALL, 1)]);
    assert_eq!(outbox.waiting(), 1);
    assert_eq!(take(&mut outbox, 0.0), [1]);
}

#[test]
fn no_more_than_its_bound_is_held() {
    let mut outbox = Outbox::new();
    for number in 0..HELD as i64 {
        assert!(!outbox.is_full());
        outbox.push(send(LOBBY, number));
    }
    assert!(outbox.is_full());
    outbox.push(send(LOBBY, 9_999));
    assert_eq!(outbox.waiting(), HELD);
    outbox.acked(key(0));
    assert!(!outbox.is_full());
}

#[test]
fn times_that_cannot_be_compared_hold_nothing_for_ever() {
    let mut outbox = filled(&[(LOBBY, 1)]);
    take(&mut outbox, 0.0);
    outbox.nacked(key(1), &busy(1), f64::NAN);
    assert_eq!(take(&mut outbox, 0.0), [1]);
}

#[test]
fn what_is_kept_comes_back_as_after_a_lost_connection() {
    let mut outbox = filled(&[(LOBBY, 1), (LOBBY, 2), (HALL, 3), (4, 4)]);
    take(&mut outbox, 0.0);
    outbox.nacked(key(3), &too_long(), 0.0);
    outbox.nacked(key(4), &busy(1_000), 0.0);
    let json = serde_json::to_string(&outbox).unwrap();
    let mut restored: Outbox = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&restored).unwrap(), json);
    assert!(restored.held().eq(outbox.held()));
    assert_eq!(take(&mut restored, 0.0), [1, 4], "in flight is queued again, waits are forgotten");
}

#[test]
fn what_was_kept_is_not_trusted() {
    let stored =
        |number: i64, refusal: Option<Refusal>| serde_json::json!({"send": send(LOBBY, number), "refusal": refusal});
    let mut many = vec![stored(1, None), stored(1, Some(too_long()))];
    many.extend((2..600).map(|number| stored(number, Some(too_long()))));
    let restored: Outbox = serde_json::from_value(many.into()).unwrap();
    assert!(restored.is_full());
    assert_eq!(restored.waiting(), 1, "the first of two counts");
    assert_eq!(restored.held().count(), HELD);
    assert!(serde_json::from_str::<Outbox>(r#"[{"send":{"room":1}}]"#).is_err());
}

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
    #![proptest_config(config())]

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
