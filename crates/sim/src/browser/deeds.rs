//! What somebody does in the tab.

use tertulia_protocol::frame::{History, Send, Subscribe, Typing, Unsubscribe};
use tertulia_protocol::limits::{BODY_CHARS, HISTORY_PAGE};
use tertulia_protocol::{ClientFrame, Key, Refusal, RoomId, Snapshot, codec};
use tertulia_timeline::{Outbox, Pending};
use tokio::time::{Duration, sleep};
use uuid::Uuid;

use super::{Browser, Errand, Open, Phase};
use crate::dice::Dice;
use crate::plan::{Deed, How};
use crate::record::Word;

/// Tries to load a page before somebody gives up: a minute of them.
const TRIES: usize = 100;

impl Browser {
    /// Does it. Sleeping is for whoever drives.
    pub(super) fn perform(&mut self, deed: &Deed) {
        if self.phase == Phase::Over {
            return;
        }
        match deed {
            Deed::Open { room } => self.visit(room_of(*room)),
            Deed::Again { room } => self.follow_again(room_of(*room)),
            Deed::Leave { room } => self.leave(room_of(*room)),
            Deed::Send { bytes } => self.send(*bytes),
            Deed::SendBad => self.send_bad(),
            Deed::Older => {
                let asked = self.home.and_then(|home| Some((home, self.rooms.get(&home)?.timeline.oldest())));
                if let Some((room, before)) = asked.filter(|(_, before)| before.0 >= 1) {
                    self.say(&ClientFrame::History(History { room, before, limit: HISTORY_PAGE as i64 }));
                }
            }
            Deed::Pull => self.pull_again(),
            Deed::Type => {
                if let Some(room) = self.home {
                    self.say(&ClientFrame::Typing(Typing { room }));
                }
            }
            Deed::Cut { how } => self.cut(*how),
            Deed::Freeze { .. } => {}
            Deed::Reload => self.reload(),
            Deed::Claim { claim } => {
                self.claim = Some(*claim);
                self.cut(How::Both);
            }
            Deed::SignOut => {
                self.note(format_args!("signs out"));
                self.sign_out();
            }
        }
    }

    /// Opens the page of a room: it is rendered by any instance, at a position, and followed from there.
    fn visit(&mut self, room: RoomId) {
        if self.rooms.contains_key(&room) || self.fetching.contains(&room) {
            return;
        }
        self.fetching.push(room);
        let (house, errands) = (self.house.clone(), self.errands.clone());
        let person = self.account.person.clone();
        let mut dice = Dice::of(self.seed, &format!("{} visits {room} as {}", self.tab, self.generation));
        self.house.tasks.spawn(async move {
            let mut page = None;
            for _ in 0..TRIES {
                sleep(Duration::from_millis(dice.within(1..=40))).await;
                if let Some(instance) = house.any(&mut dice) {
                    let fetch = async {
                        let member = instance.chat.member(&person, room).await.ok()?;
                        instance.chat.snapshot(&member).await.ok()
                    };
                    page = tokio::select! {
                        biased;
                        // Safe to cancel: reading changes nothing.
                        () = instance.gone.cancelled() => None,
                        page = fetch => page,
                    };
                    if page.is_some() {
                        break;
                    }
                }
                sleep(Duration::from_millis(dice.within(200..=900))).await;
            }
            // The tab may be closed by now.
            let _ = errands.send(Errand::Fetched(room, page.map(Box::new))).await;
        });
    }

    /// The page is here.
    pub(super) fn fetched(&mut self, room: RoomId, page: Option<&Snapshot>) {
        self.fetching.retain(|fetching| *fetching != room);
        let Some(snapshot) = page.filter(|_| self.phase != Phase::Over) else { return };
        self.note(format_args!("has the page of {room} at {}", snapshot.seq));
        for entry in &snapshot.entries {
            self.house.witness.shown(&self.tab, room, entry);
        }
        let mut open = Open::new(snapshot, self.account.person.id);
        for (send, refusal) in self.outbox.held().filter(|(send, _)| send.room == room) {
            let (key, body, by) = (send.key, send.body.clone(), self.account.person.clone());
            open.timeline.pend(Pending { key, body, at: self.time(), by });
            if let Some(refusal) = refusal {
                open.timeline.failed(key, Refusal::clone(refusal));
            }
        }
        self.rooms.insert(room, open);
        self.home.get_or_insert(room);
        match self.phase {
            Phase::Still => self.connect(),
            Phase::Live => self.follow(),
            Phase::Lost(_) | Phase::Opening(_) | Phase::Over => {}
        }
    }

    fn follow_again(&mut self, room: RoomId) {
        let position = self.rooms.get(&room).filter(|open| open.is_followed()).map(|open| open.timeline.position());
        let Some(position) = position.filter(|position| self.epoch.as_ref() == Some(&position.epoch)) else { return };
        self.asked.push_back((room, position.seq));
        self.say(&ClientFrame::Subscribe(Subscribe { room, after: Some(position.seq) }));
    }

    fn leave(&mut self, room: RoomId) {
        if self.rooms.remove(&room).is_none() {
            return;
        }
        self.note(format_args!("leaves {room}"));
        if self.home == Some(room) {
            self.home = self.rooms.keys().next().copied();
        }
        // Also right after the greeting, which may have asked to follow it.
        self.say(&ClientFrame::Unsubscribe(Unsubscribe { room }));
    }

    fn mint(&mut self) -> Key {
        self.minted += 1;
        Key(Uuid::from_u128((self.tab.0 as u128 + 1) << 64 | u128::from(self.minted)))
    }

    fn send(&mut self, bytes: usize) {
        let Some(room) = self.home.filter(|_| !self.outbox.is_full()) else { return };
        let key = self.mint();
        let mut body = format!("{} says {}", self.tab, self.minted);
        if let Some(more) = bytes.checked_sub(body.len() + 1).filter(|more| *more > 0) {
            body.push(' ');
            body.extend(std::iter::repeat_n('x', more));
        }
        self.put(room, key, body);
    }

    /// The page would not let it out; another client might.
    fn send_bad(&mut self) {
        let Some(room) = self.home.filter(|_| !self.outbox.is_full()) else { return };
        let key = self.mint();
        let body = if self.dice.chance(500) { " \n ".to_owned() } else { "y".repeat(BODY_CHARS + 1) };
        self.put(room, key, body);
    }

    fn put(&mut self, room: RoomId, key: Key, body: String) {
        let by = self.account.person.clone();
        self.house.record().sends(key, self.tab.0, by.id, room, body.clone());
        self.outbox.push(Send { room, key, body: body.clone(), reply_to: None });
        let at = self.time();
        if let Some(open) = self.rooms.get_mut(&room) {
            open.timeline.pend(Pending { key, body, at, by });
        }
        self.flush();
    }

    fn pull_again(&mut self) {
        let back = self.dice.within(0..=30);
        if self.phase != Phase::Live || self.rooms.values().any(Open::is_pulling) {
            return;
        }
        let asked = self.home.and_then(|home| Some((home, self.rooms.get_mut(&home)?.pull(back)?)));
        if let Some((room, after)) = asked {
            self.pull(room, after);
        }
    }

    fn cut(&mut self, how: How) {
        let Some(wire) = &self.wire else { return };
        wire.cut(how);
        self.note(format_args!("is cut off; noticed by {how:?}"));
        if how == How::Browser {
            self.lost();
        }
    }

    /// Loads the page again: what is kept is what the tab's storage keeps.
    fn reload(&mut self) {
        self.note(format_args!("is loaded again"));
        self.house.record().count("reloads");
        self.let_go();
        self.phase = Phase::Still;
        match codec::decode::<Outbox>(&codec::encode(&self.outbox)) {
            Ok(outbox) => self.outbox = outbox,
            Err(error) => {
                let what = format!("{} cannot read its outbox back: {error}", self.tab);
                self.house.record().found(Word::Lost, what);
            }
        }
        self.backoff = tertulia_timeline::Backoff::new();
        (self.epoch, self.claim) = (None, None);
        let rooms: Vec<RoomId> = std::mem::take(&mut self.rooms).into_keys().collect();
        if rooms.is_empty() {
            // Every page leads to the first room.
            self.visit(room_of(0));
        }
        // What was being fetched belonged to the page before; it is welcome all the same.
        rooms.into_iter().for_each(|room| self.visit(room));
    }
}

/// Rooms are numbered from 1 in the database.
fn room_of(index: usize) -> RoomId {
    RoomId(i64::try_from(index).unwrap_or(0) + 1)
}
