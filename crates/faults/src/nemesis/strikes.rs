//! How each fault is done and undone.

use std::num::NonZeroU64;
use std::time::Duration;

use tertulia_visitor::trouble::{Outcome, trouble};
use tokio::time::{Instant, sleep};

use crate::proxy::{Control, Flow};
use crate::world::{Instance, Lock, World};

/// How long a killed instance stays away, however long faults last: its people are elsewhere in a second.
const AWAY: Duration = Duration::from_secs(4);
/// Between two strikes of a fault that is done again and again: everybody is just back.
const AGAIN: Duration = Duration::from_secs(5);
/// One of so many messages is lost.
const LOST_OF: Option<NonZeroU64> = NonZeroU64::new(3);
/// The delay of a slow way, each direction.
const SLOW: Duration = Duration::from_millis(400);
/// A subscriber's buffer in Redis while it is made to overflow: hard limit, soft limit, seconds of the soft one.
const TINY_BUFFER: &str = "pubsub 4096 2048 1";
/// What Redis has by itself.
const USUAL_BUFFER: &str = "pubsub 33554432 8388608 60";

pub(super) async fn kill_instance(world: &mut World, victim: usize, length: Duration) -> Outcome<()> {
    let (instance, journal) = (&mut world.instances[victim], &world.journal);
    let until = Instant::now() + length;
    loop {
        instance.kill(journal).await?;
        sleep(length.min(AWAY)).await;
        instance.start(journal).await?;
        if Instant::now() + AGAIN > until {
            return Ok(());
        }
        sleep(AGAIN - AWAY).await;
    }
}

pub(super) async fn rolling_restart(world: &mut World) -> Outcome<()> {
    for instance in &mut world.instances {
        instance.terminate(&world.journal).await?;
        instance.start(&world.journal).await?;
    }
    Ok(())
}

pub(super) async fn freeze_instance(world: &World, victim: usize, length: Duration) -> Outcome<()> {
    let Some(child) = world.instances[victim].child() else { return trouble("a frozen instance must run") };
    child.freeze()?;
    sleep(length).await;
    child.thaw()
}

pub(super) async fn kill_redis(world: &mut World, length: Duration) -> Outcome<()> {
    world.redis.kill(&world.journal).await?;
    sleep(length).await;
    world.redis.start(&world.journal).await
}

pub(super) async fn freeze_redis(world: &World, length: Duration) -> Outcome<()> {
    let Some(child) = world.redis.child() else { return trouble("a frozen Redis must run") };
    child.freeze()?;
    sleep(length).await;
    child.thaw()
}

pub(super) async fn black_hole(world: &World, victim: usize, length: Duration) {
    let link = link(world, victim);
    link.black_hole();
    sleep(length).await;
    // A connection that swallowed bytes is of no use any more: what comes after them would be nonsense.
    link.pass();
    link.cut();
}

pub(super) async fn one_way(world: &World, victim: usize, length: Duration) {
    let link = link(world, victim);
    link.flow(Flow::Pass, Flow::Swallow);
    sleep(length).await;
    link.pass();
    link.cut();
}

pub(super) async fn cut_links(world: &World, length: Duration) {
    let until = Instant::now() + length;
    loop {
        world.instances.iter().for_each(|instance| instance.link.control().cut());
        if !again(until).await {
            return;
        }
    }
}

pub(super) async fn kill_subscribers(world: &World, length: Duration) -> Outcome<()> {
    ask_again_and_again(world, &["CLIENT", "KILL", "TYPE", "pubsub"], length).await
}

/// The instance's link stands still, so what Redis has for it piles up until Redis ends the connection.
pub(super) async fn overflow(world: &World, victim: usize, length: Duration) -> Outcome<()> {
    world.redis.ask(&["CONFIG", "SET", "client-output-buffer-limit", TINY_BUFFER]).await?;
    let link = link(world, victim);
    link.flow(Flow::Hold, Flow::Hold);
    sleep(length).await;
    link.pass();
    world.redis.ask(&["CONFIG", "SET", "client-output-buffer-limit", USUAL_BUFFER]).await.map(drop)
}

pub(super) async fn flush(world: &World, length: Duration) -> Outcome<()> {
    ask_again_and_again(world, &["FLUSHALL"], length).await
}

async fn ask_again_and_again(world: &World, words: &[&str], length: Duration) -> Outcome<()> {
    let until = Instant::now() + length;
    loop {
        world.redis.ask(words).await?;
        if !again(until).await {
            return Ok(());
        }
    }
}

/// Waits until it is time for another strike; false when that would be too late.
async fn again(until: Instant) -> bool {
    let due = Instant::now() + AGAIN <= until;
    if due {
        sleep(AGAIN).await;
    }
    due
}

pub(super) async fn drop_messages(world: &World, victim: usize, length: Duration) {
    let link = link(world, victim);
    link.drop_messages(LOST_OF);
    sleep(length).await;
    link.pass();
}

pub(super) async fn slow_links(world: &World, length: Duration) {
    world.instances.iter().for_each(|instance| instance.link.control().delay(SLOW, SLOW));
    sleep(length).await;
    world.instances.iter().for_each(|instance| instance.link.control().pass());
}

/// Nothing more is written to any file, neither database nor log, as on a disk without space. The system's limit for the
/// size of a process's files does it without root; all that is stored can still be read.
pub(super) async fn disk_full(world: &World, length: Duration) -> Outcome<()> {
    limit_files(world, Some(0))?;
    sleep(length).await;
    limit_files(world, None)
}

fn limit_files(world: &World, bytes: Option<u64>) -> Outcome<()> {
    world.instances.iter().filter_map(Instance::child).try_for_each(|child| child.limit_files(bytes))
}

pub(super) async fn locked_store(world: &World, length: Duration) -> Outcome<()> {
    let lock = Lock::take(&world.database()).await?;
    sleep(length).await;
    lock.release().await
}

fn link(world: &World, victim: usize) -> Control {
    world.instances[victim].link.control()
}
