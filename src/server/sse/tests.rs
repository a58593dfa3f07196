//! How long a stream waits for its peer. Time stands still here unless everybody waits for it.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::StreamExt as _;
use tokio::task::JoinHandle;

use super::*;
use crate::server::client::{Client, Places};
use crate::server::timekeeper::Timekeeper;

/// Somebody who listens, and whether they are still there.
struct Somebody {
    queue: Arc<Queue>,
    there: Arc<AtomicBool>,
    /// Frames that come first, each as soon as there is room.
    first: usize,
}

impl Audience for Somebody {
    fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    async fn begin(&mut self) -> Result<(), Ended> {
        for _ in 0..self.first {
            self.queue.has_room().await;
            self.queue.push_encoded(frame());
        }
        Ok(())
    }

    async fn revalidate(&mut self) -> Result<(), Ended> {
        Ok(())
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        self.there.store(false, Ordering::SeqCst);
    }
}

struct Plain;

impl Words for Plain {
    fn say(&mut self, frame: &[u8]) -> Vec<Event> {
        vec![Event::default().data(String::from_utf8_lossy(frame))]
    }

    fn goodbye(&self, _: Ended) -> Event {
        Event::default().event("bye")
    }
}

fn frame() -> Bytes {
    Bytes::from_static(br#"{"t":"pong"}"#)
}

fn bell() -> Bell {
    let keeper = Timekeeper::new();
    let bell = keeper.bell();
    tokio::spawn(keeper.keep());
    bell
}

/// A stream in the middle of its life.
struct Told {
    queue: Arc<Queue>,
    there: Arc<AtomicBool>,
    events: mpsc::Receiver<Event>,
    task: JoinHandle<bool>,
}

fn stream(first: usize) -> Told {
    let (queue, there) = (Arc::<Queue>::default(), Arc::new(AtomicBool::new(true)));
    let (sender, events) = mpsc::channel(AHEAD);
    let line = Line { events: sender, queue: queue.clone(), words: Plain, rounds: Rounds::begin(bell()) };
    let audience = Somebody { queue: queue.clone(), there: there.clone(), first };
    Told { queue, there, events, task: tokio::spawn(line.hold(audience)) }
}

impl Told {
    /// Whether the goodbye was taken.
    async fn over(self) -> bool {
        let reached = self.task.await.expect("nothing panics");
        assert!(!self.there.load(Ordering::SeqCst), "who listened is out of every room");
        reached
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_let_go_after_the_deadline_of_a_write_and_cannot_be_told() {
    let told = stream(0);
    let began = Instant::now();
    for _ in 0..3 {
        told.queue.push_encoded(frame());
    }
    assert!(!told.over().await, "so its connection is to be cut");
    assert_eq!(began.elapsed(), Duration::from_millis(WRITE_MS) + GOODBYE);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_each_event_within_the_deadline_gets_them_all() {
    let mut told = stream(0);
    for _ in 0..20 {
        told.queue.push_encoded(frame());
    }
    // The first word, and the frames.
    for _ in 0..21 {
        tokio::time::sleep(Duration::from_millis(WRITE_MS - 1)).await;
        assert!(told.events.recv().await.is_some());
    }
    assert!(told.there.load(Ordering::SeqCst));
    drop(told.events);
    assert!(told.task.await.expect("nothing panics"), "who hangs up is told nothing more");
    assert!(!told.there.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn what_comes_first_is_told_while_it_comes_however_much_it_is() {
    // Far more than a queue holds.
    let mut told = stream(5_000);
    for _ in 0..5_001 {
        assert!(told.events.recv().await.is_some());
    }
    assert!(told.queue.ended().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_at_once_and_is_the_last_word() {
    let mut told = stream(0);
    assert!(told.events.recv().await.is_some(), "premise: it began");
    told.queue.push_encoded(frame());
    told.queue.end(Ended { close: Close::Restarting, retry_after_ms: Some(1_500) });
    assert!(told.events.recv().await.is_some(), "the goodbye");
    assert!(told.events.recv().await.is_none(), "and nothing after it");
    assert!(told.over().await);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_a_comment_so_that_nobody_takes_it_for_dead() {
    let places = Places::new(1, 10, Box::new(|_| false));
    let held = Held { place: places.admit(Client(None)).expect("a place"), seat: None };
    let (queue, there) = (Arc::<Queue>::default(), Arc::new(AtomicBool::new(true)));
    let streams = TaskTracker::new();
    let response = carry(&streams, bell(), held, Somebody { queue, there: there.clone(), first: 0 }, Plain);
    let mut body = response.into_body().into_data_stream();
    let mut next = async || body.next().await.expect("the stream goes on").expect("bytes");
    assert_eq!(next().await, "retry: 1000\n: listening\n\n");
    for _ in 0..3 {
        let began = Instant::now();
        let said = next().await;
        assert!(said.starts_with(b":") && said.ends_with(b"\n\n"), "{said:?}");
        let late = began.elapsed().checked_sub(KEEP_ALIVE).expect("not before its time");
        assert!(late <= Duration::from_millis(500), "a grain of the timekeeper late at most, not {late:?}");
    }
    drop(body);
    streams.close();
    streams.wait().await;
    assert!(!there.load(Ordering::SeqCst), "whoever hung up is out of every room");
}
