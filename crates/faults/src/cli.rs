//! What a person types.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::nemesis::{Fault, Pace};
use crate::run::Wishes;
use crate::world::Cast;

/// Breaks a small world of Tertulia on purpose and proves that no message is lost, doubled or out of order.
///
/// Three instances on one database and one Redis, people and programs at every door, a nemesis, and a checker that
/// reads what everybody wrote down. Exit code 0: every promise was kept. 1: one was not. 2: it could not be run.
#[derive(Clone, Debug, Parser)]
#[command(name = "tertulia-faults", version)]
pub(crate) struct Cli {
    /// The server.
    #[arg(long, value_name = "PATH")]
    server_bin: PathBuf,
    /// The Redis server.
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    redis_bin: PathBuf,
    /// Where databases and journals go: a real disk, or fsync costs nothing.
    #[arg(long, value_name = "DIR", default_value = "target/faults")]
    dir: PathBuf,
    /// Only this fault, for its own time; again for more of them. All of them without.
    #[arg(long, value_name = "NAME", value_parser = fault)]
    fault: Vec<Fault>,
    /// The number from which the order of faults and all other chance follows.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Go on with rounds of all faults for so many minutes, each fault for its own time; one round of short ones without.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=1_440))]
    minutes: Option<u64>,
    /// How long every fault lasts, in seconds [default: its own time where faults or minutes are named, else 7].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=600))]
    length: Option<u64>,
    /// Instances.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    instances: u8,
    /// People at browsers.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    talkers: u32,
    /// Rooms, the lobby among them.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=400))]
    rooms: u16,
    /// What all people say together, per second.
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    rate: f64,
    /// Keep the journals, and say where they are.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print the names of all faults and of all promises that can be broken on purpose.
    #[arg(long)]
    pub(crate) list: bool,
    /// Ask the server, a debug build, to break this promise: the run must fail.
    #[arg(long, value_name = "NAME")]
    sabotage: Option<String>,
    /// Write what was shown as a page of Markdown.
    #[arg(long, value_name = "FILE")]
    pub(crate) page: Option<PathBuf>,
}

impl Cli {
    /// The run that was asked for.
    pub(crate) fn wishes(&self) -> Wishes {
        let all = || Fault::ALL.iter().map(|(_, fault)| *fault).collect();
        let usual = if self.minutes.is_some() || !self.fault.is_empty() { Pace::Own } else { Pace::Short };
        Wishes {
            seed: self.seed,
            cast: Cast {
                server: self.server_bin.clone(),
                redis: self.redis_bin.clone(),
                instances: self.instances.into(),
                sabotage: self.sabotage.clone(),
            },
            dir: self.dir.clone(),
            faults: if self.fault.is_empty() { all() } else { self.fault.clone() },
            length: self.minutes.map(|minutes| Duration::from_secs(minutes * 60)),
            pace: self.length.map_or(usual, |length| Pace::Same(Duration::from_secs(length))),
            talkers: self.talkers,
            rooms: self.rooms.into(),
            rate: self.rate.clamp(0.1, 10_000.0),
        }
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    let names = || Fault::ALL.map(|(name, _)| name).join(", ");
    Fault::of(name).ok_or_else(|| format!("there is no such fault; there are {}", names()))
}
