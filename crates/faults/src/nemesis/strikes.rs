//! How each fault is done and undone.

use std::num::NonZeroU64;
use std::time::Duration;

use tertulia_visitor::trouble::{Outcome, trouble};
use tokio::time::sleep;

use crate::proxy::{Control, Flow};
use crate::world::World;

/// How long a killed instance stays away, however long faults last: its people are elsewhere in a second.
const AWAY: Duration = Duration::from_secs(4);
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
    instance.kill(journal).await?;
    sleep(length.min(AWAY)).await;
    instance.start(journal).await
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

pub(super) fn cut_links(world: &World) {
    world.instances.iter().for_each(|instance| instance.link.control().cut());
}

pub(super) async fn kill_subscribers(world: &World) -> Outcome<()> {
    world.redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.map(drop)
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

pub(super) async fn flush(world: &World) -> Outcome<()> {
    world.redis.ask(&["FLUSHALL"]).await.map(drop)
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

fn link(world: &World, victim: usize) -> Control {
    world.instances[victim].link.control()
}
