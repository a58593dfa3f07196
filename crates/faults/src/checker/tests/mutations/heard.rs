//! Faults of what is heard: twice, late, otherwise, not at all, where nobody listens, with a hole that nobody names.

use std::collections::BTreeMap;

use rand::Rng;
use tertulia_protocol::{Key, RoomId, Seq};

use super::super::tale::Tale;
use super::{Mutation, Word};
use crate::journal::{Digest, Mono, Reason, Resync, Src, What};

pub(super) fn all() -> Vec<Mutation> {
    use Word::{Diverged, DupDelivery, FalseFail, Leak, NotDelivered, OrderDelivery, SilentGap};
    let kind = |name, must, may, apply| Mutation { name, must, may, apply };
    vec![
        kind("an entry comes twice in a row", &[DupDelivery], &[], twice_in_a_row),
        kind("an entry comes again later", &[DupDelivery], &[], again_later),
        kind("two entries come in the wrong order", &[OrderDelivery], &[FalseFail], wrong_order),
        kind("an entry comes with another text", &[Diverged], &[], other_text),
        kind("an entry comes under another key", &[Diverged], &[], other_key),
        kind("an entry comes under another name", &[Diverged], &[], other_name),
        kind("two entries have each other's text", &[Diverged], &[], swapped_texts),
        kind("an entry comes that the log never had", &[Diverged], &[], beyond_the_log),
        kind("the last entry does not come", &[NotDelivered], &[], drop_the_last),
        kind("an entry in the middle does not come", &[SilentGap, NotDelivered], &[], drop_in_the_middle),
        kind("a pulled entry does not come", &[NotDelivered], &[], drop_a_pulled_one),
        kind("nobody says that there is a gap", &[SilentGap], &[], silent_pull),
        kind("nobody says that a room starts afresh", &[SilentGap], &[NotDelivered], silent_reset),
        kind("a plain door leaves a gap to its client", &[SilentGap], &[], pull_at_a_plain_door),
        kind("an observer claims what it never got", &[SilentGap, NotDelivered], &[], claim_too_much),
        kind("an entry comes before the room is followed", &[Leak], &[], before_following),
        kind("an entry comes after the room was left", &[Leak], &[], after_leaving),
        kind("an entry comes after the removal", &[Leak], &[], after_removal),
        kind("an entry comes from before the membership", &[Leak], &[], before_membership),
    ]
}

fn twice_in_a_row(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(tale.streamed())?;
    tale.again(index, tale.events[index].mono);
    Some(())
}

fn again_later(tale: &mut Tale) -> Option<()> {
    let (first, second) = tale.pick(tale.neighbours())?;
    tale.again(first, tale.events[second].mono);
    Some(())
}

fn wrong_order(tale: &mut Tale) -> Option<()> {
    let (first, second) = tale.pick(tale.neighbours())?;
    let event = tale.events[first].clone();
    let later = std::mem::replace(&mut tale.events[second].what, event.what);
    tale.events[first].what = later;
    Some(())
}

fn other_text(tale: &mut Tale) -> Option<()> {
    let said = tale.streamed().into_iter().filter(|index| tale.receipt(*index).is_some_and(|it| it.h.is_some()));
    let index = tale.pick(said.collect())?;
    let receipt = tale.receipt_mut(index);
    receipt.h = receipt.h.map(|Digest(digest)| Digest(digest ^ 1));
    Some(())
}

fn other_key(tale: &mut Tale) -> Option<()> {
    let keyed = tale.streamed().into_iter().filter(|index| tale.receipt(*index).is_some_and(|it| it.key.is_some()));
    let index = tale.pick(keyed.collect())?;
    tale.receipt_mut(index).key = Some(Key::derived([7; 32]));
    Some(())
}

fn other_name(tale: &mut Tale) -> Option<()> {
    let mut named: BTreeMap<(RoomId, Seq), Vec<usize>> = BTreeMap::new();
    for index in tale.streamed() {
        if let Some(it) = tale.receipt(index).filter(|it| it.id.is_some()) {
            named.entry((it.room, it.seq)).or_default().push(index);
        }
    }
    // Two plain doors hear every room, so that one contradicts the other.
    let index = tale.pick(named.into_values().filter(|places| places.len() > 1).flatten().collect())?;
    tale.receipt_mut(index).id = Some("somebody else".to_owned());
    Some(())
}

fn swapped_texts(tale: &mut Tale) -> Option<()> {
    let text = |index| tale.receipt(index).and_then(|it| it.h);
    let differ = |(one, two): &(usize, usize)| text(*one).is_some() && text(*two).is_some() && text(*one) != text(*two);
    let (one, two) = tale.pick(tale.neighbours().into_iter().filter(differ).collect())?;
    let (first, second) = (tale.receipt_mut(one).clone(), tale.receipt_mut(two).clone());
    (tale.receipt_mut(one).h, tale.receipt_mut(one).key) = (second.h, second.key);
    (tale.receipt_mut(two).h, tale.receipt_mut(two).key) = (first.h, first.key);
    Some(())
}

fn beyond_the_log(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(tale.streamed())?;
    let room = tale.receipt_mut(index).room;
    // Also numbers that nobody can have: they must not size a table.
    let far = if tale.rng.random() { 1_i64 << 52 } else { 1 };
    let seq = Seq(tale.head(room).0 + far);
    tale.again(index, tale.events[index].mono);
    let last = tale.events.len() - 1;
    tale.receipt_mut(last).seq = seq;
    Some(())
}

fn drop_the_last(tale: &mut Tale) -> Option<()> {
    let last = |(room, story): (_, Vec<usize>)| {
        let last = *story.last()?;
        (tale.stream(last)?.seq == tale.head(room)).then_some(last)
    };
    let index = tale.pick(tale.stories().into_iter().filter_map(last).collect())?;
    tale.events.remove(index);
    Some(())
}

fn drop_in_the_middle(tale: &mut Tale) -> Option<()> {
    let (first, _) = tale.pick(tale.neighbours())?;
    tale.events.remove(first);
    Some(())
}

fn is_resync(tale: &Tale, index: usize, reason: Reason) -> bool {
    matches!(&tale.events[index].what, What::Resync(resync) if resync.reason == reason)
}

fn drop_a_pulled_one(tale: &mut Tale) -> Option<()> {
    // Who leaves the room is not owed what it was still waiting for.
    let stays = |(_, story): &(_, Vec<usize>)| story.iter().all(|index| !tale.is_leave(*index));
    let stories: Vec<_> = tale.stories().into_iter().filter(stays).collect();
    let pairs = stories.iter().flat_map(|(_, story)| story.windows(2));
    let pulled = pairs.filter(|pair| is_resync(tale, pair[0], Reason::Gap)).map(|pair| pair[1]).collect();
    let pulled = tale.pick(pulled)?;
    tale.events.remove(pulled);
    Some(())
}

fn silent_pull(tale: &mut Tale) -> Option<()> {
    let gaps = (0..tale.events.len()).filter(|index| is_resync(tale, *index, Reason::Gap)).collect();
    let gap = tale.pick(gaps)?;
    tale.events.remove(gap);
    Some(())
}

fn silent_reset(tale: &mut Tale) -> Option<()> {
    // The hole shows when something comes, or when the client resumes behind it.
    let shows = |(note, next): &(usize, usize)| {
        is_resync(tale, *note, Reason::Reset) && (tale.is_follow(*next) || tale.stream(*next).is_some())
    };
    let (reset, _) = tale.pick(tale.pairs().into_iter().filter(shows).collect())?;
    tale.events.remove(reset);
    Some(())
}

fn pull_at_a_plain_door(tale: &mut Tale) -> Option<()> {
    let plain =
        |(first, _): &(usize, usize)| tale.stream(*first).is_some_and(|it| [Src::Events, Src::Raw].contains(&it.src));
    let (first, second) = tale.pick(tale.neighbours().into_iter().filter(plain).collect())?;
    let (later, p) = (tale.events[second].mono, tale.events[second].p.clone());
    let receipt = tale.receipt_mut(first);
    receipt.src = Src::History;
    let (room, seq) = (receipt.room, receipt.seq);
    tale.events[first].mono = Mono(later.0 + 2);
    let gap = Resync { room, reason: Reason::Gap, from: seq, to: seq };
    tale.note(Mono(later.0 + 1), &p, What::Resync(gap));
    Some(())
}

/// Its link breaks, and it resumes behind an entry that never came.
fn claim_too_much(tale: &mut Tale) -> Option<()> {
    let claims = |(receipt, next): &(usize, usize)| tale.stream(*receipt).is_some() && tale.is_follow(*next);
    let (receipt, _) = tale.pick(tale.pairs().into_iter().filter(claims).collect())?;
    tale.events.remove(receipt);
    Some(())
}

fn before_following(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(tale.streamed())?;
    tale.again(index, Mono(0));
    Some(())
}

fn after_leaving(tale: &mut Tale) -> Option<()> {
    let leaves = |(receipt, next): &(usize, usize)| tale.stream(*receipt).is_some() && tale.is_leave(*next);
    let (receipt, leave) = tale.pick(tale.pairs().into_iter().filter(leaves).collect())?;
    tale.again(receipt, tale.events[leave].mono);
    Some(())
}

fn after_removal(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(tale.streamed())?;
    let (p, it) = (tale.events[index].p.clone(), tale.receipt_mut(index).clone());
    let seq = Seq(tale.rng.random_range(1..=it.seq.0));
    tale.note(Mono(1), &p, What::Leave { room: it.room, seq });
    Some(())
}

fn before_membership(tale: &mut Tale) -> Option<()> {
    let index = tale.pick(tale.streamed())?;
    let (p, it) = (tale.events[index].p.clone(), tale.receipt_mut(index).clone());
    tale.note(Mono(1), &p, What::Join { room: it.room, seq: it.seq.next() });
    Some(())
}
