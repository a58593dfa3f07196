//! The outbox by example.

use tertulia_protocol::{Code, Key, Refusal, RoomId, frame};

use super::{HELD, HELD_BYTES, Outbox, Verdict};
use crate::testing::key;

const LOBBY: i64 = 1;
const HALL: i64 = 2;

pub(super) fn number(key: Key) -> i64 {
    i64::from_str_radix(key.to_string().rsplit('-').next().unwrap(), 16).unwrap()
}

pub(super) fn send(room: i64, number: i64) -> frame::Send {
    frame::Send { room: RoomId(room), key: key(number), body: format!("message {number}"), reply_to: None }
}

fn filled(sends: &[(i64, i64)]) -> Outbox {
    let mut outbox = Outbox::new();
    for (room, number) in sends {
        outbox.push(send(*room, *number));
    }
    outbox
}

pub(super) fn take(outbox: &mut Outbox, now_ms: f64) -> Vec<i64> {
    outbox.take_ready(now_ms).into_iter().map(|send| number(send.key)).collect()
}

pub(super) fn busy(retry_after_ms: u64) -> Refusal {
    Refusal::new(Code::Busy, "busy").retry_after(retry_after_ms)
}

pub(super) fn too_long() -> Refusal {
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
    assert_eq!(verdict(plain(Code::Uncertain)), Verdict::Temporary { retry_at_ms: 2_000.0 });
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
fn no_more_text_is_held_than_its_bound() {
    let mut outbox = Outbox::new();
    let long = "x".repeat(HELD_BYTES / 8);
    for number in 0..8 {
        assert!(!outbox.is_full());
        outbox.push(frame::Send { body: long.clone(), ..send(LOBBY, number) });
    }
    assert!(outbox.is_full());
    outbox.push(send(LOBBY, 9));
    assert_eq!(outbox.waiting(), 8);
}

#[test]
fn what_an_ended_tab_left_goes_by_when_it_was_made_and_keeps_its_own_order() {
    let mut outbox = filled(&[(LOBBY, 3), (LOBBY, 7)]);
    assert_eq!(take(&mut outbox, 0.0), [3], "premise: one is in flight");
    // A clock that was set back made the second key smaller than the first.
    outbox.merge(filled(&[(LOBBY, 5), (LOBBY, 1), (HALL, 9)]));
    let order: Vec<i64> = outbox.held().map(|(send, _)| number(send.key)).collect();
    assert_eq!(order, [3, 5, 1, 7, 9]);
    assert_eq!(take(&mut outbox, 0.0), [9], "one is in flight per room, as before");
    outbox.acked(key(3));
    assert_eq!(take(&mut outbox, 0.0), [5]);
}

#[test]
fn what_was_in_flight_elsewhere_is_queued_and_a_key_that_both_hold_is_held_once() {
    let mut ended = filled(&[(LOBBY, 1), (LOBBY, 2)]);
    take(&mut ended, 0.0);
    let mut outbox = filled(&[(LOBBY, 2)]);
    outbox.merge(ended);
    assert_eq!(outbox.waiting(), 2);
    assert_eq!(take(&mut outbox, 0.0), [1]);
}

#[test]
fn a_full_outbox_can_be_taken_over_by_one_that_is_all_but_full() {
    let many =
        |from: i64, count: usize| filled(&(from..).map(|number| (LOBBY, number)).take(count).collect::<Vec<_>>());
    let (mut outbox, full) = (many(0, HELD - 1), many(1_000, HELD));
    assert!(outbox.has_room_for(&full));
    outbox.merge(full);
    assert_eq!(outbox.waiting(), 2 * HELD - 1);
    assert!(outbox.is_full());
    assert!(outbox.has_room_for(&many(2_000, 1)) && !outbox.has_room_for(&many(2_000, 2)));
    let kept: Outbox = serde_json::from_str(&serde_json::to_string(&outbox).unwrap()).unwrap();
    assert_eq!(kept.waiting(), outbox.waiting(), "it comes back whole");
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
    many.extend((2..1_200).map(|number| stored(number, Some(too_long()))));
    let restored: Outbox = serde_json::from_value(many.into()).unwrap();
    assert!(restored.is_full());
    assert_eq!(restored.waiting(), 1, "the first of two counts");
    assert_eq!(restored.held().count(), 2 * HELD);
    assert!(serde_json::from_str::<Outbox>(r#"[{"send":{"room":1}}]"#).is_err());
}
