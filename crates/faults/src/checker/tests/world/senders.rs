//! Who says what, through which door, how often they must try, and when it is stored.

use rand::Rng;
use tertulia_protocol::{Key, RoomId, Seq, UserId};

use super::{LAST_SEND, Stored, World, name_of};
use crate::journal::{Attempt, Digest, Door, Kind, Logged, Mono, Stamp, Step, What};

/// Senders by name, door, and messages.
const SENDERS: [(&str, Door, usize); 7] = [
    ("c1", Door::Live, 8),
    ("c2", Door::Live, 8),
    ("c3", Door::Live, 6),
    ("s1", Door::Sse, 5),
    ("p1", Door::Publish, 5),
    ("r1", Door::Bridge, 5),
    ("w1", Door::Raw, 4),
];

/// How a try ends, as its client is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Ok,
    Fail,
    Info,
    /// The client was killed before it could note it.
    Silence,
}

/// One message as it will be noted, once its number is known.
struct Said {
    process: String,
    room: RoomId,
    stamp: Stamp,
    door: Door,
    tries: Vec<(Mono, Mono, End)>,
    /// The first of the tries that stores it.
    stores: Option<usize>,
    conn: Option<u32>,
}

impl World {
    pub(super) fn senders(&mut self) {
        let mut said = Vec::new();
        for (number, (name, door, count)) in (1..).zip(SENDERS) {
            let mut now = Mono(self.rng.random_range(0..2_000_000_000));
            for counter in 0..count {
                let stamp = Stamp { sender: number, counter: counter as u32, random: self.rng.random() };
                let message = self.message(name, door, stamp, &mut now);
                said.push(message);
                now = now + self.ms(100, 4_000);
                if now > LAST_SEND {
                    break;
                }
            }
        }
        self.burst(&mut said);
        let commits: Vec<Option<Mono>> = said.iter().map(|said| self.store(said)).collect();
        self.entries_without_a_send();
        self.number();
        for (said, commit) in said.iter().zip(commits) {
            let seq = commit.and_then(|at| {
                let stored = self.rooms[&said.room].iter().find(|stored| stored.at == at)?;
                Some(stored.entry.seq)
            });
            self.write_down(said, seq);
        }
    }

    fn message(&mut self, name: &str, door: Door, stamp: Stamp, now: &mut Mono) -> Said {
        let rooms = self.rooms.len() as i64;
        let room = RoomId(self.rng.random_range(1..=rooms));
        let (ends, stores): (&[End], Option<usize>) = match (door, self.rng.random_range(0..100)) {
            // These doors answer nothing.
            (Door::Bridge | Door::Raw, 0..80) => (&[End::Info], Some(0)),
            (Door::Bridge | Door::Raw, _) => (&[End::Info], None),
            (_, 0..60) => (&[End::Ok], Some(0)),
            (_, 60..70) => (&[End::Info, End::Ok], Some(0)),
            (_, 70..76) => (&[End::Info, End::Ok], Some(1)),
            (_, 76..81) => (&[End::Fail, End::Info, End::Fail, End::Ok], Some(1)),
            (_, 81..88) => (&[End::Fail], None),
            (_, 88..91) => (&[End::Info, End::Fail], Some(0)),
            (_, 91..95) => (&[End::Silence], Some(0)),
            (_, 95..98) => (&[End::Info], None),
            _ => (&[End::Silence], None),
        };
        let mut tries = Vec::new();
        for end in ends {
            let (begun, took) = (*now, self.ms(2, 40));
            tries.push((begun, begun + took, *end));
            *now = begun + took + self.ms(1, 500);
        }
        Said { process: name.to_owned(), room, stamp, door, tries, stores, conn: None }
    }

    /// A client that does not wait for answers: what it says on one connection keeps its order all the same.
    fn burst(&mut self, said: &mut Vec<Said>) {
        let (process, door, room) = ("k1".to_owned(), Door::Live, RoomId(1));
        for conn in 0..3 {
            let mut now = Mono(self.rng.random_range(0..LAST_SEND.0));
            let mut stored = now + self.ms(5, 10);
            for counter in 0..3 {
                let stamp = Stamp { sender: 100 + conn, counter, random: self.rng.random() };
                // Stored one after the other, in a try that ends right then: see `store`.
                stored = stored + self.ms(1, 5);
                let tries = vec![(now, stored, End::Ok)];
                let process = process.clone();
                said.push(Said { process, room, stamp, door, tries, stores: Some(0), conn: Some(conn) });
                now = now + self.ms(0, 1);
            }
        }
    }

    /// Stores a message within the try that stores it; a moment of its own, so that numbers are certain.
    fn store(&mut self, said: &Said) -> Option<Mono> {
        let (begun, ended, _) = said.tries[said.stores?];
        let mut at = match said.conn {
            Some(_) => Mono(ended.0 - 1),
            None => Mono(self.rng.random_range(begun.0 + 1..ended.0)),
        };
        let stored = self.rooms.get_mut(&said.room)?;
        while stored.iter().any(|other| other.at == at) {
            at = Mono(at.0 - 1);
        }
        let entry = Logged {
            seq: Seq(0),
            kind: Kind::Posted,
            author: author(said),
            key: Some(stored_key(said)),
            h: Some(digest(said)),
            stamp: Some(said.stamp),
        };
        stored.push(Stored { at, entry });
        Some(at)
    }

    fn entries_without_a_send(&mut self) {
        for room in self.room_ids() {
            for kind in [Kind::Joined, Kind::TopicSet, Kind::Left] {
                let at = Mono(self.rng.random_range(1..LAST_SEND.0));
                let entry = Logged { seq: Seq(0), kind, author: UserId(1), key: None, h: None, stamp: None };
                self.rooms.entry(room).or_default().push(Stored { at, entry });
            }
        }
    }

    fn write_down(&mut self, said: &Said, seq: Option<Seq>) {
        let Said { room, stamp, door, conn, .. } = *said;
        let told = matches!(door, Door::Live | Door::Sse);
        for (index, &(begun, ended, end)) in said.tries.iter().enumerate() {
            let (key, author) = (told.then(|| stored_key(said)), told.then(|| author(said)));
            let (n, h, via) = (64, digest(said), ["a", "b", "c"][index % 3].to_owned());
            let step = |world: &mut Self, at, step| {
                world.note(at, &said.process, What::Send(Attempt { room, stamp, step }));
            };
            step(self, begun, Step::Invoke { key, author, n, h, via, door, conn });
            let outcome = match end {
                End::Ok => {
                    let seq = seq.expect("what is acknowledged is stored");
                    let id = (door == Door::Publish).then(|| name_of(room, seq));
                    Step::Ok { seq, id, dup: Some(index) != said.stores }
                }
                End::Fail => Step::Fail { code: "busy".to_owned() },
                End::Info => Step::Info { code: "timeout".to_owned() },
                End::Silence => continue,
            };
            step(self, ended, outcome);
        }
    }
}

/// Sessions have one author; a publisher names another for each message.
fn author(said: &Said) -> UserId {
    UserId(i64::from(said.stamp.sender))
}

fn digest(said: &Said) -> Digest {
    Digest::of(&said.stamp.body(64))
}

/// The key in the log: the client's own, or one that the server derives.
fn stored_key(said: &Said) -> Key {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&said.stamp.random.to_be_bytes());
    bytes[8] = u8::try_from(said.stamp.sender).expect("a small number");
    bytes[9] = u8::try_from(said.stamp.counter).expect("a small number");
    Key::derived(bytes)
}
