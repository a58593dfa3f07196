//! The way out of a connection: order, shared frames, bounds, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tertulia_protocol::limits::{QUEUE_AGE_MS, QUEUE_BYTES, QUEUE_EVENTS};
use tertulia_protocol::{Change, Close, Entry, Person, RoomId, Seq, ServerFrame, UserId, codec};

use super::{Ended, Queue};
use crate::encoded::Encoded;

fn encoded(room: i64, seq: i64) -> Arc<Encoded> {
    let by = Person { id: UserId(1), name: "Pau".to_owned() };
    let entry = Entry { seq: Seq(seq), at: 0, by, key: None, change: Change::Joined };
    Arc::new(Encoded::new(RoomId(room), &entry))
}

fn frames(queue: &Queue) -> Vec<ServerFrame> {
    let frames = queue.take().expect("the queue is open");
    let decoded = frames.iter().map(|frame| codec::decode_server(std::str::from_utf8(frame).expect("UTF-8")));
    decoded.map(|frame| frame.expect("our own frames decode")).collect()
}

#[tokio::test]
async fn neighbouring_entries_of_one_room_share_a_frame_and_order_is_kept() {
    let queue = Queue::default();
    for (room, seq) in [(1, 1), (1, 2), (2, 9), (1, 3)] {
        assert!(queue.push_entry(RoomId(room), encoded(room, seq)));
    }
    queue.push_frame(&ServerFrame::Pong);
    queue.push_entry(RoomId(1), encoded(1, 4));
    let seen: Vec<(i64, Vec<i64>)> = frames(&queue)
        .into_iter()
        .map(|frame| match frame {
            ServerFrame::Entries { room, entries } => (room.0, entries.iter().map(|entry| entry.seq.0).collect()),
            ServerFrame::Pong => (0, Vec::new()),
            other => panic!("not pushed: {other:?}"),
        })
        .collect();
    assert_eq!(seen, [(1, vec![1, 2]), (2, vec![9]), (1, vec![3]), (0, vec![]), (1, vec![4])]);
}

#[tokio::test]
async fn a_lone_entry_is_shared_and_not_copied() {
    let queue = Queue::default();
    let entry = encoded(1, 1);
    queue.push_entry(RoomId(1), entry.clone());
    let taken = queue.take().expect("the queue is open");
    assert_eq!(taken[0].as_ptr(), entry.frame().as_ptr());
}

#[tokio::test]
async fn too_many_events_end_the_queue_and_nothing_is_taken_afterwards() {
    let queue = Queue::default();
    for seq in 1..=i64::try_from(QUEUE_EVENTS).expect("small") {
        assert!(queue.push_entry(RoomId(1), encoded(1, seq)), "premise: the bound is not reached at {seq}");
    }
    assert!(!queue.push_entry(RoomId(1), encoded(1, 9_999)));
    assert_eq!(queue.take(), Err(Ended { close: Close::TooSlow, retry_after_ms: Some(0) }));
    assert!(!queue.push_frame(&ServerFrame::Pong));
}

#[tokio::test]
async fn too_many_bytes_end_the_queue() {
    let queue = Queue::default();
    let half = Bytes::from(vec![b'x'; QUEUE_BYTES / 2]);
    assert!(queue.push_encoded(half.clone()));
    assert!(queue.push_encoded(half.clone()));
    assert!(!queue.push_encoded(Bytes::from_static(b"x")));
}

#[tokio::test(start_paused = true)]
async fn what_waits_too_long_ends_the_queue() {
    let queue = Queue::default();
    queue.push_frame(&ServerFrame::Pong);
    tokio::time::advance(Duration::from_millis(QUEUE_AGE_MS + 1)).await;
    assert!(!queue.push_frame(&ServerFrame::Pong));
    assert_eq!(queue.ended().map(|ended| ended.close), Some(Close::TooSlow));
}

#[tokio::test(start_paused = true)]
async fn taking_starts_the_age_anew() {
    let queue = Queue::default();
    queue.push_frame(&ServerFrame::Pong);
    tokio::time::advance(Duration::from_millis(QUEUE_AGE_MS - 1)).await;
    assert_eq!(frames(&queue).len(), 1);
    queue.push_frame(&ServerFrame::Pong);
    tokio::time::advance(Duration::from_millis(QUEUE_AGE_MS - 1)).await;
    assert!(queue.push_frame(&ServerFrame::Pong), "the newest wait is shorter than the bound");
}

#[tokio::test]
async fn the_first_reason_to_end_stands() {
    let queue = Queue::default();
    queue.end(Ended { close: Close::Revoked, retry_after_ms: None });
    queue.end(Ended { close: Close::Restarting, retry_after_ms: Some(5) });
    assert_eq!(queue.until_ended().await, Ended { close: Close::Revoked, retry_after_ms: None });
}

#[tokio::test]
async fn a_push_wakes_whoever_waits_and_draining_makes_room() {
    let queue = Arc::new(Queue::default());
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.ready().await }
    });
    queue.push_encoded(Bytes::from(vec![b'x'; QUEUE_BYTES / 2 + 1]));
    waiting.await.expect("ready returns");
    let paging = tokio::spawn({
        let queue = queue.clone();
        async move { queue.has_room().await }
    });
    tokio::task::yield_now().await;
    assert!(!paging.is_finished(), "premise: more than half is used");
    assert_eq!(queue.take().expect("open").len(), 1);
    paging.await.expect("there is room now");
}

#[tokio::test]
async fn signs_that_may_be_lost_are_dropped_while_much_waits() {
    let queue = Queue::default();
    for _ in 0..100 {
        queue.push_frame(&ServerFrame::Pong);
    }
    queue.push_soft(Bytes::from_static(b"typing"));
    assert_eq!(queue.take().expect("open").len(), 100);
    queue.push_soft(Bytes::from_static(b"typing"));
    assert_eq!(queue.take().expect("open").len(), 1);
}
