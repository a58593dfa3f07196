//! What a person types.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::scenario::{Common, delivery, failover, fanout, html, idle, jitter, sends, slow};
use crate::stage::Source;
use crate::trouble::{Outcome, trouble};

/// Measures a Tertulia server over its wire and checks that nothing is lost, doubled or out of order.
///
/// Exit code 0: measured and correct; figures are reported, not asserted. 1: something was lost, doubled, out of
/// order or altered. 2: it could not be measured.
#[derive(Clone, Debug, Parser)]
#[command(name = "tertulia-load", version)]
pub(crate) struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub(crate) scenario: Scenario,
    /// Start servers (and Redis where it takes two) from this binary.
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "url")]
    pub(crate) server_bin: Option<PathBuf>,
    /// Measure a server that runs already, as http://host:port; again for a second instance. Start it with
    /// `TERTULIA_RATE_LIMITS=off`. Its CPU and memory are not seen.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Vec<String>,
    /// The Redis server to start.
    #[arg(long, global = true, value_name = "PATH", default_value = "redis-server")]
    pub(crate) redis_bin: PathBuf,
    /// Where the databases of started servers go: a real disk, or fsync costs nothing.
    #[arg(long, global = true, value_name = "DIR", default_value = "target/bench")]
    pub(crate) dir: PathBuf,
    /// Seconds to measure; each scenario has its own default.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: Option<u64>,
    /// Seconds to talk before measuring.
    #[arg(long, global = true, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub(crate) warmup: u64,
    /// Print one JSON document instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not say on stderr what is going on.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// What can be measured.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Sends made durable per second by one instance, then the latency of a lonely one.
    Sends(sends::Sends),
    /// Latency from instance A to instance B over Redis, on one database.
    Delivery(delivery::Delivery),
    /// One room with many members: deliveries per second and their cost.
    Fanout(fanout::Fanout),
    /// Memory of a socket that is only open.
    Idle(idle::Idle),
    /// Latency of a room's first HTML.
    Html(html::Html),
    /// Everybody's link is cut again and again: what is missed, and how long it takes to be there again.
    Jitter(jitter::Jitter),
    /// One client among a hundred does not read: what the others notice.
    Slow(slow::Slow),
    /// `kill -9` for one of two instances: how long until its people are back at the other.
    Failover(failover::Failover),
    /// `kill -9` for the only instance, which is started again: how long until everybody is back.
    Storm(failover::Failover),
    /// The first five with their defaults, under 3 minutes, and a summary.
    All(All),
}

/// Options of `all`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct All {
    /// Sockets of the idle part.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=28_000))]
    pub(crate) sockets: u32,
    /// Members of the fanout part.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) members: u32,
}

impl Scenario {
    /// What it is called on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sends(_) => "sends",
            Self::Delivery(_) => "delivery",
            Self::Fanout(_) => "fanout",
            Self::Idle(_) => "idle",
            Self::Html(_) => "html",
            Self::Jitter(_) => "jitter",
            Self::Slow(_) => "slow",
            Self::Failover(_) => "failover",
            Self::Storm(_) => "storm",
            Self::All(_) => "all",
        }
    }

    /// What it consists of.
    pub(crate) fn parts(&self) -> Vec<Self> {
        let Self::All(all) = self else { return vec![self.clone()] };
        vec![
            Self::Sends(sends::Sends { connections: 64, rooms: None, pipeline: 1, lonely_seconds: 10 }),
            Self::Delivery(delivery::Delivery { rate: 200.0, senders: 4, receivers: 8, bytes: 200 }),
            Self::Fanout(fanout::Fanout { members: all.members, rate: 40.0, speakers: 4, bytes: 200 }),
            Self::Idle(idle::Idle { sockets: all.sockets, rooms: 100 }),
            Self::Html(html::Html { rate: 200.0, plain: false }),
        ]
    }
}

impl Cli {
    /// What all scenarios take.
    ///
    /// # Errors
    /// When no server was named.
    pub(crate) fn common(&self) -> Outcome<Common> {
        let source = match &self.server_bin {
            Some(server) => {
                Source::Binary { server: server.clone(), redis: self.redis_bin.clone(), dir: self.dir.clone() }
            }
            None if self.url.is_empty() => {
                return trouble("name a server: --server-bin PATH to start one, or --url http://host:port");
            }
            None => Source::Urls(self.url.clone()),
        };
        Ok(Common { source, seconds: self.seconds, warmup: Duration::from_secs(self.warmup), quiet: self.quiet })
    }
}
