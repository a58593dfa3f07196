//! How far a stream has got in each of its rooms, as the `id` of its events: `epoch-room.seq-room.seq`.

use std::fmt::Write as _;

use tertulia_protocol::limits::{INTEGER_MAX, ROOMS_PER_SOCKET};
use tertulia_protocol::{Epoch, Position, RoomId, Seq, ServerFrame, codec};

/// Longest epoch that is read, in bytes: twice the 32 of ours.
const EPOCH_BYTES: usize = 64;

/// The places in all rooms that a stream follows.
pub(super) struct Positions {
    epoch: Epoch,
    /// A room's place; `None` while the client's is of another store and its new one has not been told.
    rooms: Vec<(RoomId, Option<Seq>)>,
}

impl Positions {
    /// Where a client stands before it is told anything.
    pub(super) fn of(epoch: Epoch, resume: &[Position]) -> Self {
        let rooms = resume.iter().map(|position| (position.room, (position.epoch == epoch).then_some(position.seq)));
        Self { rooms: rooms.collect(), epoch }
    }

    /// Reads an `id`; `None` for what is none, as any word without a room is, or names more rooms than a stream may follow.
    pub(super) fn read(text: &str) -> Option<Vec<Position>> {
        let mut parts = text.split('-');
        let epoch = parts.next().filter(|epoch| !epoch.is_empty() && epoch.len() <= EPOCH_BYTES)?;
        let mut resume = Vec::new();
        for part in parts {
            let (room, seq) = part.split_once('.')?;
            if resume.len() == ROOMS_PER_SOCKET {
                return None;
            }
            let (room, seq) = (RoomId(number(room)?), Seq(number(seq)?));
            resume.push(Position { room, epoch: Epoch(epoch.to_owned()), seq });
        }
        // No event has an `id` before a room moved: following nothing is never what its sender meant.
        (!resume.is_empty()).then_some(resume)
    }

    /// Moves on by what a frame says: the `id` of its event, if it moved anything.
    pub(super) fn follow(&mut self, frame: &str) -> Option<String> {
        let (room, seq) = match codec::decode_server(frame) {
            Ok(ServerFrame::Entries { room, entries }) => (room, entries.last()?.seq),
            Ok(ServerFrame::Reset { room, after, .. }) => (room, after),
            _ => return None,
        };
        self.rooms.iter_mut().filter(|(known, _)| *known == room).for_each(|(_, place)| *place = Some(seq));
        self.id()
    }

    /// All places in one word; `None` as long as one of them is of another store. The last `id` that a client has
    /// then stands, or it has none and its `hello` does: both begin where nothing is missed.
    fn id(&self) -> Option<String> {
        let mut id = self.epoch.to_string();
        for (room, seq) in &self.rooms {
            // Writing into a String cannot fail.
            let _ = write!(id, "-{room}.{}", (*seq)?);
        }
        Some(id)
    }
}

/// A number as it is written here: digits alone, at most 2^53 - 1.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= INTEGER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch() -> Epoch {
        Epoch("00ff".to_owned())
    }

    fn position(room: i64, epoch: &str, seq: i64) -> Position {
        Position { room: RoomId(room), epoch: Epoch(epoch.to_owned()), seq: Seq(seq) }
    }

    fn entries(room: i64, seqs: &[i64]) -> String {
        let entry =
            |seq: &i64| format!(r#"{{"seq":{seq},"at":0,"by":{{"id":1,"name":"Ana"}},"kind":"posted","body":"hi"}}"#);
        let entries: Vec<String> = seqs.iter().map(entry).collect();
        format!(r#"{{"t":"entries","room":{room},"entries":[{}]}}"#, entries.join(","))
    }

    #[test]
    fn an_id_names_all_rooms_after_each_entry_and_is_read_back() {
        let mut positions = Positions::of(epoch(), &[position(1, "00ff", 4), position(7, "00ff", 0)]);
        assert_eq!(positions.follow(r#"{"t":"pong"}"#), None, "nothing moved");
        assert_eq!(positions.follow(r#"{"t":"subscribed","room":1,"epoch":"00ff","seq":9}"#), None);
        assert_eq!(positions.follow(&entries(1, &[5, 6])).as_deref(), Some("00ff-1.6-7.0"));
        let id = positions.follow(&entries(7, &[1])).expect("room 7 moved");
        assert_eq!(id, "00ff-1.6-7.1");
        assert_eq!(Positions::read(&id), Some(vec![position(1, "00ff", 6), position(7, "00ff", 1)]));
        let reset = r#"{"t":"reset","room":1,"epoch":"00ff","after":2,"seq":4,"reason":"ahead"}"#;
        assert_eq!(positions.follow(reset).as_deref(), Some("00ff-1.2-7.1"));
        assert_eq!(positions.follow(&entries(1, &[])), None, "an empty page moves nothing");
    }

    #[test]
    fn there_is_no_id_until_every_place_of_another_store_is_replaced() {
        let mut positions = Positions::of(epoch(), &[position(1, "", 0), position(7, "00ff", 3)]);
        assert_eq!(positions.follow(&entries(7, &[4])), None, "whoever resumes by it would lose room 1");
        let reset = r#"{"t":"reset","room":1,"epoch":"00ff","after":2,"seq":4,"reason":"epoch"}"#;
        assert_eq!(positions.follow(reset).as_deref(), Some("00ff-1.2-7.4"));
    }

    #[test]
    fn what_is_no_id_is_not_read() {
        let most: String = (0..ROOMS_PER_SOCKET).map(|room| format!("-{room}.1")).collect();
        assert_eq!(Positions::read(&format!("00ff{most}")).map(|all| all.len()), Some(ROOMS_PER_SOCKET));
        let over = format!("00ff{most}-9999.1");
        let long = "f".repeat(EPOCH_BYTES + 1);
        for rubbish in [
            "",
            "00ff",
            "another version's",
            "-1.1",
            "00ff-",
            "00ff-1",
            "00ff-1.",
            "00ff-.1",
            "00ff-1.-1",
            "00ff-1.+1",
            "00ff-1.1.1",
            "00ff-1.1-",
            "00ff-0x1.1",
            "00ff-1.1e9",
            "00ff-1.9007199254740992",
            "00ff-1.9999999999999999999",
            "00ff-1.1 ",
            long.as_str(),
            over.as_str(),
        ] {
            assert_eq!(Positions::read(rubbish), None, "{rubbish:.80}");
        }
    }
}
