//! A plan from a seed.

use super::{Claim, Deed, How, INSTANCES, Past, Plan, Posts, Script, TROUBLED_MS, Timed, Trouble};
use crate::dice::Dice;

/// One seed in so many has a past of each kind: they take longer to run.
const PAST_EVERY: usize = 12;
/// How soon after a claim of far behind the tab may fall asleep, in milliseconds: while pages come.
const SOON_MS: u64 = 600;
/// Before that moment nothing goes wrong, so that everybody is there, in milliseconds.
const CALM_MS: u64 = 1_500;
/// The longest message that is said, in bytes: a few of them fill a page.
const LONG: u64 = 9_000;

impl Plan {
    /// What the seed means; the same for ever.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, "plan");
        let rooms = 1 + dice.below(3);
        let mut people: Vec<Script> = Vec::new();
        for tab in 0..3 + dice.below(5) {
            let shares = tab > 0 && dice.chance(250);
            let account = if shares { people[tab - 1].account } else { tab };
            people.push(Script { account, deeds: deeds(&mut dice, rooms) });
        }
        let posts = (0..dice.below(8)).map(|_| timed(&mut dice, |dice| posts(dice, rooms))).collect();
        // Some seeds are calm: what breaks without any trouble should not hide behind one.
        let count = if dice.chance(100) { 0 } else { 1 + dice.below(9) };
        let troubles: Vec<_> = (0..count).map(|_| timed(&mut dice, |dice| trouble(dice, rooms))).collect();
        for step in &troubles {
            if let Trouble::Crash { slow_ms, .. } = step.what {
                speak_before(&mut people, step.at_ms, slow_ms, &mut dice);
            }
        }
        let past = match dice.below(PAST_EVERY) {
            0 => Past::Old,
            1 => Past::Long,
            _ => Past::None,
        };
        Self { seed, rooms, past, people, posts: by_time(posts), troubles: by_time(troubles), sabotage: None }
    }

    /// The same with a promise broken.
    #[must_use]
    pub fn with(mut self, sabotage: super::Sabotage) -> Self {
        self.sabotage = Some(sabotage);
        self
    }
}

/// Everybody says something in the last moments of an instance, so that it dies with writes under way.
fn speak_before(people: &mut [Script], from_ms: u64, slow_ms: u64, dice: &mut Dice) {
    if slow_ms == 0 {
        return;
    }
    for script in people {
        let at_ms = from_ms + dice.within(0..=slow_ms);
        script.deeds.push(Timed { at_ms, what: Deed::Send { bytes: 0 } });
        script.deeds.sort_by_key(|step| step.at_ms);
    }
}

fn by_time<T>(mut steps: Vec<Timed<T>>) -> Vec<Timed<T>> {
    steps.sort_by_key(|step| step.at_ms);
    steps
}

fn timed<T>(dice: &mut Dice, what: impl FnOnce(&mut Dice) -> T) -> Timed<T> {
    Timed { at_ms: dice.within(CALM_MS..=TROUBLED_MS), what: what(dice) }
}

fn deeds(dice: &mut Dice, rooms: usize) -> Vec<Timed<Deed>> {
    let room = dice.below(rooms);
    let first = Timed { at_ms: dice.within(0..=CALM_MS), what: Deed::Open { room } };
    let mut deeds = vec![first];
    for _ in 0..4 + dice.below(40) {
        let step = timed(dice, |dice| deed(dice, rooms));
        let burst = if matches!(step.what, Deed::Send { .. }) && dice.chance(100) { dice.below(12) } else { 0 };
        if matches!(step.what, Deed::Claim { claim: Claim::Oldest }) && dice.chance(500) {
            let at_ms = step.at_ms + dice.within(1..=SOON_MS);
            deeds.push(Timed { at_ms, what: Deed::Freeze { ms: dice.within(2_000..=15_000) } });
        }
        deeds.extend(std::iter::repeat_n(step, 1 + burst));
    }
    by_time(deeds)
}

fn deed(dice: &mut Dice, rooms: usize) -> Deed {
    match dice.below(1_000) {
        0..=594 => {
            Deed::Send { bytes: if dice.chance(40) { dice.within(1_000..=LONG) } else { dice.within(0..=60) } as usize }
        }
        595..=609 => Deed::Again { room: dice.below(rooms) },
        610..=639 => Deed::SendBad,
        640..=699 => Deed::Open { room: dice.below(rooms) },
        700..=724 => Deed::Leave { room: dice.below(rooms) },
        725..=779 => Deed::Older,
        780..=809 => Deed::Pull,
        810..=839 => Deed::Type,
        840..=909 => Deed::Cut { how: how(dice) },
        910..=944 => Deed::Freeze { ms: dice.within(500..=25_000) },
        945..=969 => Deed::Reload,
        970..=994 => Deed::Claim { claim: [Claim::OtherEpoch, Claim::Ahead, Claim::Oldest][dice.below(3)] },
        _ => Deed::SignOut,
    }
}

fn how(dice: &mut Dice) -> How {
    [How::Both, How::Both, How::Browser, How::Neither][dice.below(4)]
}

fn posts(dice: &mut Dice, rooms: usize) -> Posts {
    Posts { room: dice.below(rooms), count: 1 + dice.below(5) }
}

fn trouble(dice: &mut Dice, rooms: usize) -> Trouble {
    let instance = dice.below(INSTANCES);
    let some = if dice.chance(500) { Some(instance) } else { None };
    let back_ms = dice.within(300..=15_000);
    match dice.below(100) {
        0..=19 => Trouble::Crash { instance, slow_ms: [0, 400][dice.below(2)], back_ms },
        20..=26 => Trouble::Replace { instance, back_ms },
        27..=41 => Trouble::CutBus { instance, unsaid_ms: dice.within(0..=6_000), back_ms },
        42..=49 => Trouble::Forget { instance, room: dice.below(rooms), back_ms },
        50..=64 => {
            let (drop, double) = (dice.within(0..=400) as u32, dice.within(0..=300) as u32);
            Trouble::Lossy { drop, double, late_ms: dice.within(1..=1_500), back_ms }
        }
        65..=74 => Trouble::SlowStore { instance: some, most_ms: dice.within(20..=1_200), back_ms },
        75..=87 => {
            let (busy, refuse, mute) = (dice.within(0..=200), dice.within(0..=200), dice.within(0..=300));
            Trouble::FailStore { instance: some, busy: busy as u32, refuse: refuse as u32, mute: mute as u32, back_ms }
        }
        88..=92 => Trouble::StallStore { instance: some, back_ms },
        _ => Trouble::CutWires { instance, how: how(dice) },
    }
}
