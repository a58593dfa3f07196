//! What a talker says: one send in flight per room, again under its key until it is answered.

use rand::Rng;
use tertulia_protocol::frame::Send;
use tertulia_protocol::{ClientFrame, Key, Refusal, RoomId};
use tertulia_visitor::trouble::{Because, Outcome};
use tokio::time::{Duration, Instant};

use super::super::{Phase, refused};
use super::followed::Followed;
use super::way::Way;
use super::{TRY_AGAIN, Talker, WAITING, Waiting, is_temporary};
use crate::journal::{Attempt, Digest, Life, Stamp, Step, What};

impl Talker {
    /// Thinks of something when it is time, and says per room the first that may be said.
    pub(super) async fn say_what_is_due(&mut self, way: &mut Way) -> Outcome<Result<(), ()>> {
        let now = Instant::now();
        if now >= self.due && matches!(*self.run.phase.borrow(), Phase::Talk) {
            self.due = now.max(self.due + self.habits.every);
            if self.outbox.len() < WAITING {
                let chosen = self.chance.random_range(0..self.rooms.len());
                let room = self.rooms.keys().nth(chosen).copied().unwrap_or(RoomId(0));
                let (stamp, body) = self.words.next(&mut self.chance);
                let waiting = Waiting { room, stamp, key: Key::mint(), body, asked: None, not_before: now };
                self.outbox.push_back(waiting);
            }
        }
        let mut seen: Vec<RoomId> = Vec::new();
        for index in 0..self.outbox.len() {
            let waiting = &mut self.outbox[index];
            if seen.contains(&waiting.room) {
                continue;
            }
            seen.push(waiting.room);
            if waiting.asked.is_some() || now < waiting.not_before {
                continue;
            }
            waiting.asked = Some(now);
            let (key, body) = (waiting.key, waiting.body.clone());
            let step = Step::Invoke {
                key: Some(key),
                author: Some(way.you()),
                n: body.len(),
                h: Digest::of(&body),
                via: way.via(),
                door: self.habits.door,
                conn: None,
            };
            let attempt = Attempt { room: waiting.room, stamp: waiting.stamp, step };
            let send = Send { room: waiting.room, key, body, reply_to: None };
            self.journal.intend(attempt).await.because(&self.name)?;
            if way.say(&ClientFrame::Send(send)).await.is_err() {
                return Ok(Err(()));
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn refused(&mut self, key: Key, refusal: &Refusal) -> Outcome<()> {
        let code = refusal.code.as_str().to_owned();
        if !is_temporary(refusal) {
            return self.answered(key, Step::Fail { code }, true);
        }
        let wait = refusal.retry_after_ms.map_or(TRY_AGAIN, Duration::from_millis);
        if let Some(waiting) = self.outbox.iter_mut().find(|waiting| waiting.key == key) {
            waiting.not_before = Instant::now() + wait;
        }
        self.answered(key, refused(refusal.code), false)
    }

    /// Notes what became of a try; the send leaves the outbox when that is the end of it.
    pub(super) fn answered(&mut self, key: Key, step: Step, is_end: bool) -> Outcome<()> {
        let Some(index) = self.outbox.iter().position(|waiting| waiting.key == key) else { return Ok(()) };
        let Waiting { room, stamp, asked, .. } = &mut self.outbox[index];
        let (room, stamp) = (*room, *stamp);
        *asked = None;
        if is_end {
            self.outbox.remove(index);
        }
        self.note(What::Send(Attempt { room, stamp, step }))
    }

    /// The link is gone, and nothing has come on it for a while: what was asked has no answer, and is asked again under
    /// its key. The person is there no more until they are back; `own` says whether nobody else has broken it.
    pub(super) fn lost(&mut self, silence: Duration, own: bool) -> Outcome<()> {
        let code = "link lost".to_owned();
        let asked: Vec<(RoomId, Stamp)> = self
            .outbox
            .iter_mut()
            .filter_map(|waiting| waiting.asked.take().map(|_| (waiting.room, waiting.stamp)))
            .collect();
        for (room, stamp) in asked {
            self.note(What::Send(Attempt { room, stamp, step: Step::Info { code: code.clone() } }))?;
        }
        let since = self.run.clock.now() - silence;
        let here: Vec<RoomId> =
            self.rooms.iter().filter(|(_, followed)| followed.came).map(|(room, _)| *room).collect();
        for room in here {
            self.note_person(room, Life::Went, Some(since))?;
        }
        self.rooms.values_mut().for_each(Followed::lost);
        self.note(What::Lost { own })
    }
}
