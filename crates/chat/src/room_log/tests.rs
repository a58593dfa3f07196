//! Each entry once, in order, without a hole, whatever order and however often it is offered.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tertulia_protocol::{Change, Entry, Person, RoomId, Seq, UserId, codec};
use tokio::time::Instant;

use super::{Joined, Offered, Place, RoomLog};
use crate::encoded::Encoded;
use crate::queue::Queue;

pub(super) const ROOM: RoomId = RoomId(7);

pub(super) fn entry(seq: i64) -> Entry {
    let by = Person { id: UserId(2), name: "Núria".to_owned() };
    Entry {
        seq: Seq(seq),
        at: 1_000 + seq,
        by,
        key: None,
        change: Change::Posted { body: format!("n {seq}"), reply_to: None },
    }
}

fn encoded(seq: i64) -> Arc<Encoded> {
    Arc::new(Encoded::new(ROOM, &entry(seq)))
}

/// Everything that waits in a queue, as numbers of entries.
pub(super) fn seqs_in(queue: &Queue) -> Vec<i64> {
    let mut seqs = Vec::new();
    loop {
        let frames = queue.take().expect("the queue is open");
        if frames.is_empty() {
            return seqs;
        }
        for frame in frames {
            let text = std::str::from_utf8(&frame).expect("frames are UTF-8");
            match codec::decode_server(text).expect("our own frames decode") {
                tertulia_protocol::ServerFrame::Entries { entries, .. } => seqs.extend(entries.iter().map(|e| e.seq.0)),
                other => panic!("only entries were offered, not {other:?}"),
            }
        }
    }
}

fn loaded(head: i64) -> RoomLog {
    let log = RoomLog::new(ROOM);
    log.load(Seq(head));
    log
}

fn follow(log: &RoomLog, conn: u64, after: Option<i64>) -> (Arc<Queue>, Joined) {
    let queue = Arc::new(Queue::default());
    let joined = log.join(&Place::new(conn, queue.clone()), after.map(Seq), |_| {});
    (queue, joined)
}

#[test]
fn an_entry_is_encoded_once_and_its_parts_agree() {
    let encoded = encoded(3);
    let frame = encoded.frame();
    let frame = std::str::from_utf8(&frame).expect("frames are UTF-8");
    assert_eq!(encoded.json(), codec::encode(&entry(3)));
    assert_eq!(frame, codec::entries_frame(ROOM, [encoded.json()]));
}

#[test]
fn entries_out_of_order_leave_in_order() {
    let log = loaded(0);
    let (queue, joined) = follow(&log, 1, None);
    assert_eq!(joined, Joined::Following { head: Seq(0) }, "premise: the follower is in");
    assert_eq!(log.offer(encoded(2)), Offered::Held);
    assert!(log.has_hole());
    assert_eq!(log.offer(encoded(3)), Offered::Held);
    assert_eq!(seqs_in(&queue), Vec::<i64>::new(), "nothing leaves before its turn");
    assert_eq!(log.offer(encoded(1)), Offered::Delivered);
    assert_eq!(seqs_in(&queue), [1, 2, 3]);
    assert!(!log.has_hole());
}

#[test]
fn an_echo_is_dropped_by_its_number() {
    let log = loaded(4);
    let (queue, _) = follow(&log, 1, None);
    assert_eq!(log.offer(encoded(5)), Offered::Delivered);
    assert_eq!(log.offer(encoded(5)), Offered::Known);
    assert_eq!(log.offer(encoded(2)), Offered::Known);
    assert_eq!(seqs_in(&queue), [5]);
}

#[test]
fn what_came_before_loading_is_delivered_after_it_unless_known_by_then() {
    let log = RoomLog::new(ROOM);
    assert_eq!(log.offer(encoded(8)), Offered::Held);
    assert_eq!(log.offer(encoded(9)), Offered::Held);
    log.load(Seq(8));
    assert_eq!(log.head(), Some(Seq(9)), "8 was known to SQL, 9 came later");
}

#[test]
fn whoever_resumes_within_memory_gets_exactly_what_was_missed() {
    let log = loaded(10);
    for seq in 11..=20 {
        log.offer(encoded(seq));
    }
    let (queue, joined) = follow(&log, 1, Some(14));
    assert_eq!(joined, Joined::Following { head: Seq(20) });
    log.offer(encoded(21));
    assert_eq!(seqs_in(&queue), (15..=21).collect::<Vec<_>>());
}

#[test]
fn memory_says_when_it_does_not_reach_back() {
    let log = loaded(10);
    log.offer(encoded(11));
    assert_eq!(follow(&log, 1, Some(10)).1, Joined::Following { head: Seq(11) }, "premise: 10 is in reach");
    assert_eq!(follow(&log, 2, Some(9)).1, Joined::TooOld { head: Seq(11) });
    assert_eq!(follow(&log, 3, Some(12)).1, Joined::Ahead { head: Seq(11) });
}

#[test]
fn memory_is_bounded_by_count() {
    let log = loaded(0);
    for seq in 1..=300 {
        log.offer(encoded(seq));
    }
    assert_eq!(follow(&log, 1, Some(300 - 256)).1, Joined::Following { head: Seq(300) });
    assert_eq!(follow(&log, 2, Some(300 - 257)).1, Joined::TooOld { head: Seq(300) });
}

#[tokio::test(start_paused = true)]
async fn a_log_is_released_only_when_nobody_has_followed_it_for_the_linger() {
    let linger = Duration::from_secs(45);
    let log = loaded(0);
    let (_queue, _) = follow(&log, 1, None);
    tokio::time::advance(linger * 2).await;
    assert!(!log.release_if_idle(Instant::now(), linger), "somebody is there");
    log.part(1);
    assert!(!log.release_if_idle(Instant::now(), linger), "just left");
    tokio::time::advance(linger).await;
    assert!(log.release_if_idle(Instant::now(), linger));
    assert_eq!(follow(&log, 2, None).1, Joined::Released);
}

#[test]
fn whoever_gave_up_or_is_gone_does_not_join_any_more() {
    let log = loaded(0);
    let queue = Arc::new(Queue::default());
    let place = Place::new(1, queue.clone());
    place.give_up();
    log.part(1);
    assert_eq!(log.join(&place, None, |_| panic!("nobody is greeted")), Joined::GivenUp);
    log.offer(encoded(1));
    assert_eq!(seqs_in(&queue), Vec::<i64>::new());
    queue.abandon();
    assert_eq!(log.join(&Place::new(2, queue), None, |_| panic!("nobody is greeted")), Joined::GivenUp);
}

#[test]
fn what_half_of_the_queue_does_not_hold_is_left_to_paging() {
    let log = loaded(0);
    for seq in 1..=200 {
        log.offer(encoded(seq));
    }
    let queue = Arc::new(Queue::default());
    for _ in 0..301 {
        queue.push_frame(&tertulia_protocol::ServerFrame::Pong);
    }
    let place = Place::new(1, queue.clone());
    assert_eq!(log.join(&place, Some(Seq(0)), |_| {}), Joined::TooOld { head: Seq(200) });
    assert_eq!(log.join(&place, Some(Seq(1)), |_| {}), Joined::Following { head: Seq(200) }, "199 and 301 make 500");
}

#[test]
fn what_is_held_is_bounded_in_bytes_and_forgotten_on_release() {
    let log = loaded(0);
    let long = |seq: i64| {
        let change = Change::Posted { body: "x".repeat(60_000), reply_to: None };
        Arc::new(Encoded::new(ROOM, &Entry { change, ..entry(seq) }))
    };
    for seq in 2..=1_000 {
        log.offer(long(seq));
    }
    assert_eq!(log.held().len(), 1024 * 1024 / long(999).bytes());
    assert_eq!(log.forget_held(&[Seq(2), Seq(3), Seq(999)]), 2);
    log.offer(long(500));
    assert!(log.held().contains(&Seq(500)), "what was forgotten made room");
    assert!(log.release_if_idle(Instant::now(), Duration::ZERO));
    assert!(!log.has_hole());
    assert_eq!(log.offer(encoded(2)), Offered::Known);
}

#[test]
fn nothing_is_missing_before_the_log_is_loaded() {
    let log = RoomLog::new(ROOM);
    log.offer(encoded(8));
    assert!(!log.has_hole(), "there is nothing yet to read after");
    log.load(Seq(3));
    assert!(log.has_hole());
}

proptest! {
    /// Whatever order, however often: each follower sees every entry once, ascending, once all have come.
    #[test]
    fn any_order_with_repeats_is_delivered_once_and_in_order(
        mut arrivals in Just((1_i64..=40).collect::<Vec<_>>()).prop_shuffle(),
        repeats in prop::collection::vec(1_i64..=40, 0..40),
        splits in prop::collection::vec(0_usize..60, 0..4),
    ) {
        for (at, seq) in repeats.into_iter().enumerate() {
            let at = (at * 7) % (arrivals.len() + 1);
            arrivals.insert(at, seq);
        }
        let log = loaded(0);
        let (first, _) = follow(&log, 0, Some(0));
        let mut late = Vec::new();
        for (index, seq) in arrivals.into_iter().enumerate() {
            if splits.contains(&index) {
                // Somebody comes in the middle, from the very beginning.
                late.push(follow(&log, 100 + index as u64, Some(0)).0);
            }
            log.offer(encoded(seq));
        }
        let all: Vec<i64> = (1..=40).collect();
        prop_assert_eq!(seqs_in(&first), all.clone());
        for queue in late {
            prop_assert_eq!(seqs_in(&queue), all.clone());
        }
        prop_assert!(!log.has_hole());
    }
}

#[test]
fn a_log_that_was_just_made_takes_older_entries_into_memory_and_serves_them() {
    let log = loaded(10);
    assert_eq!(follow(&log, 1, Some(7)).1, Joined::TooOld { head: Seq(10) }, "premise: nothing is remembered");
    assert_eq!(log.remembers_from(), Some(Seq(11)));
    assert!(log.remember((6..=10).rev().map(encoded)));
    log.offer(encoded(11));
    let (queue, joined) = follow(&log, 2, Some(7));
    assert_eq!(joined, Joined::Following { head: Seq(11) });
    assert_eq!(seqs_in(&queue), [8, 9, 10, 11]);
    assert!(log.remember((1..=5).rev().map(encoded)));
    assert_eq!(log.remembers_from(), None, "nothing is older than the first");
}

#[test]
fn what_does_not_join_what_is_remembered_is_not_taken() {
    let log = loaded(10);
    assert!(!log.remember([encoded(9)]), "10 is missing");
    assert!(!log.remember([encoded(11)]), "nobody has delivered that");
    assert_eq!(log.remembers_from(), Some(Seq(11)));
}

#[test]
fn memory_takes_no_more_than_its_bound() {
    let log = loaded(1_000);
    assert!(!log.remember((1..=1_000).rev().map(encoded)));
    assert_eq!(log.remembers_from(), None, "it is full");
    let oldest = 1_000 - i64::try_from(super::RING_ENTRIES).unwrap();
    assert!(matches!(follow(&log, 1, Some(oldest)).1, Joined::Following { .. }));
    assert!(matches!(follow(&log, 2, Some(oldest - 1)).1, Joined::TooOld { .. }));
}
