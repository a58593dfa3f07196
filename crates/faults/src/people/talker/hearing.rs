//! What a talker hears: noted as it comes, applied if it is next, asked for if it is missing.

use tertulia_protocol::frame::Pull;
use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{Change, ClientFrame, Entry, Epoch, RoomId, Seq, ServerFrame};
use tertulia_visitor::trouble::{Outcome, trouble};

use super::{Talker, is_temporary};
use crate::journal::{Digest, Follow, Life, Presence, Reason, Receipt, Resync, Step, Told, What};

impl Talker {
    /// Does what a frame says; what to ask for because of it.
    pub(super) fn hear(&mut self, heard: ServerFrame, hint: &mut Option<u64>) -> Outcome<Option<ClientFrame>> {
        match heard {
            ServerFrame::Subscribed { room, epoch, seq } => self.follows(room, epoch, seq)?,
            ServerFrame::Entries { room, entries } => return self.entries(room, &entries),
            ServerFrame::Reset { room, epoch, after, seq, .. } => self.begins_afresh(room, epoch, after, seq)?,
            ServerFrame::Ack { key, seq, duplicate, .. } => {
                self.answered(key, Step::Ok { seq, id: None, dup: duplicate }, true)?;
            }
            ServerFrame::Nack { key, refusal } => self.refused(key, &refusal)?,
            ServerFrame::Presence { room, full, joined, left, .. } if self.habits.watches => {
                self.people(room, full, joined, left)?;
            }
            ServerFrame::Service { bus } => self.note_status(bus)?,
            ServerFrame::Bye { retry_after_ms, .. } => *hint = retry_after_ms,
            ServerFrame::Error { refusal, .. } if !is_temporary(&refusal) => {
                return trouble(format!("{}: refused: {refusal}", self.name));
            }
            _ => {}
        }
        Ok(None)
    }

    fn follows(&mut self, room: RoomId, epoch: Epoch, seq: Seq) -> Outcome<()> {
        let Some(followed) = self.rooms.get_mut(&room) else { return Ok(()) };
        let (_, after) = followed.position.get_or_insert_with(|| (epoch.clone(), seq)).clone();
        followed.resumed_to = seq;
        let came = std::mem::replace(&mut followed.came, true);
        let via = self.doors[self.at].0.clone();
        self.note(What::Subscribe(Follow { room, epoch, after, via, door: self.habits.door }))?;
        if came { Ok(()) } else { self.note_person(room, Life::Came, None) }
    }

    fn begins_afresh(&mut self, room: RoomId, epoch: Epoch, after: Seq, seq: Seq) -> Outcome<()> {
        let Some(followed) = self.rooms.get_mut(&room) else { return Ok(()) };
        let from = followed.position.as_ref().map_or(Seq(1), |(_, seq)| seq.next());
        followed.position = Some((epoch, after));
        followed.afresh_to = seq;
        self.note(What::Resync(Resync { room, reason: Reason::Reset, from, to: after }))
    }

    /// Notes what came, and asks for what is missing.
    fn entries(&mut self, room: RoomId, entries: &[Entry]) -> Outcome<Option<ClientFrame>> {
        let Some(followed) = self.rooms.get_mut(&room) else { return Ok(None) };
        let Some((epoch, _)) = followed.position.clone() else { return Ok(None) };
        let seqs: Vec<Seq> = entries.iter().map(|entry| entry.seq).collect();
        let taken = followed.take(&seqs);
        for (entry, src) in entries.iter().zip(taken.ways) {
            let h = match &entry.change {
                Change::Posted { body, .. } => Some(Digest::of(body)),
                _ => None,
            };
            let (epoch, seq, key) = (epoch.clone(), entry.seq, entry.key);
            self.note(What::Recv(Receipt { room, epoch, seq, id: None, key, h, src }))?;
        }
        for (from, to) in taken.gaps {
            self.note(What::Resync(Resync { room, reason: Reason::Gap, from, to }))?;
        }
        let limit = i64::try_from(ENTRIES_PER_PAGE).unwrap_or(500);
        Ok(taken.pull.map(|after| ClientFrame::Pull(Pull { room, after, limit })))
    }

    fn people(
        &mut self,
        room: RoomId,
        full: bool,
        joined: Vec<tertulia_protocol::Person>,
        left: Vec<tertulia_protocol::Person>,
    ) -> Outcome<()> {
        let names = |people: Vec<tertulia_protocol::Person>| people.into_iter().map(|person| person.name).collect();
        let arrived = if full { Told::List } else { Told::Joined };
        if full || !joined.is_empty() {
            self.note(What::Presence(Presence { room, t: arrived, who: names(joined) }))?;
        }
        if !left.is_empty() {
            self.note(What::Presence(Presence { room, t: Told::Left, who: names(left) }))?;
        }
        Ok(())
    }
}
