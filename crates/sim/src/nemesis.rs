//! Makes the troubles of a plan, ends each in its time, and heals everything at the end.

use std::sync::Arc;

use tertulia_protocol::RoomId;
use tokio::time::{Duration, Instant, sleep_until};

use crate::dice::Dice;
use crate::house::House;
use crate::plan::{INSTANCES, TROUBLED_MS, Timed, Trouble};
use crate::store::Failing;

/// One thing that the nemesis does at a moment.
enum Act {
    /// What goes before a trouble.
    Threaten(Trouble),
    Begin(Trouble),
    End(Trouble),
}

/// Makes all of them, in order; returns when the time of troubles is over and everything is healed.
pub(crate) async fn rage(house: Arc<House>, troubles: Vec<Timed<Trouble>>, mut dice: Dice) {
    let start = Instant::now();
    let mut acts: Vec<(u64, Act)> = Vec::new();
    for Timed { at_ms, what } in troubles {
        let begins_ms = at_ms + threatens_ms(&what);
        acts.push((at_ms, Act::Threaten(what.clone())));
        acts.push((begins_ms + lasts_ms(&what), Act::End(what.clone())));
        acts.push((begins_ms, Act::Begin(what)));
    }
    acts.retain(|(at_ms, _)| *at_ms <= TROUBLED_MS);
    acts.sort_by_key(|(at_ms, _)| *at_ms);
    for (at_ms, act) in acts {
        sleep_until(start + Duration::from_millis(at_ms)).await;
        match act {
            Act::Threaten(trouble) => threaten(&house, &trouble),
            Act::Begin(trouble) => begin(&house, &trouble, &mut dice),
            Act::End(trouble) => end(&house, &trouble),
        }
    }
    sleep_until(start + Duration::from_millis(TROUBLED_MS)).await;
    heal(&house);
}

const fn threatens_ms(trouble: &Trouble) -> u64 {
    match trouble {
        Trouble::Crash { slow_ms, .. } => *slow_ms,
        _ => 0,
    }
}

const fn lasts_ms(trouble: &Trouble) -> u64 {
    match trouble {
        Trouble::Crash { back_ms, .. }
        | Trouble::Replace { back_ms, .. }
        | Trouble::CutBus { back_ms, .. }
        | Trouble::Forget { back_ms, .. }
        | Trouble::Lossy { back_ms, .. }
        | Trouble::SlowStore { back_ms, .. }
        | Trouble::FailStore { back_ms, .. }
        | Trouble::StallStore { back_ms, .. } => *back_ms,
        Trouble::CutWires { .. } => 0,
    }
}

fn threaten(house: &House, trouble: &Trouble) {
    if let Trouble::Crash { instance, slow_ms, .. } = *trouble {
        house.store_weather(Some(instance)).iter().for_each(|weather| weather.slows(slow_ms));
    }
}

fn begin(house: &House, trouble: &Trouble, dice: &mut Dice) {
    house.record().note(format_args!("nemesis: {trouble:?}"));
    match *trouble {
        Trouble::Crash { instance, .. } => house.crash(instance, dice),
        Trouble::Replace { instance, .. } => house.replace(instance),
        Trouble::CutBus { instance, unsaid_ms, .. } => {
            if let Some(instance) = house.running(instance) {
                instance.bus().cut(Duration::from_millis(unsaid_ms));
                house.record().count("buses cut");
            }
        }
        Trouble::Forget { instance, room, .. } => {
            if let Some(instance) = house.running(instance) {
                instance.forget(RoomId(i64::try_from(room).unwrap_or(0) + 1));
            }
        }
        Trouble::Lossy { drop, double, late_ms, .. } => house.bus_weather.turns(drop, double, late_ms),
        Trouble::SlowStore { instance, most_ms, .. } => {
            house.store_weather(instance).iter().for_each(|weather| weather.slows(most_ms));
        }
        Trouble::FailStore { instance, busy, refuse, mute, .. } => {
            let failing = Failing { busy, refuse, mute };
            house.store_weather(instance).iter().for_each(|weather| weather.fails(failing));
        }
        Trouble::StallStore { instance, back_ms } => {
            let until = Instant::now() + Duration::from_millis(back_ms);
            house.store_weather(instance).iter().for_each(|weather| weather.stalls(Some(until)));
        }
        Trouble::CutWires { instance, how } => {
            if let Some(instance) = house.running(instance) {
                instance.cut_wires(how);
            }
        }
    }
}

fn end(house: &House, trouble: &Trouble) {
    match *trouble {
        Trouble::Crash { instance, .. } | Trouble::Replace { instance, .. } => {
            house.store_weather(Some(instance)).iter().for_each(|weather| weather.slows(0));
            house.start(instance);
        }
        Trouble::CutBus { instance, .. } | Trouble::Forget { instance, .. } => {
            if let Some(instance) = house.running(instance) {
                instance.bus().heal();
            }
        }
        Trouble::Lossy { .. } => house.bus_weather.turns(0, 0, 1),
        Trouble::SlowStore { instance, .. } => {
            house.store_weather(instance).iter().for_each(|weather| weather.slows(0));
        }
        Trouble::FailStore { instance, .. } => {
            house.store_weather(instance).iter().for_each(|weather| weather.fails(Failing::default()));
        }
        Trouble::StallStore { instance, .. } => {
            house.store_weather(instance).iter().for_each(|weather| weather.stalls(None));
        }
        Trouble::CutWires { .. } => {}
    }
}

/// Ends every trouble there may be.
fn heal(house: &House) {
    house.record().note(format_args!("nemesis: everything is healed"));
    house.bus_weather.turns(0, 0, 1);
    for weather in house.store_weather(None) {
        weather.slows(0);
        weather.fails(Failing::default());
        weather.stalls(None);
    }
    for instance in house.all() {
        instance.bus().heal();
    }
    (0..INSTANCES).for_each(|index| house.start(index));
}
