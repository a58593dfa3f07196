//! Faults of what is stored: lost, doubled, changed, invented, told differently.

use rand::Rng;
use tertulia_protocol::{Key, RoomId, Seq, UserId};

use super::super::tale::Tale;
use super::{Mutation, Word};
use crate::journal::{Attempt, Digest, Door, Kind, Logged, Mono, Stamp, Step, What};

pub(super) fn all() -> Vec<Mutation> {
    use Word::{Changed, Diverged, DuplicateStored, FalseFail, Gap, Lost, NotDelivered, Phantom, SilentGap, Split};
    let kind = |name, must, may, apply| Mutation { name, must, may, apply };
    vec![
        kind("an acknowledged entry vanishes", &[Lost, Gap], &[Diverged], vanish),
        kind("the newest acknowledged entry vanishes", &[Lost], &[Diverged], vanish_at_the_end),
        kind("an entry vanishes and the log closes up", &[Lost], &[Changed, Diverged], close_up),
        kind("one instance lacks an entry", &[Split], &[], lack_on_one),
        kind("one instance has another text", &[Split], &[], differ_on_one),
        kind("one instance has another store", &[Split], &[], other_store_on_one),
        kind("a retry is stored again under its key", &[DuplicateStored], &[NotDelivered], store_again),
        kind("a message is stored again under another key", &[DuplicateStored], &[NotDelivered], store_under_other_key),
        kind("a key is stored in two rooms", &[DuplicateStored, Phantom], &[NotDelivered], store_in_two_rooms),
        kind("the text of an entry changes", &[Changed], &[Diverged], change_text),
        kind("the text of an entry nobody acknowledged changes", &[Changed], &[Diverged], change_unacked_text),
        kind("an entry turns into something else", &[Changed], &[Diverged], replace),
        kind("another number is acknowledged", &[Changed], &[Diverged], acknowledge_another_number),
        kind("two numbers are acknowledged", &[Changed], &[Diverged], acknowledge_twice),
        kind("what was never stored is acknowledged", &[Lost], &[], acknowledge_nothing),
        kind("a stored send is refused", &[FalseFail], &[], refuse_stored),
        kind("a refused send is stored", &[FalseFail], &[NotDelivered], store_refused),
        kind("a refused send is found stored by its retry", &[FalseFail], &[], refuse_and_find),
        kind("a refused send is heard before it is sent again", &[FalseFail], &[], refuse_and_hear),
        kind("nobody sent an entry", &[Phantom], &[], unsend),
        kind("two rooms are mixed up", &[Lost, Phantom], &[Diverged], swap_rooms),
        kind("a number is used up without an entry", &[Gap], &[SilentGap], use_up_a_number),
    ]
}

fn vanish(tale: &mut Tale) -> Option<()> {
    let inner = tale.acked().into_iter().filter(|acked| acked.seq < tale.head(acked.room)).collect();
    let lost = tale.pick(inner)?;
    tale.edit_log(lost.room, None, |log| log.retain(|entry| entry.seq != lost.seq));
    Some(())
}

fn vanish_at_the_end(tale: &mut Tale) -> Option<()> {
    let last = tale.acked().into_iter().filter(|acked| acked.seq == tale.head(acked.room)).collect();
    let lost = tale.pick(last)?;
    tale.edit_log(lost.room, None, |log| log.truncate(log.len() - 1));
    Some(())
}

fn close_up(tale: &mut Tale) -> Option<()> {
    let lost = tale.pick(tale.acked())?;
    tale.edit_log(lost.room, None, |log| {
        log.retain(|entry| entry.seq != lost.seq);
        (1..).zip(log).for_each(|(seq, entry)| entry.seq = Seq(seq));
    });
    Some(())
}

fn lack_on_one(tale: &mut Tale) -> Option<()> {
    let room = tale.pick(tale.rooms())?;
    let seq = tale.rng.random_range(1..=tale.head(room).0);
    tale.edit_log(room, Some("b"), |log| log.retain(|entry| entry.seq.0 != seq));
    Some(())
}

fn differ_on_one(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    tale.edit_log(acked.room, Some("c"), |log| {
        log.iter_mut().filter(|entry| entry.seq == acked.seq).for_each(other_text);
    });
    Some(())
}

fn other_store_on_one(tale: &mut Tale) -> Option<()> {
    let room = tale.pick(tale.rooms())?;
    for event in &mut tale.events {
        match &mut event.what {
            What::Final(told) if told.room == room && told.via == "c" => told.epoch.0.push('x'),
            _ => {}
        }
    }
    Some(())
}

fn other_text(entry: &mut Logged) {
    entry.h = entry.h.map(|Digest(digest)| Digest(digest ^ 1));
}

/// Appends an entry to a room's log on every instance.
fn append(tale: &mut Tale, room: RoomId, entry: &Logged) {
    let seq = tale.head(room).next();
    tale.edit_log(room, None, |log| log.push(Logged { seq, ..entry.clone() }));
}

fn entry_of(tale: &Tale, room: RoomId, seq: Seq) -> Option<Logged> {
    tale.log(room).into_iter().find(|entry| entry.seq == seq)
}

fn store_again(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    let entry = entry_of(tale, acked.room, acked.seq)?;
    append(tale, acked.room, &entry);
    Some(())
}

fn store_under_other_key(tale: &mut Tale) -> Option<()> {
    let (room, entry) = tale.pick(tale.unacked_but_stored())?;
    append(tale, room, &Logged { key: Some(Key::derived([7; 32])), ..entry });
    Some(())
}

fn store_in_two_rooms(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    let others = tale.rooms().into_iter().filter(|room| *room != acked.room).collect();
    let other = tale.pick(others)?;
    let entry = entry_of(tale, acked.room, acked.seq)?;
    append(tale, other, &entry);
    Some(())
}

fn change_text(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    tale.edit_entry(acked.room, acked.seq, other_text);
    Some(())
}

fn change_unacked_text(tale: &mut Tale) -> Option<()> {
    let (room, entry) = tale.pick(tale.unacked_but_stored())?;
    tale.edit_entry(room, entry.seq, other_text);
    Some(())
}

fn replace(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    tale.edit_entry(acked.room, acked.seq, |entry| {
        other_text(entry);
        (entry.stamp, entry.key) = (None, None);
    });
    Some(())
}

fn acknowledge_another_number(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    let others = (1..=tale.head(acked.room).0).filter(|seq| *seq != acked.seq.0).collect();
    let other = Seq(tale.pick(others)?);
    for step in tale.steps_of(acked.stamp) {
        if let Step::Ok { seq, .. } = step {
            *seq = other;
        }
    }
    Some(())
}

fn acknowledge_twice(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    let (p, seq) = (tale.process(&acked).to_owned(), acked.seq.next());
    let step = Step::Ok { seq, id: None, dup: true };
    tale.note(Mono(acked.at.0 + 1), &p, What::Send(Attempt { room: acked.room, stamp: acked.stamp, step }));
    Some(())
}

fn acknowledge_nothing(tale: &mut Tale) -> Option<()> {
    let room = tale.pick(tale.rooms())?;
    let stamp = Stamp { sender: 500, counter: 0, random: tale.rng.random() };
    let (h, via, door) = (Digest::of(&stamp.body(64)), "b".to_owned(), Door::Publish);
    let intent = Step::Invoke { key: None, author: None, n: 64, h, via, door, conn: None };
    // Either as the next entry, or as one that is something else.
    let seq = if tale.rng.random() { tale.head(room).next() } else { tale.pick(tale.acked())?.seq };
    for (at, step) in [(40_000_000_000, intent), (40_100_000_000, Step::Ok { seq, id: None, dup: false })] {
        tale.note(Mono(at), "p9", What::Send(Attempt { room, stamp, step }));
    }
    Some(())
}

fn refuse_stored(tale: &mut Tale) -> Option<()> {
    let once = tale.acked().into_iter().filter(|acked| acked.tries == 1).collect();
    let acked = tale.pick(once)?;
    for step in tale.steps_of(acked.stamp) {
        if let Step::Ok { .. } = step {
            *step = Step::Fail { code: "busy".to_owned() };
        }
    }
    Some(())
}

fn store_refused(tale: &mut Tale) -> Option<()> {
    let stored: Vec<Stamp> =
        tale.rooms().into_iter().flat_map(|room| tale.log(room)).filter_map(|entry| entry.stamp).collect();
    let refused = tale.events.iter().filter_map(|event| match &event.what {
        What::Send(Attempt { room, stamp, step: Step::Fail { .. } }) => Some((*room, *stamp)),
        _ => None,
    });
    let (room, stamp) = tale.pick(refused.filter(|(_, stamp)| !stored.contains(stamp)).collect())?;
    let entry = Logged {
        seq: Seq::ZERO,
        kind: Kind::Posted,
        author: UserId(i64::from(stamp.sender)),
        key: None,
        h: Some(Digest::of(&stamp.body(64))),
        stamp: Some(stamp),
    };
    append(tale, room, &entry);
    Some(())
}

/// The try that stored it says that it stored nothing, and the next that it was there.
fn refuse_and_find(tale: &mut Tale) -> Option<()> {
    refuse_and_retry(tale, Mono(1), true)
}

/// Everybody hears what was refused; only then it is sent again, and taken as if it were new.
fn refuse_and_hear(tale: &mut Tale) -> Option<()> {
    let after_all = tale.events.iter().map(|event| event.mono).max()?;
    refuse_and_retry(tale, after_all, false)
}

fn refuse_and_retry(tale: &mut Tale, not_before: Mono, dup: bool) -> Option<()> {
    let once = tale.acked().into_iter().filter(|acked| acked.tries == 1 && acked.conn.is_none()).collect();
    let acked = tale.pick(once)?;
    let invoke = tale.steps_of(acked.stamp).next()?.clone();
    for step in tale.steps_of(acked.stamp) {
        if let Step::Ok { .. } = step {
            *step = Step::Fail { code: "busy".to_owned() };
        }
    }
    let begun = Mono(acked.at.0.max(not_before.0) + 1);
    let p = tale.process(&acked).to_owned();
    let ok = Step::Ok { seq: acked.seq, id: None, dup };
    for (at, step) in [(begun, invoke), (Mono(begun.0 + 1), ok)] {
        tale.note(at, &p, What::Send(Attempt { room: acked.room, stamp: acked.stamp, step }));
    }
    Some(())
}

fn unsend(tale: &mut Tale) -> Option<()> {
    let acked = tale.pick(tale.acked())?;
    tale.events.retain(|event| !matches!(&event.what, What::Send(attempt) if attempt.stamp == acked.stamp));
    Some(())
}

fn swap_rooms(tale: &mut Tale) -> Option<()> {
    let one = tale.pick(tale.acked())?;
    let others = tale.acked().into_iter().filter(|other| other.room != one.room).collect();
    let two = tale.pick(others)?;
    let (first, second) = (entry_of(tale, one.room, one.seq)?, entry_of(tale, two.room, two.seq)?);
    tale.edit_entry(one.room, one.seq, |entry| *entry = Logged { seq: entry.seq, ..second.clone() });
    tale.edit_entry(two.room, two.seq, |entry| *entry = Logged { seq: entry.seq, ..first.clone() });
    Some(())
}

/// What happens when a rolled back transaction keeps the number it had taken.
fn use_up_a_number(tale: &mut Tale) -> Option<()> {
    let room = tale.pick(tale.rooms())?;
    let from = tale.rng.random_range(2..=tale.head(room).0);
    let later = |seq: &mut Seq| seq.0 += i64::from(seq.0 >= from);
    tale.edit_log(room, None, |log| log.iter_mut().for_each(|entry| later(&mut entry.seq)));
    for event in &mut tale.events {
        match &mut event.what {
            What::Send(Attempt { room: there, step: Step::Ok { seq, id, .. }, .. }) if *there == room => {
                later(seq);
                *id = None;
            }
            What::Recv(receipt) if receipt.room == room => {
                later(&mut receipt.seq);
                receipt.id = None;
            }
            What::Subscribe(follow) if follow.room == room => later(&mut follow.after),
            What::Resync(resync) if resync.room == room => {
                later(&mut resync.from);
                later(&mut resync.to);
            }
            _ => {}
        }
    }
    Some(())
}
