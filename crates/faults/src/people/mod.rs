//! The clients of a run. Each writes down every attempt before it is made and everything that arrives, comes back by
//! itself to whichever instance answers, and goes on from where it was.

mod bridge;
mod finals;
mod leaver;
mod listener;
mod plain;
mod publisher;
mod talker;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tertulia_protocol::{Code, RoomId, RoomInfo, Seq};
use tertulia_visitor::trouble::{Because, Outcome};
use tertulia_visitor::web::{Visitor, Web};
use tokio::sync::{mpsc, watch};

use crate::journal::{Clock, Stamp, Step, Writer};

pub(crate) use bridge::Bridge;
pub(crate) use finals::finals;
pub(crate) use leaver::Leaver;
pub(crate) use listener::Listener;
pub(crate) use plain::Plain;
pub(crate) use publisher::Publisher;
pub(crate) use talker::{Habits, Talker};

/// First pause before somebody comes back; drawn at random below it, and doubled with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How long an answer may take before it is given up and the link with it.
const ANSWER: Duration = Duration::from_secs(10);

/// What everybody in a run is told to do.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// Say what is due.
    Talk,
    /// Say nothing new; what was begun is brought to its end.
    Settle,
    /// Hear up to these numbers, and go.
    Finish(Arc<HashMap<RoomId, Seq>>),
}

/// What everybody in a run shares.
#[derive(Clone)]
pub(crate) struct Run {
    /// The number from which all chance follows.
    pub(crate) seed: u64,
    /// The time of the run.
    pub(crate) clock: Clock,
    /// Where journals are written.
    pub(crate) journals: Arc<Path>,
    /// The instances and their names.
    pub(crate) instances: Arc<Vec<(String, Web)>>,
    /// What to do now.
    pub(crate) phase: watch::Receiver<Phase>,
    /// Where each talker says, once, that everything it said was answered.
    pub(crate) settled: mpsc::Sender<()>,
}

impl Run {
    /// A journal for a process of this name.
    fn journal(&self, name: &str) -> Outcome<Writer> {
        Writer::create(&self.journals.join(format!("{name}.jsonl")), name, self.clock).because(name)
    }

    /// The chance of one process, the same in every run of this seed.
    fn chance(&self, sender: u32) -> SmallRng {
        SmallRng::seed_from_u64(self.seed ^ (u64::from(sender) << 32))
    }

    /// The instances as this visitor enters them.
    fn doors(&self, visitor: &Visitor) -> Vec<(String, Visitor)> {
        self.instances.iter().map(|(name, web)| (name.clone(), visitor.at(web))).collect()
    }
}

/// What a refusal that may pass says of its own try: some words claim that it stored nothing, and are held to that.
fn refused(code: Code) -> Step {
    let word = code.as_str().to_owned();
    match code {
        Code::RateLimited | Code::Busy | Code::StorageUnavailable => Step::Fail { code: word },
        _ => Step::Info { code: word },
    }
}

/// Pauses between tries: at random below a ceiling that doubles, as browsers do.
struct Pauses(Duration);

impl Pauses {
    const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    fn next(&mut self, chance: &mut SmallRng) -> Duration {
        let pause = self.0.mul_f64(chance.random::<f64>());
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// Names what one sender says.
struct Words {
    sender: u32,
    counter: u32,
    bytes: usize,
}

impl Words {
    const fn new(sender: u32, bytes: usize) -> Self {
        Self { sender, counter: 0, bytes }
    }

    fn next(&mut self, chance: &mut SmallRng) -> (Stamp, String) {
        let stamp = Stamp { sender: self.sender, counter: self.counter, random: chance.random() };
        self.counter += 1;
        (stamp, stamp.body(self.bytes))
    }
}

/// The room and what somebody has heard of it.
fn place_of(room: &RoomInfo, epoch: &tertulia_protocol::Epoch, seq: Seq) -> String {
    format!("{epoch}-{}-{seq}", room.id)
}
