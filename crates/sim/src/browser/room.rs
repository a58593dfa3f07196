//! One room in a tab: its timeline, and what the instance promised to say of it on this connection.

use std::collections::{BTreeMap, VecDeque};

use tertulia_protocol::{Entry, Person, Seq, Snapshot, UserId};
use tertulia_timeline::Timeline;
use tokio::time::{Duration, Instant};

use crate::record::Word;

/// How long a hole that was asked for is not asked for again; as the page has it.
const PULL_AGAIN: Duration = Duration::from_secs(2);
/// How far back of what is known somebody asks again, at most.
const PULLED: i64 = 20;

/// A room whose page is open.
pub(super) struct Open {
    /// What is shown.
    pub(super) timeline: Timeline,
    /// The last entry that following brought; nothing while it has not been confirmed on this connection.
    stream: Option<Seq>,
    /// Where following begins instead of where it was asked to: a reset came.
    afresh: Option<Seq>,
    /// After which numbers entries were asked for besides.
    pulls: VecDeque<Seq>,
    /// After which number a hole was asked for last, and when.
    repaired: Option<(Seq, Instant)>,
    /// Who is here, by what was told.
    online: BTreeMap<UserId, Person>,
    online_count: u64,
}

impl Open {
    /// The room as the page has it.
    pub(super) fn new(snapshot: &Snapshot, me: UserId) -> Self {
        let timeline = Timeline::new(snapshot, me);
        let (pulls, online) = (VecDeque::new(), BTreeMap::new());
        Self { timeline, stream: None, afresh: None, pulls, repaired: None, online, online_count: 0 }
    }

    /// Whether following is confirmed on this connection.
    pub(super) const fn is_followed(&self) -> bool {
        self.stream.is_some()
    }

    /// Following began, after this number unless a reset said otherwise. What was asked for since it was asked for is
    /// still to come.
    pub(super) fn followed(&mut self, asked: Seq) {
        self.stream = Some(self.afresh.take().unwrap_or(asked));
    }

    /// Following ended, or the connection did.
    pub(super) fn unfollowed(&mut self) {
        self.stream = None;
        self.afresh = None;
        self.pulls.clear();
        self.repaired = None;
    }

    /// The instance says that nothing at or before this number will come.
    pub(super) const fn reset(&mut self, after: Seq) {
        self.afresh = Some(after);
    }

    /// From where something known is asked for again; `back` says how far.
    pub(super) fn pull(&mut self, back: u64) -> Option<Seq> {
        let last = self.stream.filter(|last| *last > Seq(1))?;
        let back = i64::try_from(back).unwrap_or(1) % PULLED + 1;
        // Before the last one, so that the answer cannot be taken for what following brings.
        let after = Seq((last.0 - back).max(0));
        self.pulls.push_back(after);
        Some(after)
    }

    /// Whether a hole is to be asked for: not the same again and again.
    pub(super) fn repair(&mut self, after: Seq) -> bool {
        let now = Instant::now();
        let may = self.repaired.is_none_or(|(asked, at)| asked != after || now - at > PULL_AGAIN);
        if may {
            self.repaired = Some((after, now));
            self.pulls.push_back(after);
        }
        may
    }

    /// What was asked for besides will not come.
    pub(super) fn no_pull(&mut self) {
        self.pulls.pop_front();
    }

    /// Whether something is asked for besides.
    pub(super) fn is_pulling(&self) -> bool {
        !self.pulls.is_empty()
    }

    /// Looks whether entries keep the promise: each following brings once, the successor of the one before.
    pub(super) fn check(&mut self, entries: &[Entry]) -> Result<(), (Word, String)> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            self.pulls.pop_front();
            return Ok(());
        };
        if let Some(pair) = entries.windows(2).find(|pair| pair[1].seq != pair[0].seq.next()) {
            return Err((Word::SilentGap, format!("{} after {} in one frame", pair[1].seq, pair[0].seq)));
        }
        // What an earlier following still had under way.
        let Some(stream) = &mut self.stream else { return Ok(()) };
        let known = *stream;
        if first.seq == known.next() {
            *stream = last.seq;
            return Ok(());
        }
        if let Some(place) = self.pulls.iter().position(|after| after.next() == first.seq) {
            self.pulls.remove(place);
            return Ok(());
        }
        let what = format!("{} to {} after {known}", first.seq, last.seq);
        if first.seq > known {
            *stream = last.seq;
            return Err((Word::SilentGap, what));
        }
        Err((if first.seq == known { Word::DoubleDelivery } else { Word::OrderDelivery }, what))
    }

    /// Somebody came or went; the whole list when `full`.
    pub(super) fn present(&mut self, online: u64, full: bool, joined: Vec<Person>, left: &[Person], at: i64) {
        self.online_count = online;
        if full {
            self.online.clear();
        } else {
            self.timeline.note_presence(&joined, left, at);
        }
        for person in left {
            self.online.remove(&person.id);
        }
        self.online.extend(joined.into_iter().map(|person| (person.id, person)));
    }

    /// Who is said to be here, and how many.
    pub(super) fn online(&self) -> (Vec<UserId>, u64) {
        (self.online.keys().copied().collect(), self.online_count)
    }
}
