//! Faults of order: two messages change places everywhere, so that nothing but their order is wrong.

use tertulia_protocol::Seq;

use super::super::tale::{Acked, Tale};
use super::super::world::name_of;
use super::{Mutation, Word};
use crate::journal::{Attempt, Logged, Step, What};

pub(super) fn all() -> Vec<Mutation> {
    use Word::{RealtimeOrder, SessionOrder};
    let kind = |name, must, may, apply| Mutation { name, must, may, apply };
    vec![
        kind("a client's messages change places", &[SessionOrder], &[RealtimeOrder], swap_in_a_session),
        kind("messages of a burst change places", &[SessionOrder], &[RealtimeOrder], swap_in_a_burst),
        kind("messages of two clients change places", &[RealtimeOrder], &[], swap_between_sessions),
    ]
}

fn swap_in_a_session(tale: &mut Tale) -> Option<()> {
    swap_some(tale, |tale, one, two| one.at < two.first && tale.process(one) == tale.process(two))
}

fn swap_in_a_burst(tale: &mut Tale) -> Option<()> {
    swap_some(tale, |tale, one, two| {
        let same = one.conn == two.conn && one.conn.is_some() && tale.process(one) == tale.process(two);
        same && one.first <= two.first && two.first <= one.at
    })
}

/// Neighbours, or others of the second client would stand between and make it a matter of one session.
fn swap_between_sessions(tale: &mut Tale) -> Option<()> {
    swap_some(tale, |tale, one, two| {
        one.at < two.first && two.seq == one.seq.next() && tale.process(one) != tale.process(two)
    })
}

fn swap_some(tale: &mut Tale, fits: impl Fn(&Tale, &Acked, &Acked) -> bool) -> Option<()> {
    let acked = tale.acked();
    let pairs = acked.iter().flat_map(|one| acked.iter().map(move |two| (*one, *two)));
    let pairs = pairs.filter(|(one, two)| one.room == two.room && one.seq < two.seq && fits(tale, one, two)).collect();
    let (one, two) = tale.pick(pairs)?;
    swap(tale, &one, &two);
    Some(())
}

/// As if they had been stored the other way round: logs, acknowledgements and receipts agree about it.
fn swap(tale: &mut Tale, one: &Acked, two: &Acked) {
    let room = one.room;
    let other = |seq: Seq| match seq {
        seq if seq == one.seq => two.seq,
        seq if seq == two.seq => one.seq,
        seq => seq,
    };
    let log = tale.log(room);
    let at = |seq: Seq| log.iter().find(|entry| entry.seq == seq).cloned();
    let entry = |seq: Seq| at(other(seq)).map(|entry| Logged { seq, ..entry });
    tale.edit_log(room, None, |log| log.iter_mut().for_each(|told| *told = entry(told.seq).expect("it is there")));
    for event in &mut tale.events {
        match &mut event.what {
            What::Send(Attempt { room: there, step: Step::Ok { seq, id, .. }, .. }) if *there == room => {
                *seq = other(*seq);
                *id = id.is_some().then(|| name_of(room, *seq));
            }
            What::Recv(receipt) if receipt.room == room => {
                let told = entry(receipt.seq).expect("it is there");
                receipt.h = told.h;
                receipt.key = told.key.filter(|_| receipt.key.is_some());
            }
            _ => {}
        }
    }
}
