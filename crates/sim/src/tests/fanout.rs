//! The fan-out by itself: wherever somebody begins and whatever the bus loses, each entry comes once and in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tertulia_chat::Start;
use tertulia_chat::bus::embedded::EmbeddedHub;
use tertulia_chat::fanout::{Fanout, Paging};
use tertulia_chat::queue::Queue;
use tertulia_chat::store::{Draft, Store};
use tertulia_protocol::limits::HISTORY_PAGE;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, Seq, ServerFrame, codec};
use tokio::time::{Duration, Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::SimStore;

const ROOM: RoomId = RoomId(1);
/// How often whoever follows reads: more often than a page waits for them.
const READ_EVERY: Duration = Duration::from_millis(20);

/// One thing that happens. Distances are from the newest entry that is stored.
#[derive(Clone, Debug)]
enum Step {
    /// So many are stored elsewhere, and nothing is heard of them.
    Elsewhere(i64),
    /// So many are stored here.
    Here(i64),
    /// The bus brings one, perhaps again, perhaps long after others.
    Heard(i64),
    Follow(u64, Begin),
    Part(u64),
    /// Heads are compared with SQL.
    Compare,
    Wait(u64),
    /// The log is let go of, unless somebody follows; whoever still pages finds another.
    LetGo,
    /// The instance is replaced: everybody must come back.
    Restart,
}

/// Where somebody begins.
#[derive(Clone, Copy, Debug)]
enum Begin {
    Now,
    Behind(i64),
    Ahead(i64),
    Last(u32),
    OtherEpoch,
}

fn step() -> impl Strategy<Value = Step> {
    let begin = prop_oneof![
        1 => Just(Begin::Now),
        6 => (0..12_i64).prop_map(Begin::Behind),
        2 => (200..700_i64).prop_map(Begin::Behind),
        1 => (1..5_i64).prop_map(Begin::Ahead),
        1 => (0..300_u32).prop_map(Begin::Last),
        1 => Just(Begin::OtherEpoch),
    ];
    prop_oneof![
        4 => (1..6_i64).prop_map(Step::Elsewhere),
        1 => (200..400_i64).prop_map(Step::Elsewhere),
        4 => (1..6_i64).prop_map(Step::Here),
        8 => (0..8_i64).prop_map(Step::Heard),
        6 => (0..3_u64, begin).prop_map(|(conn, begin)| Step::Follow(conn, begin)),
        2 => (0..3_u64).prop_map(Step::Part),
        2 => Just(Step::Compare),
        3 => (1..600_u64).prop_map(Step::Wait),
        1 => Just(Step::LetGo),
        1 => Just(Step::Restart),
    ]
}

/// Somebody who follows, and what they were told.
struct Follower {
    queue: Arc<Queue>,
    paging: Option<Paging>,
    /// After which number they asked for entries, if they named one.
    asked: Option<i64>,
    /// Whether the next entry may be any: they asked for the last ones.
    open: bool,
    /// What a reset said, until following is confirmed.
    reset: Option<i64>,
    /// The last entry they have; none before following is confirmed.
    last: Option<i64>,
    /// Their queue was full: they are to come back.
    closed: bool,
}

struct World {
    store: Arc<SimStore>,
    by: Person,
    fanout: Arc<Fanout>,
    stop: CancellationToken,
    /// The log as it is stored.
    log: Vec<Entry>,
    followers: BTreeMap<u64, Follower>,
}

fn fanout(store: &Arc<SimStore>) -> (Arc<Fanout>, CancellationToken) {
    let stop = CancellationToken::new();
    let bus = EmbeddedHub::new().connect().bus;
    (Fanout::new(store.clone(), bus, "one".to_owned(), TaskTracker::new(), stop.clone()), stop)
}

impl World {
    async fn new() -> Self {
        let store = Arc::new(SimStore::still(Epoch::fresh()));
        let by = store.author("Ada", 0).await.unwrap();
        let log = store.entries_after(ROOM, Seq::ZERO, 10).await.unwrap();
        assert_eq!(log.len(), 1, "premise: the room was made");
        let (fanout, stop) = fanout(&store);
        Self { store, by, fanout, stop, log, followers: BTreeMap::new() }
    }

    fn head(&self) -> i64 {
        self.log.len() as i64
    }

    async fn append(&mut self) -> Entry {
        let change = Change::Posted { body: format!("n {}", self.head()), reply_to: None };
        let draft = Draft { room: ROOM, by: self.by.clone(), key: Key::mint(), change, at: 0 };
        let entry = self.store.append(draft).await.unwrap().entry;
        self.log.push(entry.clone());
        entry
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Elsewhere(count) => {
                for _ in 0..count {
                    self.append().await;
                }
            }
            Step::Here(count) => {
                for _ in 0..count {
                    let entry = self.append().await;
                    self.fanout.committed(ROOM, entry);
                }
            }
            Step::Heard(back) => {
                let seq = (self.head() - back).max(1);
                self.fanout.offer(ROOM, &self.log[seq as usize - 1]);
            }
            Step::Follow(conn, begin) => self.follow(conn, begin).await,
            Step::Part(conn) => self.part(conn),
            Step::Compare => {
                let fanout = self.fanout.clone();
                self.reading_on(fanout.reconcile(&[ROOM])).await.unwrap();
            }
            Step::Wait(ms) => self.reading_on(sleep(Duration::from_millis(ms))).await,
            Step::LetGo => drop(self.fanout.release_idle(Instant::now(), Duration::ZERO)),
            Step::Restart => {
                (0..3).for_each(|conn| self.part(conn));
                self.stop.cancel();
                (self.fanout, self.stop) = fanout(&self.store);
            }
        }
        self.listen();
    }

    /// Waits for the end of something. Everybody reads meanwhile, as browsers do.
    async fn reading_on<T>(&mut self, something: impl Future<Output = T>) -> T {
        let mut something = std::pin::pin!(something);
        loop {
            tokio::select! {
                // Safe to cancel: a look that is not taken now is taken after the end.
                done = &mut something => return done,
                () = sleep(READ_EVERY) => self.listen(),
            }
        }
    }

    /// Brings those back who were closed because their queues were full; how many.
    async fn bring_back(&mut self) -> usize {
        let closed: Vec<_> =
            self.followers.iter().filter(|(_, one)| one.closed).map(|(conn, one)| (*conn, one.last)).collect();
        for (conn, last) in &closed {
            let begin = last.map_or(Begin::Now, |last| Begin::Behind(self.head() - last));
            self.follow(*conn, begin).await;
        }
        closed.len()
    }

    async fn follow(&mut self, conn: u64, begin: Begin) {
        self.part(conn);
        let head = self.head();
        let (start, asked) = match begin {
            Begin::Now => (Start::Now, None),
            Begin::Behind(behind) => {
                let after = (head - behind).max(0);
                (Start::After(Seq(after)), Some(after))
            }
            Begin::Ahead(ahead) => (Start::After(Seq(head + ahead)), Some(head + ahead)),
            Begin::Last(count) => (Start::Last(count), None),
            Begin::OtherEpoch => (Start::OtherEpoch, None),
        };
        let queue = Arc::new(Queue::default());
        let fanout = self.fanout.clone();
        let paging = self.reading_on(fanout.follow(ROOM, conn, &queue, start)).await.unwrap();
        let open = matches!(begin, Begin::Last(_));
        self.followers.insert(conn, Follower { queue, paging, asked, open, reset: None, last: None, closed: false });
        let void = matches!(begin, Begin::Ahead(_) | Begin::OtherEpoch);
        let told = self.listen_to(conn);
        let reset = told.iter().any(|frame| matches!(frame, ServerFrame::Reset { .. }));
        assert_eq!(reset, void, "{begin:?} of {head}: {told:?}");
    }

    fn part(&mut self, conn: u64) {
        let Some(follower) = self.followers.remove(&conn) else { return };
        follower.queue.abandon();
        if let Some(paging) = follower.paging {
            paging.end();
        }
        self.fanout.part(ROOM, conn);
    }

    fn listen(&mut self) {
        let conns: Vec<u64> = self.followers.keys().copied().collect();
        conns.into_iter().for_each(|conn| drop(self.listen_to(conn)));
    }

    /// Takes what somebody was told: each entry the next one, and as it is stored.
    fn listen_to(&mut self, conn: u64) -> Vec<ServerFrame> {
        let follower = self.followers.get_mut(&conn).unwrap();
        let mut told = Vec::new();
        loop {
            // Whoever begins in the middle of a repair may be told more at once than fits: closed, and back from the number
            // they have. What was queued for them and not taken must not count as told.
            let Ok(frames) = follower.queue.take() else {
                follower.closed = true;
                return told;
            };
            if frames.is_empty() {
                return told;
            }
            for frame in frames {
                let frame = codec::decode_server(std::str::from_utf8(&frame).unwrap()).unwrap();
                follower.hear(&frame, &self.log);
                told.push(frame);
            }
        }
    }
}

impl Follower {
    fn hear(&mut self, frame: &ServerFrame, log: &[Entry]) {
        match frame {
            ServerFrame::Reset { after, seq, .. } => {
                assert!(after.0 >= 0 && seq.0 - after.0 <= HISTORY_PAGE as i64, "one page at most");
                self.reset = Some(after.0);
            }
            ServerFrame::Subscribed { seq, .. } => {
                assert_eq!(self.last, None, "said once");
                self.last = self.reset.or(self.asked).or(Some(seq.0));
            }
            ServerFrame::Entries { entries, .. } => {
                for entry in entries {
                    let last = self.last.expect("following is confirmed first");
                    let next = entry.seq.0 == last + 1 || std::mem::take(&mut self.open);
                    assert!(next, "{} after {last}", entry.seq);
                    assert_eq!(*entry, log[entry.seq.0 as usize - 1]);
                    self.last = Some(entry.seq.0);
                }
            }
            other => panic!("nothing else is told here: {other:?}"),
        }
    }
}

/// How many were closed and came back.
async fn holds(steps: &[Step]) -> usize {
    let mut world = World::new().await;
    let mut closed = 0;
    for step in steps {
        world.take(step).await;
        closed += world.bring_back().await;
    }
    // Whatever is still being paged or repaired has had its time after this.
    world.take(&Step::Compare).await;
    for _ in 0..20 {
        world.take(&Step::Wait(500)).await;
        closed += world.bring_back().await;
    }
    let head = world.head();
    for (conn, follower) in &world.followers {
        assert_eq!(follower.last, Some(head), "{conn} has everything");
    }
    world.stop.cancel();
    closed
}

/// More than a queue holds, all at once.
#[tokio::test(start_paused = true)]
async fn whoever_reads_is_not_closed_however_much_was_missed() {
    assert_eq!(holds(&[Step::Follow(0, Begin::Now), Step::Elsewhere(3_000)]).await, 0);
}

proptest! {
    #[test]
    fn wherever_one_begins_everything_comes_once_and_in_order(steps in prop::collection::vec(step(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(holds(&steps));
    }
}
