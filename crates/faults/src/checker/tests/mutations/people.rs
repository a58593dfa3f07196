//! Faults of what is said of people: gone twice, never gone, gone although they came back.

use tertulia_protocol::RoomId;

use super::super::tale::Tale;
use super::super::world::TERMS;
use super::{Mutation, Word};
use crate::journal::{Life, Mono, Presence, Told, What};

pub(super) fn all() -> Vec<Mutation> {
    use Word::{Flicker, LeftTwice, Stayed};
    let kind = |name, must, may, apply| Mutation { name, must, may, apply };
    vec![
        kind("somebody leaves twice", &[LeftTwice], &[], leave_twice),
        kind("nobody says that somebody left", &[Stayed], &[], stay),
        kind("somebody who is back has left", &[Flicker], &[], flicker),
        kind("somebody who never went has left", &[Flicker], &[], leave_before_going),
    ]
}

/// What observers were told in these words, by place in the events.
fn told(tale: &Tale, wanted: Told) -> Vec<usize> {
    let is_it = |index: &usize| matches!(&tale.events[*index].what, What::Presence(said) if said.t == wanted);
    (0..tale.events.len()).filter(is_it).collect()
}

fn said(tale: &Tale, index: usize) -> &Presence {
    match &tale.events[index].what {
        What::Presence(said) => said,
        other => panic!("premise: something about people, not {other:?}"),
    }
}

fn leave_twice(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(told(tale, Told::Left))?;
    tale.again(index, Mono(tale.events[index].mono.0 + 1));
    Some(())
}

/// When somebody went and came in a room, in the order of time.
fn life(tale: &Tale, room: RoomId, who: &str) -> Vec<(Mono, Life)> {
    let of = tale.events.iter().filter_map(|event| match &event.what {
        What::Person(person) if person.room == room && person.who == who => Some((event.mono, person.t)),
        _ => None,
    });
    of.collect()
}

fn stay(tale: &mut Tale) -> Option<()> {
    let calm = tale.events.iter().filter_map(|event| matches!(event.what, What::Fault { .. }).then_some(event.mono));
    let calm = calm.max()?;
    let end = tale.events.last()?.mono;
    let noticed = |index: &usize| {
        let (event, said) = (&tale.events[*index], said(tale, *index));
        let went = event.mono - TERMS.grace;
        let due = went + TERMS.gone_within;
        // Nobody came, no link broke and no list was told before it is due; no fault gives it more time.
        let quiet = tale.events.iter().all(|other| {
            let near = other.mono > went - TERMS.grace && other.mono <= due;
            let same = other.p == event.p && *other != *event;
            !(near && same && !matches!(&other.what, What::Presence(it) if it.who != said.who && it.t != Told::List))
        });
        let back = life(tale, said.room, &said.who[0])
            .iter()
            .any(|(at, life)| *life == Life::Came && *at > went && *at <= due);
        quiet && !back && went > calm && due < end
    };
    let index = tale.pick(told(tale, Told::Left).into_iter().filter(noticed).collect())?;
    tale.events.remove(index);
    Some(())
}

fn flicker(tale: &mut Tale) -> Option<()> {
    let mut short = Vec::new();
    for index in told(tale, Told::Joined) {
        let (room, who) = (said(tale, index).room, said(tale, index).who[0].clone());
        for pair in life(tale, room, &who).windows(2) {
            let (went, came) = (pair[0], pair[1]);
            if went.1 == Life::Went && came.1 == Life::Came && came.0.since(went.0) < TERMS.grace {
                short.push((tale.events[index].p.clone(), room, who.clone(), went.0));
            }
        }
    }
    let (p, room, who, went) = tale.pick(short)?;
    for (after, t) in [(1, Told::Left), (2, Told::Joined)] {
        tale.note(Mono(went.0 + after), &p, What::Presence(Presence { room, t, who: vec![who.clone()] }));
    }
    Some(())
}

fn leave_before_going(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(told(tale, Told::Joined))?;
    let (p, it) = (tale.events[index].p.clone(), said(tale, index).clone());
    for (after, t) in [(1, Told::Left), (2, Told::Joined)] {
        // Before anybody went, whoever it is: their first absence comes later.
        let first = life(tale, it.room, &it.who[0]).iter().find(|(_, life)| *life == Life::Went)?.0;
        let said = Presence { room: it.room, t, who: it.who.clone() };
        tale.note(Mono(first.0 - 10 + after), &p, What::Presence(said));
    }
    Some(())
}
