//! A room while its page is open: the timeline, and the signals that the views draw it from.
//!
//! The page that made it owns it; the connection feeds it and lets go of it when the page goes.

use std::time::Duration;

use leptos::html::Div;
use leptos::prelude::*;
use tertulia_protocol::limits::TYPING_SHOWN_MS;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, Position, Refusal, RoomId, Seq, UserId};
use tertulia_timeline::{Applied, Pending, Timeline, What};

use super::behind::Behind;
use super::lines::{Line, merged, set_if_new, show};
use super::signs::{Signs, TYPING};
use crate::api::Visit;
use crate::ui::connection::now;
use crate::ui::timeline::scroll::Held;

/// Rows kept while the newest are read (Campfire: 300).
const ROWS: usize = 300;
/// Rows kept while somebody reads back: twenty pages of history.
const ROWS_READING: usize = 1_000;

/// A room that is open on this page.
#[derive(Clone, Copy)]
pub struct OpenRoom {
    id: RoomId,
    me: UserId,
    live: bool,
    timeline: StoredValue<Timeline>,
    /// What is drawn.
    pub lines: RwSignal<Vec<Line>>,
    /// The room's name.
    pub name: RwSignal<String>,
    /// What it is about; empty for nothing.
    pub topic: RwSignal<String>,
    /// Who is here, by name as far as the server names them.
    pub online: RwSignal<Vec<Person>>,
    /// How many are here.
    pub online_count: RwSignal<u64>,
    /// Who writes.
    pub typing: RwSignal<Vec<Person>>,
    /// Whose signs of writing are the last.
    signs: StoredValue<Signs>,
    /// What is not here yet.
    pub behind: Behind,
    /// The oldest entry that is drawn, or nothing older exists.
    pub oldest: RwSignal<Option<Seq>>,
    /// Nobody has said anything yet.
    pub silent: RwSignal<bool>,
    /// An older page is on its way.
    pub loading: RwSignal<bool>,
    /// Messages that came while somebody was reading back.
    pub fresh: RwSignal<usize>,
    /// The newest row is in view: it stays there when more come.
    pub at_newest: RwSignal<bool>,
    /// The element that scrolls.
    pub log: NodeRef<Div>,
    /// Where it was scrolled to when last looked at, in CSS pixels.
    top: StoredValue<i32>,
}

impl PartialEq for OpenRoom {
    /// The same room on the same page: two visits of one room are two.
    fn eq(&self, other: &Self) -> bool {
        self.timeline == other.timeline
    }
}

impl OpenRoom {
    /// The room as the visit found it; an older page of it is read only.
    #[must_use]
    pub fn new(visit: &Visit) -> Self {
        let Visit { you, snapshot, older, online, .. } = visit;
        let timeline = match older {
            Some(entries) => {
                Timeline::with_entries(snapshot.room.clone(), snapshot.epoch.clone(), snapshot.seq, entries, you.id)
            }
            None => Timeline::new(snapshot, you.id),
        };
        let room = Self {
            id: snapshot.room.id,
            me: you.id,
            live: older.is_none(),
            timeline: StoredValue::new(timeline),
            lines: RwSignal::new(Vec::new()),
            name: RwSignal::new(snapshot.room.name.clone()),
            topic: RwSignal::new(snapshot.room.topic.clone()),
            online: RwSignal::new(online.clone()),
            online_count: RwSignal::new(visit.online_count),
            typing: RwSignal::new(Vec::new()),
            signs: StoredValue::new(Signs::default()),
            behind: Behind::nothing(snapshot.seq),
            oldest: RwSignal::new(None),
            silent: RwSignal::new(true),
            loading: RwSignal::new(false),
            fresh: RwSignal::new(0),
            at_newest: RwSignal::new(true),
            log: NodeRef::new(),
            top: StoredValue::new(0),
        };
        room.draw();
        room
    }

    /// Which room.
    #[must_use]
    pub const fn id(self) -> RoomId {
        self.id
    }

    /// Whether new entries belong here: not on an older page.
    #[must_use]
    pub const fn is_live(self) -> bool {
        self.live
    }

    /// What `hello` resumes from.
    #[must_use]
    pub fn position(self) -> Position {
        self.timeline.with_value(Timeline::position)
    }

    /// Whether something said is not here yet.
    #[must_use]
    pub fn is_behind(self) -> bool {
        self.behind.is_so()
    }

    /// The connection is gone: what is said from now on is missing.
    pub fn falls_behind(self) {
        self.behind.begin();
        // What has been asked for died with the connection.
        self.loading.set(false);
    }

    /// The newest entry is this one; what lies before it is on its way.
    pub fn must_reach(self, seq: Seq) {
        self.behind.aim_at(seq, self.position().seq);
    }

    /// Applies entries; the number after which to ask for missing ones, if some are.
    pub fn apply(self, entries: &[Entry]) -> Option<Seq> {
        let known = self.position().seq;
        let applied = self.change(|timeline| timeline.apply(entries))?;
        let newest = entries.last().map_or(Seq::ZERO, |entry| entry.seq);
        if applied != Applied::Nothing {
            self.behind.heard_of(newest, self.position().seq);
            self.count_fresh(entries, known);
            self.stop_typing(entries);
            self.trim();
        }
        match applied {
            Applied::Gap { after } if self.behind.may_pull(after) => Some(after),
            // One answer closed a part of the hole: the next part is asked for.
            Applied::Changed if self.behind.is_pulling() => {
                let reached = self.position().seq;
                self.behind.may_pull(reached).then_some(reached)
            }
            Applied::Gap { .. } | Applied::Nothing | Applied::Changed => None,
        }
    }

    fn count_fresh(self, entries: &[Entry], known: Seq) {
        if self.at_newest.get_untracked() {
            return;
        }
        let reached = self.position().seq;
        let new = |entry: &&Entry| entry.seq > known && entry.seq <= reached;
        let others = |entry: &&Entry| entry.by.id != self.me && matches!(entry.change, Change::Posted { .. });
        let count = entries.iter().filter(new).filter(others).count();
        if count > 0 {
            self.fresh.update(|fresh| *fresh += count);
        }
    }

    fn stop_typing(self, entries: &[Entry]) {
        let wrote = |who: &Person| entries.iter().any(|entry| entry.by.id == who.id);
        if self.typing.with_untracked(|typing| typing.iter().any(wrote)) {
            self.typing.update(|typing| typing.retain(|who| !wrote(who)));
        }
    }

    /// Forgets what is drawn above the bound; the row under the eye stays where it is.
    fn trim(self) {
        let rows = if self.at_newest.get_untracked() { ROWS } else { ROWS_READING };
        let held = Held::in_log(self.log);
        if self.change(|timeline| timeline.trim_to(rows)) == Some(true) && !self.at_newest.get_untracked() {
            held.put_back();
        }
    }

    /// The log was scrolled, to `top`, and the newest row is in view or not. Only who scrolls up leaves it: more
    /// rows may have come since the scrolling that is reported.
    pub fn scrolled_to(self, top: i32, at_newest: bool) {
        let up = top < self.top.get_value();
        self.top.set_value(top);
        if at_newest || up {
            self.scrolled(at_newest);
        }
    }

    /// The newest row is in view, or no longer.
    pub fn scrolled(self, at_newest: bool) {
        if at_newest != self.at_newest.get_untracked() {
            self.at_newest.set(at_newest);
        }
        if at_newest && self.fresh.get_untracked() > 0 {
            self.fresh.set(0);
        }
    }

    /// Starts afresh after `after`, at the newest row as a page that was just opened; what is ours and waits stays.
    pub fn reset(self, epoch: Epoch, after: Seq, seq: Seq) {
        self.change(|timeline| timeline.reset(epoch, after));
        self.loading.set(false);
        // Rows that go move the log up; nobody scrolled it.
        self.top.set_value(0);
        self.scrolled(true);
        self.must_reach(seq);
    }

    /// Puts an older page before what is drawn, under the eye of whoever reads.
    pub fn prepend(self, before: Seq, entries: &[Entry]) {
        let held = Held::in_log(self.log);
        if self.change(|timeline| timeline.prepend(before, entries)) == Some(true) {
            held.put_back();
        }
        self.no_page();
    }

    /// The older page that was asked for is here, or will not come.
    pub fn no_page(self) {
        // The page may be gone when this comes late.
        let _ = self.loading.try_set(false);
    }

    /// The oldest entry drawn, when older ones exist.
    #[must_use]
    pub fn before(self) -> Option<Seq> {
        self.oldest.get_untracked()
    }

    /// Whether another page may be drawn above.
    #[must_use]
    pub fn has_room_above(self) -> bool {
        self.lines.with_untracked(Vec::len) < ROWS_READING
    }

    /// Shows an own message at once and goes to it: whoever speaks wants to see it said.
    pub fn pend(self, pending: Pending) {
        self.change(|timeline| timeline.pend(pending));
        self.scrolled(true);
        self.trim();
    }

    /// Shows own messages that wait since an earlier visit, or failed, in this order, whatever was shown of them before.
    pub fn hold(self, held: Vec<(Pending, Option<Refusal>)>) {
        if !self.live || held.is_empty() {
            return;
        }
        self.change(|timeline| {
            for (pending, refusal) in held {
                let key = pending.key;
                timeline.discarded(key);
                timeline.pend(pending);
                if let Some(refusal) = refusal {
                    timeline.failed(key, refusal);
                }
            }
        });
    }

    /// An own message is durable.
    pub fn acked(self, key: Key, seq: Seq, at: i64) {
        self.change(|timeline| timeline.acked(key, seq, at));
    }

    /// An own message was refused for good.
    pub fn failed(self, key: Key, refusal: Refusal) {
        self.change(|timeline| timeline.failed(key, refusal));
    }

    /// A failed message is on its way again.
    pub fn retried(self, key: Key) {
        self.change(|timeline| timeline.retried(key));
    }

    /// A failed message is given up.
    pub fn discarded(self, key: Key) {
        self.change(|timeline| timeline.discarded(key));
    }

    /// Draws days as the reader's clock has them.
    pub fn set_utc_offset(self, minutes: i32) {
        self.change(|timeline| timeline.set_utc_offset(minutes));
    }

    /// Somebody writes: said for five seconds.
    pub fn types(self, who: Person) {
        if who.id == self.me {
            return;
        }
        let id = who.id;
        self.typing.update(|typing| {
            typing.retain(|known| known.id != id);
            typing.push(who);
            let excess = typing.len().saturating_sub(TYPING);
            typing.drain(..excess);
        });
        let (typing, signs) = (self.typing, self.signs);
        let sign = signs.try_update_value(|signs| signs.give(id)).unwrap_or_default();
        set_timeout(
            move || {
                // The page may be gone by then, and its signals with it. A later sign has a time of its own.
                if signs.try_with_value(|signs| signs.is_last(id, sign)) != Some(true) {
                    return;
                }
                let _ = typing.try_update(|typing| typing.retain(|known| known.id != id));
            },
            Duration::from_millis(TYPING_SHOWN_MS),
        );
    }

    /// Who is here: everybody when `full`, else who came and went, which is also noted as a quiet line.
    pub fn present(self, online: u64, full: bool, joined: Vec<Person>, left: &[Person]) {
        self.online_count.set(online);
        if full {
            self.online.set(joined);
            return;
        }
        self.change(|timeline| timeline.note_presence(&joined, left, now()));
        self.online.update(|here| {
            here.retain(|known| left.iter().all(|gone| gone.id != known.id));
            here.retain(|known| joined.iter().all(|came| came.id != known.id));
            here.extend(joined);
        });
    }

    /// Changes the timeline and draws what came of it. A page that is gone changes nothing.
    fn change<T>(self, change: impl FnOnce(&mut Timeline) -> T) -> Option<T> {
        self.timeline.try_update_value(change).inspect(|_| self.draw())
    }

    /// Brings the signals in line with the rows: a row's signal is told only when its pointer changed, the
    /// list only when rows came, went or moved.
    fn draw(self) {
        let (rows, name, topic, oldest) = self.timeline.with_value(|timeline| {
            let room = timeline.room();
            let oldest = (!timeline.at_beginning()).then(|| timeline.oldest());
            (timeline.rows().to_vec(), room.name.clone(), room.topic.clone(), oldest)
        });
        let silent = !rows.iter().any(|row| matches!(row.what, What::Message { .. }));
        let same = self.lines.with_untracked(|lines| {
            lines.len() == rows.len() && lines.iter().zip(&rows).all(|((id, _), row)| *id == row.id)
        });
        if same {
            let lines = self.lines.get_untracked();
            for ((_, shown), row) in lines.iter().zip(rows) {
                show(shown, row);
            }
        } else {
            self.lines.update(|lines| *lines = merged(std::mem::take(lines), rows));
        }
        set_if_new(self.name, name);
        set_if_new(self.topic, topic);
        set_if_new(self.oldest, oldest);
        set_if_new(self.silent, silent);
    }
}
