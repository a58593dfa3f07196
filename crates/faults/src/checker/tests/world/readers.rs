//! Who hears what: streams that break and resume, gaps that are pulled, resets, rooms that are left and followed again.

use tertulia_protocol::{Epoch, RoomId, Seq};

use super::{EPOCH, LAST_SEND, Stored, World, name_of};
use crate::journal::{Door, Follow, Mono, Reason, Receipt, Resync, Src, What};

/// Observers of every room, by name and door; doors of one room have its number in their name.
const READERS: [(&str, Door); 6] = [
    ("c1", Door::Live),
    ("c2", Door::Live),
    ("c3", Door::Live),
    ("s1", Door::Sse),
    ("e", Door::Events),
    ("w", Door::Raw),
];

/// One observer in one room.
struct Reader {
    p: String,
    room: RoomId,
    door: Door,
    now: Mono,
    /// The last entry that it has.
    at: Seq,
}

impl World {
    pub(super) fn readers(&mut self) {
        for room in self.room_ids() {
            for (name, door) in READERS {
                let p = if door.repairs() { name.to_owned() } else { format!("{name}{room}") };
                let now = Mono(1_000) + self.ms(0, 8_000);
                let mut reader = Reader { p, room, door, now, at: Seq::ZERO };
                if self.percent(50) {
                    reader.at = self.head(room, now);
                }
                self.read(&mut reader);
            }
        }
    }

    fn read(&mut self, reader: &mut Reader) {
        self.follow(reader);
        while let Some(next) = self.entry(reader.room, reader.at.next()) {
            let behind = self.head(reader.room, reader.now).0 - reader.at.0;
            let chance = self.ms(0, 100).as_millis();
            match chance {
                0..6 => self.lose_the_link(reader),
                6..12 if behind > 1 && reader.door.repairs() => self.miss_some(reader, behind),
                12..15 if behind > 0 => self.start_afresh(reader, behind),
                15..18 if reader.now < LAST_SEND => self.leave_for_a_while(reader),
                _ => {
                    let moment = reader.now.max(next.at) + self.ms(1, 30);
                    reader.now = moment;
                    let src = reader.live();
                    self.receive(reader, &next, src);
                    reader.at = next.entry.seq;
                }
            }
        }
        if self.percent(20) {
            self.end(reader);
        }
    }

    fn entry(&self, room: RoomId, seq: Seq) -> Option<Stored> {
        let index = usize::try_from(seq.0 - 1).ok()?;
        self.rooms[&room].get(index).cloned()
    }

    fn lose_the_link(&mut self, reader: &mut Reader) {
        self.note(reader.now, &reader.p, What::Lost { own: false });
        reader.now = reader.now + self.ms(50, 3_000);
        self.follow(reader);
        let missed = self.head(reader.room, reader.now);
        while let Some(next) = self.entry(reader.room, reader.at.next()).filter(|next| next.entry.seq <= missed) {
            reader.now = reader.now + self.ms(0, 1);
            let src = if reader.door.repairs() { Src::Resume } else { reader.live() };
            self.receive(reader, &next, src);
            reader.at = next.entry.seq;
        }
    }

    /// The stream jumps, and the client asks for what it lacks.
    fn miss_some(&mut self, reader: &mut Reader, behind: i64) {
        let skipped = behind.min(4) - 1;
        let after = Seq(reader.at.0 + skipped).next();
        let (from, to) = (reader.at.next(), after.prev());
        let room = reader.room;
        reader.now = reader.now + self.ms(1, 30);
        if let Some(entry) = self.entry(room, after) {
            self.receive(reader, &entry, Src::Live);
        }
        self.note(reader.now, &reader.p, What::Resync(Resync { room, reason: Reason::Gap, from, to }));
        for seq in from.0..=to.0 {
            reader.now = reader.now + self.ms(1, 5);
            if let Some(entry) = self.entry(room, Seq(seq)) {
                self.receive(reader, &entry, Src::History);
            }
        }
        reader.at = after;
    }

    /// The server says that too much was missed.
    fn start_afresh(&mut self, reader: &mut Reader, behind: i64) {
        // Browsers may be given the newest page, which comes on the stream like all else.
        let page = i64::from(reader.door.repairs() && behind > 1 && self.percent(50));
        let (from, to) = (reader.at.next(), Seq(reader.at.0 + behind - page));
        let room = reader.room;
        reader.now = reader.now + self.ms(1, 30);
        self.note(reader.now, &reader.p, What::Resync(Resync { room, reason: Reason::Reset, from, to }));
        reader.at = to;
        if reader.door.repairs() {
            self.follow(reader);
        }
        for seq in 1..=page {
            if let Some(entry) = self.entry(room, Seq(to.0 + seq)) {
                self.receive(reader, &entry, Src::Reset);
                reader.at = entry.entry.seq;
            }
        }
    }

    fn leave_for_a_while(&mut self, reader: &mut Reader) {
        self.end(reader);
        reader.now = reader.now + self.ms(100, 4_000);
        if self.percent(50) {
            reader.at = self.head(reader.room, reader.now);
        }
        self.follow(reader);
    }

    fn end(&mut self, reader: &mut Reader) {
        reader.now = reader.now + self.ms(1, 10);
        self.note(reader.now, &reader.p, What::Unsubscribe { room: reader.room });
    }

    fn follow(&mut self, reader: &Reader) {
        let (room, epoch, via) = (reader.room, Epoch(EPOCH.to_owned()), "a".to_owned());
        let follow = Follow { room, epoch, after: reader.at, via, door: reader.door };
        self.note(reader.now, &reader.p, What::Subscribe(follow));
    }

    fn receive(&mut self, reader: &Reader, stored: &Stored, src: Src) {
        let (room, epoch, entry) = (reader.room, Epoch(EPOCH.to_owned()), &stored.entry);
        let frames = reader.door.repairs();
        let (key, id) = (entry.key.filter(|_| frames), (!frames).then(|| name_of(room, entry.seq)));
        let receipt = Receipt { room, epoch, seq: entry.seq, id, key, h: entry.h, src };
        self.note(reader.now, &reader.p, What::Recv(receipt));
    }
}

impl Reader {
    fn live(&self) -> Src {
        match self.door {
            Door::Events => Src::Events,
            Door::Raw => Src::Raw,
            _ => Src::Live,
        }
    }
}
