//! What each frame of the server does in the tab.

use std::borrow::Cow;
use std::fmt;

use tertulia_protocol::frame::Pull;
use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{Change, ClientFrame, Code, Entry, Key, Person, Refusal, RoomId, Seq, ServerFrame, codec};
use tertulia_timeline::{Applied, Verdict};
use tokio::time::{Duration, Instant};

use super::{Browser, Phase};
use crate::plan::Lie;
use crate::record::Word;

/// Rows kept while the newest are read, as by the page.
const ROWS: usize = 300;
/// The wait before something is asked again whose refusal names no time, in milliseconds.
const ASK_AGAIN_MS: u64 = 2_000;
/// How often a delivery is lied about where lies are told, in a thousand.
const LIES: u32 = 40;

impl Browser {
    /// A frame came. Every one of our own can be read.
    pub(super) fn hear(&mut self, text: &[u8]) {
        let decoded = std::str::from_utf8(text).map_err(|error| error.to_string()).and_then(codec::decode_server);
        match decoded {
            Ok(frame) if self.lie.is_some() => self.lied(frame),
            Ok(frame) => self.obey(frame),
            Err(error) => {
                let what = format!("{} cannot read a frame: {error}", self.tab);
                self.house.record().found(Word::Diverged, what);
            }
        }
    }

    /// Changes what is heard, where somebody wants to know whether that is noticed.
    fn lied(&mut self, mut frame: ServerFrame) {
        if matches!(frame, ServerFrame::Presence { .. }) && self.lie == Some(Lie::NoPresence) {
            return;
        }
        let ServerFrame::Entries { entries, .. } = &mut frame else { return self.obey(frame) };
        let strikes = self.dice.chance(LIES) && !entries.is_empty();
        let swapped = self.swapped.take();
        match self.lie.filter(|_| strikes) {
            Some(Lie::Skip) => {}
            Some(Lie::Double) => {
                self.obey(frame.clone());
                self.obey(frame);
            }
            Some(Lie::Swap) if swapped.is_none() => self.swapped = Some(frame),
            Some(Lie::Alter) => {
                entries.iter_mut().for_each(alter);
                self.obey(frame);
            }
            Some(Lie::Forge) => {
                self.forges = true;
                self.obey(frame);
                self.forges = false;
            }
            Some(Lie::Swap | Lie::NoPresence) | None => self.obey(frame),
        }
        if let Some(frame) = swapped {
            self.obey(frame);
        }
    }

    fn obey(&mut self, frame: ServerFrame) {
        match frame {
            ServerFrame::Welcome { epoch, you, ping_ms, instance, .. } => {
                self.note(format_args!("is welcome at {instance}"));
                if you != self.account.person {
                    let what = format!("{} was taken for {} {}", self.tab, you.id, you.name);
                    self.house.record().found(Word::Leak, what);
                }
                (self.epoch, self.ping_ms, self.hint_ms) = (Some(epoch), ping_ms, None);
                self.backoff.reset();
                self.phase = Phase::Live;
                self.follow();
                self.flush();
            }
            ServerFrame::Subscribed { room, seq, .. } => self.subscribed(room, seq),
            ServerFrame::Unsubscribed { room } => {
                if let Some(open) = self.rooms.get_mut(&room) {
                    open.unfollowed();
                }
            }
            ServerFrame::Entries { room, entries } => self.entries(room, &entries),
            ServerFrame::Reset { room, epoch, after, seq, reason } => {
                self.note(format_args!("must forget {room} up to {after}, {reason}; it is at {seq}"));
                self.house.record().count(match reason.as_str() {
                    "epoch" => "resets by epoch",
                    "ahead" => "resets of who was ahead",
                    _ => "resets of who was too far behind",
                });
                if let Some(open) = self.rooms.get_mut(&room) {
                    open.timeline.reset(epoch, after);
                    open.reset(after);
                }
            }
            ServerFrame::Page { room, before, entries } => self.page(room, before, &entries),
            ServerFrame::Ack { key, room, seq, at, duplicate } => self.acked(key, room, seq, at, duplicate),
            ServerFrame::Nack { key, refusal } => self.nacked(key, &refusal),
            ServerFrame::Error { reference, room, refusal } => self.refused(reference.as_deref(), room, &refusal),
            ServerFrame::Presence { room, online, full, joined, left } => {
                self.present(room, online, full, joined, &left);
            }
            ServerFrame::Service { bus } => self.note(format_args!("hears that the bus is {bus:?}")),
            ServerFrame::Bye { retry_after_ms, .. } => self.hint_ms = retry_after_ms,
            ServerFrame::Typing { .. }
            | ServerFrame::Room { .. }
            | ServerFrame::Read { .. }
            | ServerFrame::Pong
            | ServerFrame::Unknown => {}
        }
    }

    fn subscribed(&mut self, room: RoomId, seq: Seq) {
        self.backoff.reset();
        let Some((asked, after)) = self.asked.pop_front() else { return };
        self.note(format_args!("follows {room} from {after}, which is at {seq}"));
        if asked != room {
            let what = format!("{} asked to follow {asked} and was answered for {room}", self.tab);
            self.house.record().found(Word::Diverged, what);
        }
        if let Some(open) = self.rooms.get_mut(&room) {
            open.followed(after);
        }
    }

    fn entries(&mut self, room: RoomId, entries: &[Entry]) {
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            self.note(format_args!("hears {room}/{} to {}", first.seq, last.seq));
        }
        for entry in entries {
            self.house.witness.shown(&self.tab, room, entry);
        }
        let Some(open) = self.rooms.get_mut(&room) else { return };
        if let Err((word, what)) = open.check(entries) {
            let what = format!("{} in room {room}: {what}", self.tab);
            self.house.record().found(word, what);
        }
        let mut kept = Cow::Borrowed(entries);
        if self.forges {
            kept.to_mut().iter_mut().for_each(alter);
        }
        if let Applied::Gap { after } = open.timeline.apply(&kept) {
            self.house.record().count("gaps that a tab saw");
            if open.repair(after) {
                self.pull(room, after);
            }
        } else {
            open.timeline.trim_to(ROWS);
        }
    }

    /// Asks for what follows a number.
    pub(super) fn pull(&mut self, room: RoomId, after: Seq) {
        self.say(&ClientFrame::Pull(Pull { room, after, limit: ENTRIES_PER_PAGE as i64 }));
    }

    fn page(&mut self, room: RoomId, before: Seq, entries: &[Entry]) {
        self.house.record().count("older pages");
        for entry in entries {
            self.house.witness.shown(&self.tab, room, entry);
        }
        let expected = entries.last().is_none_or(|last| last.seq.next() == before);
        if !expected || entries.windows(2).any(|pair| pair[1].seq != pair[0].seq.next()) {
            self.house.record().found(Word::Gap, format!("{} was given a page before {before} with a hole", self.tab));
        }
        if let Some(open) = self.rooms.get_mut(&room) {
            open.timeline.prepend(before, entries);
        }
    }

    fn acked(&mut self, key: Key, room: RoomId, seq: Seq, at: i64, duplicate: bool) {
        let again = if duplicate { " again" } else { "" };
        self.note(format_args!("is told that {key} is {room}/{seq}{again}"));
        if duplicate {
            self.house.record().count("acks of what was stored before");
        }
        self.house.witness.acked(&self.tab, key, room, seq);
        self.outbox.acked(key);
        if let Some(open) = self.rooms.get_mut(&room) {
            open.timeline.acked(key, seq, at);
        }
        self.flush();
    }

    fn nacked(&mut self, key: Key, refusal: &Refusal) {
        self.note(format_args!("is told that {key} is not, {:?}", refusal.code));
        let room = self.outbox.held().find(|(send, _)| send.key == key).map(|(send, _)| send.room);
        match self.outbox.nacked(key, refusal, self.now_ms()) {
            Verdict::Temporary { .. } => {
                self.house.record().count("sends to be tried again");
                self.house.witness.put_off(&self.tab, key, refusal.code);
            }
            Verdict::Final => {
                self.house.record().count("sends refused for good");
                self.house.record().answered(key, None);
                if let Some(open) = room.and_then(|room| self.rooms.get_mut(&room)) {
                    open.timeline.failed(key, refusal.clone());
                }
            }
        }
        self.flush();
    }

    /// Something asked for was refused: what can be asked again is, when it may.
    fn refused(&mut self, reference: Option<&str>, room: Option<RoomId>, refusal: &Refusal) {
        self.note(format_args!("is refused {reference:?} of {room:?}, {:?}", refusal.code));
        match reference {
            Some("hello" | "subscribe") if refusal.code != Code::Already => {
                self.house.record().count("followings refused");
                self.asked.pop_front();
                let hint = refusal.retry_after_ms.unwrap_or(ASK_AGAIN_MS);
                let wait = self.backoff.next(self.dice.unit(), Some(hint));
                self.follow_at = Some(Instant::now() + Duration::from_millis(wait));
            }
            Some("pull") => {
                if let Some(open) = room.and_then(|room| self.rooms.get_mut(&room)) {
                    open.no_pull();
                }
            }
            _ => {}
        }
    }

    fn present(&mut self, room: RoomId, online: u64, full: bool, joined: Vec<Person>, left: &[Person]) {
        let at = self.time();
        let (came, went) = (joined.len(), left.len());
        self.note(format_args!(
            "sees {online} in {room}: {came} {}, {went} went",
            if full { "in all" } else { "came" }
        ));
        if let Some(open) = self.rooms.get_mut(&room) {
            open.present(online, full, joined, left, at);
        }
    }

    /// Sends what is due.
    pub(super) fn flush(&mut self) {
        if self.phase != Phase::Live {
            return;
        }
        for send in self.outbox.take_ready(self.now_ms()) {
            self.house.record().invoked(send.key);
            self.note(format_args!("sends {} to {}", send.key, send.room));
            self.say(&ClientFrame::Send(send));
        }
    }

    /// Writes down what the tab does or hears.
    pub(super) fn note(&self, what: fmt::Arguments<'_>) {
        self.house.record().note(format_args!("{} {what}", self.tab));
    }
}

fn alter(entry: &mut Entry) {
    entry.change = Change::Posted { body: "never said".to_owned(), reply_to: None };
}
