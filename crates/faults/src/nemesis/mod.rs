//! What is done to a world: faults by name, each begun, kept up for a while, and taken back.

mod strikes;

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use tertulia_visitor::trouble::{Because, Outcome};
use tokio::time::sleep;

use crate::journal::{Switch, What};
use crate::world::World;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9` an instance; it comes back.
    KillInstance,
    /// SIGTERM and a new start, one instance after the other.
    RollingRestart,
    /// An instance stands still and goes on.
    FreezeInstance,
    /// `kill -9` Redis; it comes back empty.
    KillRedis,
    /// Redis stands still and goes on.
    FreezeRedis,
    /// One instance's link to Redis swallows everything, then breaks.
    BlackHole,
    /// One instance hears nothing of Redis, and is heard.
    OneWay,
    /// All links to Redis break and can be made again.
    CutLinks,
    /// Redis ends every subscriber's connection.
    KillSubscribers,
    /// Redis ends a subscriber whose buffer overflows.
    Overflow,
    /// Everything in Redis is forgotten.
    Flush,
    /// Every third message on one instance's way is lost without a sign.
    DropMessages,
    /// The way to Redis and back takes long.
    SlowLinks,
}

impl Fault {
    /// Every fault, by its name.
    pub(crate) const ALL: [(&'static str, Self); 13] = [
        ("kill-instance", Self::KillInstance),
        ("rolling-restart", Self::RollingRestart),
        ("freeze-instance", Self::FreezeInstance),
        ("kill-redis", Self::KillRedis),
        ("freeze-redis", Self::FreezeRedis),
        ("black-hole", Self::BlackHole),
        ("one-way", Self::OneWay),
        ("cut-links", Self::CutLinks),
        ("kill-subscribers", Self::KillSubscribers),
        ("overflow", Self::Overflow),
        ("flush", Self::Flush),
        ("drop-messages", Self::DropMessages),
        ("slow-links", Self::SlowLinks),
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, fault)| *fault == self).map_or("", |(name, _)| name)
    }

    /// The fault of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }

    /// Whether the instances stop hearing each other for as long as it lasts, so that pages must say so.
    pub(crate) const fn silences_redis(self) -> bool {
        matches!(self, Self::KillRedis | Self::FreezeRedis)
    }
}

/// How long a run's faults last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// From a fault's beginning to its end.
    pub(crate) length: Duration,
    /// From one fault's end to the next one's beginning.
    pub(crate) rest: Duration,
}

/// So many rounds of these faults, each round in an order of its own.
pub(crate) fn plan(faults: &[Fault], rounds: usize, chance: &mut SmallRng) -> Vec<Fault> {
    let mut plan = Vec::new();
    for _ in 0..rounds {
        let mut round = faults.to_vec();
        round.shuffle(chance);
        plan.extend(round);
    }
    plan
}

/// Runs one fault from its beginning to its end, and rests.
///
/// # Errors
/// When it cannot be done, or a process does not come back.
pub(crate) async fn strike(world: &mut World, fault: Fault, pace: Pace, chance: &mut SmallRng) -> Outcome<()> {
    let victim = chance.random_range(0..world.instances.len());
    let on = world.instances[victim].name.clone();
    note(world, Switch::Start, fault, &on)?;
    match fault {
        Fault::KillInstance => strikes::kill_instance(world, victim, pace.length).await?,
        Fault::RollingRestart => strikes::rolling_restart(world).await?,
        Fault::FreezeInstance => strikes::freeze_instance(world, victim, pace.length).await?,
        Fault::KillRedis => strikes::kill_redis(world, pace.length).await?,
        Fault::FreezeRedis => strikes::freeze_redis(world, pace.length).await?,
        Fault::BlackHole => strikes::black_hole(world, victim, pace.length).await,
        Fault::OneWay => strikes::one_way(world, victim, pace.length).await,
        Fault::CutLinks => strikes::cut_links(world),
        Fault::KillSubscribers => strikes::kill_subscribers(world).await?,
        Fault::Overflow => strikes::overflow(world, victim, pace.length).await?,
        Fault::Flush => strikes::flush(world).await?,
        Fault::DropMessages => strikes::drop_messages(world, victim, pace.length).await,
        Fault::SlowLinks => strikes::slow_links(world, pace.length).await,
    }
    note(world, Switch::Stop, fault, &on)?;
    sleep(pace.rest).await;
    Ok(())
}

fn note(world: &World, t: Switch, fault: Fault, on: &str) -> Outcome<()> {
    let (f, on) = (fault.name().to_owned(), on.to_owned());
    world.journal.note(What::Fault { t, f, on }).because("the world's journal")?;
    world.journal.flush().because("the world's journal")
}
