//! Takes the events in, in the order of time.

use tertulia_protocol::RoomId;

use super::history::{Ack, Action, Arrived, Happening, History, Observer, Saying, ToldLog, Turn};
use super::names::Id;
use crate::journal::{Attempt, Event, How, Logged, Mono, Process, Reason, Step, Switch, Told, What};

/// Most contradictions within the journals that are named; one is too many already.
const PUZZLES: usize = 20;

impl History {
    /// Takes one event in.
    pub(super) fn note(&mut self, event: Event) {
        let Event { mono: at, p, what } = event;
        self.counts.events += 1;
        self.end = self.end.max(at);
        let p = self.names.id(&p);
        match what {
            What::Send(attempt) => self.send(at, p, attempt),
            What::Recv(receipt) => {
                self.counts.receipts += 1;
                let id = receipt.id.map(|id| self.names.id(&id));
                let epoch = self.names.id(&receipt.epoch.0);
                let (seq, key, digest, src) = (receipt.seq, receipt.key, receipt.h, receipt.src);
                self.happened(at, p, receipt.room, Happening::Recv(Arrived { epoch, seq, id, key, digest, src }));
            }
            What::Resync(resync) => {
                match resync.reason {
                    Reason::Gap => self.counts.gaps += 1,
                    Reason::Reset => self.counts.resets += 1,
                }
                let (reason, from, to) = (resync.reason, resync.from, resync.to);
                self.happened(at, p, resync.room, Happening::Resync { reason, from, to });
            }
            What::Subscribe(follow) => {
                let epoch = self.names.id(&follow.epoch.0);
                let step = Happening::Follow { epoch, after: follow.after, door: follow.door };
                self.happened(at, p, follow.room, step);
                self.say(at, p, follow.room, Saying::Void);
            }
            What::Unsubscribe { room } => {
                self.happened(at, p, room, Happening::Unfollow);
                self.say(at, p, room, Saying::Void);
            }
            What::Join { room, seq } => self.observer(p, room).bounds.push((seq, true)),
            What::Leave { room, seq } => self.observer(p, room).bounds.push((seq, false)),
            What::Lost { own } => self.lost(at, p, own),
            What::Fault { t, f, on } => {
                self.counts.faults += u64::from(t == Switch::Start);
                self.windows.note(at, t, f, on);
            }
            What::Final(told) => {
                let log = ToldLog { epoch: self.names.id(&told.epoch.0), entries: Vec::new() };
                let log = self.rooms.entry(told.room).or_default().logs.entry(told.via).or_insert(log);
                log.entries.extend::<Vec<Logged>>(told.log);
            }
            What::Person(person) => {
                let (who, via) = (self.names.id(&person.who), self.names.id(&person.via));
                let people = &mut self.rooms.entry(person.room).or_default().people;
                let turns = people.lives.entry(who).or_default();
                // A sign of life from before the last turn says nothing of this one.
                let since =
                    person.since.map_or(at, |since| since.min(at)).max(turns.last().map_or(Mono(0), |it| it.at));
                turns.push(Turn { at, since, life: person.t, via });
            }
            What::Presence(presence) => {
                let who = presence.who.iter().map(|who| self.names.id(who)).collect();
                let saying = match presence.t {
                    Told::List => Saying::List(who),
                    Told::Joined => Saying::Joined(who),
                    Told::Left => Saying::Left(who),
                };
                self.say(at, p, presence.room, saying);
            }
            What::Process(process) => self.process(&process),
            // Whether that was in time is told apart, with the states of pages: it concerns no room. So is what a channel
            // was told, which nobody in a room hears.
            What::Freed(_) | What::Revoked(_) | What::Channel(_) => {}
            What::Status { word, .. } => *self.counts.statuses.entry(word).or_default() += 1,
            What::Unknown => self.counts.unknown += 1,
        }
    }

    fn observer(&mut self, p: Id, room: RoomId) -> &mut Observer {
        self.rooms.entry(room).or_default().observers.entry(p).or_default()
    }

    fn happened(&mut self, at: Mono, p: Id, room: RoomId, step: Happening) {
        self.observer(p, room).steps.push((at, step));
    }

    fn say(&mut self, at: Mono, p: Id, room: RoomId, saying: Saying) {
        self.rooms.entry(room).or_default().people.told.entry(p).or_default().push((at, saying));
    }

    /// One link carries all rooms of a process.
    fn lost(&mut self, at: Mono, p: Id, own: bool) {
        self.counts.lost_links += 1;
        if own {
            self.away.entry(p).or_default().push(at);
            let observers = self.rooms.values_mut().filter_map(|room| room.observers.get_mut(&p));
            observers.for_each(|observer| observer.steps.push((at, Happening::Away)));
        }
        let told = self.rooms.values_mut().filter_map(|room| room.people.told.get_mut(&p));
        told.for_each(|told| told.push((at, Saying::Void)));
    }

    fn process(&mut self, process: &Process) {
        let Process::Down { how, code, ms, .. } = process else { return };
        match how {
            How::Kill => self.counts.kills += 1,
            How::Itself => self.counts.crashes += 1,
            How::Term => {
                self.counts.terms += 1;
                self.counts.terms_not_clean += u64::from(*code != Some(0));
                self.counts.longest_term_ms = self.counts.longest_term_ms.max(*ms);
            }
        }
    }

    fn send(&mut self, at: Mono, p: Id, attempt: Attempt) {
        let Attempt { room: place, stamp, step } = attempt;
        let room = self.rooms.entry(place).or_default();
        let index = match (room.by_stamp.get(&stamp), &step) {
            (Some(known), _) => *known,
            (None, Step::Invoke { key, author, h, conn, .. }) => {
                let (key, author, digest, conn) = (*key, *author, *h, *conn);
                let (tries, may, found, acks) = (0, None, false, Vec::new());
                let action =
                    Action { process: p, stamp, key, author, digest, conn, first: at, tries, may, found, acks };
                room.sends.push(action);
                room.by_stamp.insert(stamp, room.sends.len() - 1);
                room.sends.len() - 1
            }
            (None, _) => {
                let process = self.names.name(p);
                let what = format!("room {place}: {process} notes an outcome of {stamp}, of which there is no intent");
                return self.puzzle(what);
            }
        };
        let action = &mut room.sends[index];
        match step {
            Step::Invoke { key, h, .. } => {
                action.tries += 1;
                action.may.get_or_insert((action.tries, at));
                self.counts.tries += 1;
                if (action.key, action.digest) != (key, h) {
                    self.puzzle(format!("room {place}: two tries of {stamp} differ in their key or text"));
                }
            }
            Step::Ok { seq, id, dup } => {
                self.counts.duplicates += u64::from(dup);
                let is_first = action.acks.is_empty() && action.may.is_some_and(|(number, _)| number == action.tries);
                // Of a single try nobody was told that it failed.
                action.found |= dup && is_first && action.tries > 1;
                let id = id.map(|id| self.names.id(&id));
                action.acks.push(Ack { at, seq, id });
            }
            // It settles its own try; one before it that nobody knows about stays so.
            Step::Fail { .. } => action.may = action.may.filter(|(number, _)| *number < action.tries),
            Step::Info { .. } => {}
        }
    }

    /// The journals contradict themselves.
    pub(super) fn puzzle(&mut self, what: String) {
        if self.puzzles.len() < PUZZLES {
            self.puzzles.push(what);
        }
    }
}
