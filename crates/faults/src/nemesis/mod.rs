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
    /// Nothing can be written on the disk of the instances.
    DiskFull,
    /// Somebody else holds the lock of the database.
    LockedStore,
}

impl Fault {
    /// Every fault, by its name.
    pub(crate) const ALL: [(&'static str, Self); 15] = [
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
        ("disk-full", Self::DiskFull),
        ("locked-store", Self::LockedStore),
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, fault)| *fault == self).map_or("", |(name, _)| name)
    }

    /// The fault of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }

    /// How long it lasts where its own time is asked for. Thirty seconds are those of the issue, and longer than it takes
    /// the others to say of an instance's people that they have left.
    const fn own_length(self) -> Duration {
        Duration::from_secs(match self {
            Self::FreezeInstance | Self::FreezeRedis | Self::BlackHole | Self::OneWay | Self::KillInstance => 30,
            Self::KillRedis | Self::Overflow => 20,
            Self::CutLinks | Self::KillSubscribers | Self::Flush | Self::SlowLinks => 15,
            Self::DiskFull | Self::LockedStore => 12,
            // Who is missed is asked for 8 s after, and that answer shall arrive: more is not promised of presence.
            Self::DropMessages => 7,
            Self::RollingRestart => 0,
        })
    }

    /// Whether it is over as soon as it is done; it is done again and again where it shall last.
    const fn is_a_moment(self) -> bool {
        matches!(self, Self::RollingRestart | Self::CutLinks | Self::KillSubscribers | Self::Flush)
    }

    /// Whether it is done to one instance; the others concern all of them.
    const fn has_a_victim(self) -> bool {
        matches!(
            self,
            Self::KillInstance
                | Self::FreezeInstance
                | Self::BlackHole
                | Self::OneWay
                | Self::Overflow
                | Self::DropMessages
        )
    }

    /// Whose pages must say that the instances do not hear each other, for as long as it lasts.
    pub(crate) const fn silences(self) -> Silence {
        match self {
            Self::KillRedis | Self::FreezeRedis => Silence::Everywhere,
            Self::BlackHole | Self::OneWay => Silence::ForOne,
            _ => Silence::Nowhere,
        }
    }
}

/// Who stops hearing the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nobody, or for too short a time to be noticed.
    Nowhere,
    /// The instance that it is done to.
    ForOne,
    /// All.
    Everywhere,
}

/// How long a run's faults last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A short time, all the same.
    Short,
    /// Each its own.
    Own,
    /// So long, all of them.
    Same(Duration),
}

/// How long a fault lasts in a round of short ones: Redis' silence is noticed within 6 s.
const SHORT: Duration = Duration::from_secs(7);
/// From one fault's end to the next one's beginning: everybody is back by then, and the figures of calm times stand
/// beside the others.
pub(crate) const REST: Duration = Duration::from_secs(3);

impl Pace {
    /// From a fault's beginning to its end.
    pub(crate) fn length(self, fault: Fault) -> Duration {
        match self {
            Self::Short | Self::Same(_) if fault.is_a_moment() => Duration::ZERO,
            Self::Short => SHORT,
            Self::Own => fault.own_length(),
            Self::Same(length) => length,
        }
    }
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
    let (victim, length) = (chance.random_range(0..world.instances.len()), pace.length(fault));
    let on = if fault.has_a_victim() { world.instances[victim].name.clone() } else { String::new() };
    note(world, Switch::Start, fault, &on)?;
    match fault {
        Fault::KillInstance => strikes::kill_instance(world, victim, length).await?,
        Fault::RollingRestart => strikes::rolling_restart(world).await?,
        Fault::FreezeInstance => strikes::freeze_instance(world, victim, length).await?,
        Fault::KillRedis => strikes::kill_redis(world, length).await?,
        Fault::FreezeRedis => strikes::freeze_redis(world, length).await?,
        Fault::BlackHole => strikes::black_hole(world, victim, length).await,
        Fault::OneWay => strikes::one_way(world, victim, length).await,
        Fault::CutLinks => strikes::cut_links(world, length).await,
        Fault::KillSubscribers => strikes::kill_subscribers(world, length).await?,
        Fault::Overflow => strikes::overflow(world, victim, length).await?,
        Fault::Flush => strikes::flush(world, length).await?,
        Fault::DropMessages => strikes::drop_messages(world, victim, length).await,
        Fault::SlowLinks => strikes::slow_links(world, length).await,
        Fault::DiskFull => strikes::disk_full(world, length).await?,
        Fault::LockedStore => strikes::locked_store(world, length).await?,
    }
    note(world, Switch::Stop, fault, &on)?;
    sleep(REST).await;
    Ok(())
}

fn note(world: &World, t: Switch, fault: Fault, on: &str) -> Outcome<()> {
    let (f, on) = (fault.name().to_owned(), on.to_owned());
    world.journal.note(What::Fault { t, f, on }).because("the world's journal")?;
    world.journal.flush().because("the world's journal")
}
