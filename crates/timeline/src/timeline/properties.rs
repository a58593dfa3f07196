//! Snapshot + events == fresh snapshot, whatever the order in which a browser comes to know things.
//!
//! A random log with every kind of change is told to a timeline in chunks, twice, with holes, by pages, across
//! resets, while own messages are pending. After every step its rows must be those of a fresh timeline.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use tertulia_protocol::{Change, Code, Entry, Epoch, Key, Refusal, Seq, Snapshot, UserId};

use super::tests::{ANA, BEN, ME, NOON, epoch, person, room};
use super::{Applied, Pending, Row, RowId, RowState, Timeline};
use crate::testing::key;

/// One thing that happens to the browser. Numbers are taken modulo what is possible at that moment.
#[derive(Clone, Debug)]
enum Step {
    /// The next entries arrive, this many at most.
    Live(usize),
    /// Entries arrive from this number on, known or not, this many.
    Again(usize, usize),
    /// Some entries are lost, the ones after them arrive, then the gap is pulled in pages of this size.
    Gap(usize, usize, usize),
    /// A page of history, this long.
    Page(usize),
    /// A page that does not fit: shifted by this much.
    Misfit(usize),
    /// The room starts afresh after this number; in another epoch if true.
    Reset(usize, bool),
    Trim(usize),
    /// An own message by its number in the log; above the log it is never stored.
    Pend(i64),
    Ack(i64),
    Fail(i64),
    Retry(i64),
    Discard(i64),
    Presence(Vec<i64>, Vec<i64>),
    Offset(i32),
}

fn change(seq: i64) -> impl Strategy<Value = Change> {
    let message = (1..=seq.max(1)).prop_map(Seq);
    let emoji = prop::sample::select(vec!["👍", "❤", "🦆"]).prop_map(str::to_owned);
    let text = "[a-c]{1,2}";
    prop_oneof![
        8 => (text, prop::option::of(message.clone())).prop_map(|(body, reply_to)| Change::Posted { body, reply_to }),
        2 => (message.clone(), text).prop_map(|(message, body)| Change::Edited { message, body }),
        1 => message.clone().prop_map(|message| Change::Deleted { message }),
        3 => (message.clone(), emoji.clone()).prop_map(|(message, emoji)| Change::Reacted { message, emoji }),
        2 => (message, emoji).prop_map(|(message, emoji)| Change::Unreacted { message, emoji }),
        1 => prop::sample::select(vec![Change::Created, Change::Joined, Change::Left, Change::illegible()]),
        1 => text.prop_map(|name| Change::Renamed { name }),
        1 => text.prop_map(|topic| Change::TopicSet { topic }),
        1 => Just(Change::Removed { who: person(BEN) }),
    ]
}

/// Entries 1, 2, 3, … of three people; times wander, since nothing may depend on them for order.
fn log() -> impl Strategy<Value = Vec<Entry>> {
    (1..40_i64).prop_flat_map(|length| {
        let entry = |seq: i64| {
            let by = prop::sample::select(vec![ME, ANA, BEN]);
            (by, change(seq), -1_000_000..10_000_000_i64, prop::bool::weighted(0.8)).prop_map(
                move |(by, change, at, keyed)| Entry {
                    seq: Seq(seq),
                    at: NOON + seq * 3_600_000 + at,
                    by: person(by),
                    // Only keyless posts of mine would be doubled, and a browser never makes those.
                    key: (keyed || by == ME).then(|| key(seq)),
                    change,
                },
            )
        };
        (1..=length).map(entry).collect::<Vec<_>>()
    })
}

fn step() -> impl Strategy<Value = Step> {
    let people = || prop::collection::vec(1..5_i64, 0..3);
    let own = || 1..44_i64;
    prop_oneof![
        5 => (1..8_usize).prop_map(Step::Live),
        3 => (0..40_usize, 1..12_usize).prop_map(|(from, count)| Step::Again(from, count)),
        3 => (0..4_usize, 1..6_usize, 1..4_usize).prop_map(|(lost, count, page)| Step::Gap(lost, count, page)),
        4 => (0..10_usize).prop_map(Step::Page),
        1 => (1..4_usize).prop_map(Step::Misfit),
        1 => (0..40_usize, any::<bool>()).prop_map(|(after, other)| Step::Reset(after, other)),
        2 => (0..20_usize).prop_map(Step::Trim),
        5 => own().prop_map(Step::Pend),
        4 => own().prop_map(Step::Ack),
        2 => own().prop_map(Step::Fail),
        2 => own().prop_map(Step::Retry),
        1 => own().prop_map(Step::Discard),
        1 => (people(), people()).prop_map(|(joined, left)| Step::Presence(joined, left)),
        1 => prop::sample::select(vec![-720, 0, 330, 840]).prop_map(Step::Offset),
    ]
}

/// What an own row must be by the rules, kept beside the timeline in the plainest way.
#[derive(Clone, Debug)]
struct Expected {
    key: Key,
    failed: bool,
    acked: Option<i64>,
}

/// A browser in the hands of a test: the timeline, and everything that it must agree with.
struct World {
    log: Vec<Entry>,
    timeline: Timeline,
    own: Vec<Expected>,
    offset: i32,
}

impl World {
    fn new(log: Vec<Entry>, seq: usize, held: usize) -> Self {
        let seq = seq % (log.len() + 1);
        let start = seq - held.min(seq);
        let snapshot =
            Snapshot { room: room(), epoch: epoch(), seq: Seq(seq as i64), entries: log[start..seq].to_vec() };
        Self { timeline: Timeline::new(&snapshot, ME), log, own: Vec::new(), offset: 0 }
    }

    fn position(&self) -> usize {
        usize::try_from(self.timeline.position().seq.0).unwrap()
    }

    /// How many entries come before the window.
    fn older(&self) -> usize {
        usize::try_from(self.timeline.oldest().0).unwrap() - 1
    }

    fn slice(&self, from: usize, count: usize) -> Vec<Entry> {
        self.log.iter().skip(from).take(count).cloned().collect()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Live(count) => {
                let entries = self.slice(self.position(), *count);
                let news = !entries.is_empty();
                assert_eq!(self.timeline.apply(&entries), if news { Applied::Changed } else { Applied::Nothing });
            }
            Step::Again(from, count) => self.again(*from % (self.log.len() + 1), *count),
            Step::Gap(lost, count, page) => self.gap(*lost, *count, *page),
            Step::Page(count) => self.page(*count),
            Step::Misfit(shift) => {
                let end = self.older().saturating_sub(*shift);
                let page = self.slice(end.saturating_sub(3), end.min(3));
                assert!(page.is_empty() || !self.timeline.prepend(self.timeline.oldest(), &page));
            }
            Step::Reset(after, other) => self.reset(*after % (self.log.len() + 1), *other),
            Step::Trim(rows) => {
                let (position, oldest) = (self.timeline.position(), self.timeline.oldest());
                self.timeline.trim_to(*rows);
                assert_eq!(self.timeline.position(), position);
                assert!(self.timeline.oldest() >= oldest);
                assert!(self.timeline.rows().len() <= (*rows).max(self.timeline.own.len()));
            }
            Step::Presence(joined, left) => {
                let people = |ids: &[i64]| ids.iter().map(|id| person(UserId(*id))).collect::<Vec<_>>();
                self.timeline.note_presence(&people(joined), &people(left), NOON);
            }
            Step::Offset(minutes) => {
                self.offset = *minutes;
                self.timeline.set_utc_offset(*minutes);
            }
            Step::Pend(number)
            | Step::Ack(number)
            | Step::Fail(number)
            | Step::Retry(number)
            | Step::Discard(number) => {
                self.own_step(step, *number);
            }
        }
    }

    fn again(&mut self, from: usize, count: usize) {
        let before = self.position();
        let entries = self.slice(from, count);
        let end = from + entries.len();
        let expected = if entries.is_empty() || end <= before {
            Applied::Nothing
        } else if from > before {
            Applied::Gap { after: Seq(before as i64) }
        } else {
            Applied::Changed
        };
        assert_eq!(self.timeline.apply(&entries), expected);
    }

    fn gap(&mut self, lost: usize, count: usize, page: usize) {
        let end = (self.position() + lost + count).min(self.log.len());
        self.again(self.position() + lost, count);
        while self.position() < end {
            let pulled = self.slice(self.position(), page);
            assert_eq!(self.timeline.apply(&pulled), Applied::Changed);
        }
    }

    fn page(&mut self, count: usize) {
        let end = self.older();
        let start = end.saturating_sub(count);
        let entries = self.slice(start, end - start);
        // The server answers with nothing only at the beginning of the log.
        if !entries.is_empty() {
            assert!(self.timeline.prepend(Seq(end as i64 + 1), &entries));
            assert_eq!(self.older(), start);
        }
    }

    fn reset(&mut self, after: usize, other: bool) {
        let epoch = if other { Epoch::fresh() } else { self.timeline.position().epoch };
        self.timeline.reset(epoch, Seq(after as i64));
        if other {
            self.own.retain(|own| own.acked.is_none());
        }
    }

    fn own_step(&mut self, step: &Step, number: i64) {
        // Only my own posts have my keys; numbers beyond the log are sends that never get there.
        let beyond = number > self.log.len() as i64;
        let mine = |entry: &Entry| entry.by.id == ME && matches!(entry.change, Change::Posted { .. });
        if !beyond && !self.log.get(number as usize - 1).is_some_and(mine) {
            return;
        }
        let key = key(number);
        let held = self.timeline.rows().iter().any(|row| row.id == RowId::Key(ME, key));
        let own = self.own.iter_mut().find(|own| own.key == key);
        match (step, own) {
            (Step::Pend(_), _) => {
                let at = NOON + number;
                self.timeline.pend(Pending { key, body: "mine".to_owned(), at, by: person(ME) });
                if !held {
                    self.own.push(Expected { key, failed: false, acked: None });
                }
            }
            (Step::Ack(_), own) if !beyond => {
                self.timeline.acked(key, Seq(number), NOON);
                if let Some(own) = own {
                    (own.failed, own.acked) = (false, Some(number));
                }
            }
            (Step::Fail(_), own) => {
                self.timeline.failed(key, Refusal::new(Code::TooLong, "too long"));
                if let Some(own) = own.filter(|own| own.acked.is_none()) {
                    own.failed = true;
                }
            }
            (Step::Retry(_), own) => {
                self.timeline.retried(key);
                if let Some(own) = own {
                    own.failed = false;
                }
            }
            (Step::Discard(_), _) => {
                self.timeline.discarded(key);
                self.own.retain(|own| own.key != key);
            }
            _ => {}
        }
    }

    /// The rows that a browser opened this moment on the same window would have.
    fn fresh(&self) -> Timeline {
        let entries = self.slice(self.older(), self.position() - self.older());
        let seq = self.timeline.position().seq;
        let mut fresh = Timeline::new(&Snapshot { room: room(), epoch: epoch(), seq, entries }, ME);
        fresh.set_utc_offset(self.offset);
        fresh
    }

    fn check(&mut self) {
        let rows = self.timeline.rows();
        let ids: HashSet<&RowId> = rows.iter().map(|row| &row.id).collect();
        assert_eq!(ids.len(), rows.len(), "a row is there twice");
        assert!(rows.is_sorted_by_key(|row| row.seq()), "rows are out of order");

        let fresh = self.fresh();
        let confirmed: Vec<&Row> = rows.iter().map(Arc::as_ref).filter(|row| is_entry(row)).collect();
        if rows.iter().any(|row| row.is_presence()) {
            // Lines of presence stand between messages, so grouping may rightly differ.
            let plain = |row: &Row| Row { joined: false, new_day: false, ..row.clone() };
            let expected: Vec<Row> = fresh.rows().iter().map(|row| plain(row)).collect();
            assert_eq!(confirmed.into_iter().map(plain).collect::<Vec<_>>(), expected);
        } else {
            assert_eq!(confirmed, fresh.rows().iter().map(Arc::as_ref).collect::<Vec<_>>());
        }

        let position = self.position() as i64;
        let arrived = |key: Key| fresh.rows().iter().any(|row| row.id == RowId::Key(ME, key));
        self.own.retain(|own| !arrived(own.key) && own.acked.is_none_or(|seq| seq > position));
        let expected: Vec<(RowId, bool)> = self.own.iter().map(|own| (RowId::Key(ME, own.key), own.failed)).collect();
        let tail = rows.iter().filter(|row| !matches!(row.state, RowState::Confirmed { .. }));
        let failed = |row: &Arc<Row>| matches!(row.state, RowState::Failed { .. });
        assert_eq!(tail.map(|row| (row.id.clone(), failed(row))).collect::<Vec<_>>(), expected);
    }
}

fn is_entry(row: &Row) -> bool {
    matches!(row.state, RowState::Confirmed { .. }) && !row.is_presence()
}

/// Rows that were there before and say the same must be behind the same pointer. (Within one chunk of entries a
/// row may change and change back, so that is looked at for single entries only.)
fn check_pointers(step: &Step, before: &[Arc<Row>], after: &[Arc<Row>]) {
    if matches!(step, Step::Again(..) | Step::Gap(..)) || matches!(step, Step::Live(count) if *count > 1) {
        return;
    }
    for row in after {
        if let Some(old) = before.iter().find(|old| old.id == row.id).filter(|old| old == &row) {
            assert!(Arc::ptr_eq(old, row), "{:?} got another pointer without a change", row.id);
        }
    }
}

proptest! {
    #[test]
    fn rows_are_those_of_a_fresh_snapshot_however_the_log_became_known(
        log in log(),
        seq in 0..40_usize,
        held in 0..20_usize,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(log, seq, held);
        world.check();
        for step in &steps {
            let before = world.timeline.rows().to_vec();
            world.take(step);
            check_pointers(step, &before, world.timeline.rows());
            world.check();
        }
    }

    #[test]
    fn once_everything_is_told_the_rows_are_those_of_the_whole_log(
        log in log(),
        seq in 0..40_usize,
        steps in prop::collection::vec(step().prop_filter("quiet", |step| !matches!(step, Step::Presence(..))), 1..40),
        page in 1..8_usize,
    ) {
        let mut world = World::new(log, seq, 10);
        steps.iter().for_each(|step| world.take(step));
        world.take(&Step::Live(usize::MAX));
        while !world.timeline.at_beginning() {
            world.page(page);
        }
        world.check();
        prop_assert_eq!(world.position(), world.log.len());
        prop_assert_eq!(world.older(), 0);
    }
}
