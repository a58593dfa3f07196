//! One run: a world, people in it, a nemesis, and the end at which everybody must agree.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tempfile::TempDir;
use tertulia_protocol::{RoomId, RoomInfo, Seq};
use tertulia_visitor::live::Live;
use tertulia_visitor::trouble::{Because, Outcome, Trouble, trouble};
use tertulia_visitor::web::Visitor;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::checker::{Checker, Report, Terms};
use crate::journal::{Clock, Door, Event, Merged, Writer};
use crate::nemesis::{Fault, Pace, REST, plan, strike};
use crate::people::{Bridge, Habits, Leaver, Listener, Phase, Plain, Publisher, Run, Talker, finals};
use crate::world::{Cast, World};

/// The room that is joined to the Redis channel of the same name, as the server does it by default.
const LOBBY: &str = "chat";
/// How long the people may take to bring what they began to its end once nothing is broken any more.
const SETTLING: Duration = Duration::from_secs(60);
/// How long everybody may take to have heard everything: generous for a busy machine; the figures say how long it took.
const CONVERGING: Duration = Duration::from_secs(60);
/// Between two looks at whether anything is still being stored.
const QUIET: Duration = Duration::from_secs(1);
/// How long a bad network lasts between two cuts, about.
const BAD_NETWORK: Duration = Duration::from_secs(12);
/// A cut as in a tunnel: shorter than the grace of 12 s, so that nobody may be told.
const SHORT_CUT: Duration = Duration::from_secs(2);
/// A cut as in a lift that is stuck: they have left, once, and come back.
const LONG_CUT: Duration = Duration::from_secs(20);
/// How long a browser works before it hangs. The server lets go of it within 40 s, so a round sees it several times.
const HANGS_AFTER: Duration = Duration::from_secs(8);
/// The numbers of senders that are no talkers begin here.
const PROGRAMS: u32 = 10_000;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    /// The number from which all chance follows.
    pub(crate) seed: u64,
    /// The processes.
    pub(crate) cast: Cast,
    /// Where databases and journals go.
    pub(crate) dir: PathBuf,
    /// The faults, each once per round.
    pub(crate) faults: Vec<Fault>,
    /// How long to go on with rounds; one round without.
    pub(crate) length: Option<Duration>,
    /// How long faults last.
    pub(crate) pace: Pace,
    /// People at browsers.
    pub(crate) talkers: u32,
    /// Rooms they are in, the lobby among them.
    pub(crate) rooms: usize,
    /// What all of them say, per second.
    pub(crate) rate: f64,
}

/// What a run has shown.
pub(crate) struct Shown {
    /// The verdict.
    pub(crate) report: Report,
    /// Everything that was noted, in the order of time.
    pub(crate) events: Vec<Event>,
    /// The faults that were struck, in their order.
    pub(crate) struck: Vec<Fault>,
    /// What did not go as it should outside of the histories.
    pub(crate) troubles: Vec<String>,
    /// Where the journals are, for as long as this lives.
    pub(crate) journals: TempDir,
}

/// Runs it.
///
/// # Errors
/// When the run itself could not be made; what it shows is in the answer.
pub(crate) async fn run(wishes: &Wishes) -> Outcome<Shown> {
    std::fs::create_dir_all(&wishes.dir).because(wishes.dir.display())?;
    let journals = tempfile::Builder::new().prefix("journals-").tempdir_in(&wishes.dir).because("journals")?;
    let clock = Clock::start();
    let journal = Writer::create(&journals.path().join("nemesis.jsonl"), "nemesis", clock).because("nemesis")?;
    let mut world = World::start(&wishes.cast, &wishes.dir, journal).await?;
    let (phase, watching) = watch::channel(Phase::Talk);
    let (settled, settling) = mpsc::channel(wishes.talkers.max(1) as usize);
    let instances = world.instances.iter().map(|one| (one.name.clone(), one.web.clone())).collect();
    let run = Run {
        seed: wishes.seed,
        clock,
        journals: Arc::from(journals.path()),
        instances: Arc::new(instances),
        phase: watching,
        settled,
    };
    let guide = run.instances[0].1.enter("guide").await?;
    let rooms = rooms(&guide, wishes.rooms).await?;
    let mut people = people(wishes, &run, &guide, &rooms, world.redis.port).await?;
    // Only talkers hold the other end from here on.
    let mut troubles = Vec::new();
    let struck = torment(wishes, clock, &mut world, &mut people, &mut troubles).await?;
    drop(phase.send_replace(Phase::Settle));
    let ids: Vec<RoomId> = rooms.iter().map(|room| room.id).collect();
    let end = async {
        settle(settling, wishes.talkers).await?;
        quiet(&guide, &ids).await?;
        finals(&run, &guide, &ids).await
    };
    match end.await {
        Ok(heads) => drop(phase.send_replace(Phase::Finish(Arc::new(heads.into_iter().collect())))),
        Err(error) => troubles.push(error.to_string()),
    }
    troubles.extend(goodbyes(people).await);
    if let Err(error) = world.strike().await {
        troubles.push(error.to_string());
    }
    let events = history(journals.path())?;
    let mut checker = Checker::new(Terms::default());
    events.iter().for_each(|event| checker.note(event.clone()));
    Ok(Shown { report: checker.verdict(), events, struck, troubles, journals })
}

/// The lobby and so many rooms more.
async fn rooms(guide: &Visitor, count: usize) -> Outcome<Vec<RoomInfo>> {
    let lobby = guide.rooms().await?.into_iter().find(|room| room.slug == LOBBY);
    let Some(lobby) = lobby else { return trouble("there is no lobby") };
    let mut rooms = vec![lobby];
    for index in 1..count.max(1) {
        rooms.push(guide.room(&format!("table {index}")).await?);
    }
    Ok(rooms)
}

/// Everybody, each in a task: talkers in up to three rooms, and at each of the first rooms both plain doors, a program
/// that publishes; in the lobby two at `redis-cli`, one who publishes and one who listens, and two who sign out again and
/// again.
async fn people(
    wishes: &Wishes,
    run: &Run,
    guide: &Visitor,
    rooms: &[RoomInfo],
    redis: u16,
) -> Outcome<JoinSet<Outcome<()>>> {
    let mut people = JoinSet::new();
    let every = Duration::from_secs_f64(f64::from(wishes.talkers) / wishes.rate);
    for sender in 0..wishes.talkers {
        let (index, name) = (sender as usize, format!("c{sender}"));
        let web = &run.instances[index % run.instances.len()].1;
        let visitor = web.enter(&name).await?;
        let mut ids: Vec<RoomId> = (0..3).map(|step| rooms[(index + step * 7) % rooms.len()].id).collect();
        ids.sort_unstable();
        ids.dedup();
        let habits = Habits {
            every,
            bytes: 60 + 40 * (index % 5),
            // Every third has a bad network; some of these are away for longer than an absence stays unsaid.
            cut: (sender % 3 == 2).then_some((BAD_NETWORK, if sender % 9 == 8 { LONG_CUT } else { SHORT_CUT })),
            // Every fourth is where WebSockets are blocked.
            door: if sender % 4 == 1 { Door::Sse } else { Door::Live },
            hangs: (sender % 12 == 4).then_some(HANGS_AFTER),
            watches: sender % 6 < 2,
        };
        people.spawn(Talker::new(run, sender, &visitor, &name, &ids, habits)?.live());
    }
    let epoch = Live::open(guide, "tertulia-faults/guide", Vec::new()).await?.epoch;
    for (index, room) in rooms.iter().take(3).enumerate() {
        let sender = PROGRAMS + 10 * u32::try_from(index).unwrap_or(0);
        let plain =
            |offset, name: &str, door| Plain::new(run, sender + offset, name, door, room.clone(), epoch.clone());
        people.spawn(plain(0, &format!("raw{index}"), Door::Raw)?.live());
        people.spawn(plain(1, &format!("events{index}"), Door::Events)?.live());
        let publisher = format!("publisher{index}");
        let pause = Duration::from_millis(700);
        people.spawn(Publisher::new(run, sender + 2, &publisher, room.clone(), pause)?.live());
    }
    for (offset, door) in [(110, Door::Live), (111, Door::Sse)] {
        let name = format!("leaver{offset}");
        people.spawn(Leaver::new(run, PROGRAMS + offset, &name, door, rooms[0].id)?.live());
    }
    let lobby = (rooms[0].clone(), LOBBY);
    let pause = Duration::from_millis(900);
    people.spawn(Bridge::new(run, PROGRAMS + 100, "bridge", lobby, redis, pause)?.live());
    people.spawn(Listener::new(run, PROGRAMS + 101, "terminal", LOBBY, redis)?.live());
    Ok(people)
}

/// Strikes fault after fault; returns which. Ends early when somebody gives up, for nothing more is proven then.
async fn torment(
    wishes: &Wishes,
    clock: Clock,
    world: &mut World,
    people: &mut JoinSet<Outcome<()>>,
    troubles: &mut Vec<String>,
) -> Outcome<Vec<Fault>> {
    let mut chance = SmallRng::seed_from_u64(wishes.seed);
    let until = wishes.length.map(|length| Instant::now() + length);
    let mut struck = Vec::new();
    // The figures of a calm time stand beside those of the faults.
    sleep(REST).await;
    loop {
        for fault in plan(&wishes.faults, 1, &mut chance) {
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(struck);
            }
            eprintln!("{}: {}", clock.now(), fault.name());
            strike(world, fault, wishes.pace, &mut chance).await?;
            struck.push(fault);
            while let Some(ended) = people.try_join_next() {
                troubles.push(format!("somebody gave up during {}: {}", fault.name(), why(ended)));
            }
            if !troubles.is_empty() {
                return Ok(struck);
            }
        }
        if until.is_none() {
            return Ok(struck);
        }
    }
}

fn why(ended: Result<Outcome<()>, tokio::task::JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "at the end of the work".to_owned(),
        Ok(Err(Trouble(words))) => words,
        Err(error) => error.to_string(),
    }
}

/// Waits until every talker has nothing more on its way.
async fn settle(mut settling: mpsc::Receiver<()>, talkers: u32) -> Outcome<()> {
    let all = async {
        for _ in 0..talkers {
            settling.recv().await;
        }
    };
    timeout(SETTLING, all).await.because("not everything that was said was answered")
}

/// Waits until nothing more is stored: what came through Redis has no sender who waits for it.
async fn quiet(guide: &Visitor, rooms: &[RoomId]) -> Outcome<()> {
    let mut before = heads(guide, rooms).await?;
    let deadline = Instant::now() + SETTLING;
    loop {
        sleep(QUIET).await;
        let now = heads(guide, rooms).await?;
        if now == before {
            return Ok(());
        }
        if Instant::now() > deadline {
            return trouble("something goes on being stored");
        }
        before = now;
    }
}

async fn heads(guide: &Visitor, rooms: &[RoomId]) -> Outcome<HashMap<RoomId, Seq>> {
    let mut live = Live::open(guide, "tertulia-faults/heads", Vec::new()).await?;
    let mut heads = HashMap::new();
    for room in rooms {
        heads.insert(*room, Seq(live.subscribe(*room).await?));
    }
    live.close().await;
    Ok(heads)
}

/// Waits until everybody has heard everything and gone; what kept the others, in words.
async fn goodbyes(mut people: JoinSet<Outcome<()>>) -> Vec<String> {
    let mut troubles = Vec::new();
    let deadline = Instant::now() + CONVERGING;
    loop {
        match tokio::time::timeout_at(deadline, people.join_next()).await {
            Ok(None) => return troubles,
            Ok(Some(Ok(Ok(())))) => {}
            Ok(Some(ended)) => troubles.push(why(ended)),
            Err(_late) => {
                troubles.push(format!("{} have not heard everything in time", people.len()));
                // Dropping them closes their journals, and the checker says what they missed.
                people.shutdown().await;
                return troubles;
            }
        }
    }
}

/// Everything that was noted, as one history.
fn history(journals: &Path) -> Outcome<Vec<Event>> {
    let files = std::fs::read_dir(journals).because(journals.display())?;
    let files: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    Merged::open(files).because("the journals")?.collect::<Result<_, _>>().because("the journals")
}
