//! What every bus promises of how far news of a room reach.

use tertulia_protocol::RoomId;
use tokio::time::{Instant, sleep};

use super::{Bus, LOOK, Medium, PATIENCE, enter, ready};

/// Waits until news of a room, said here, reach so many instances.
///
/// # Panics
/// When they do not within [`PATIENCE`].
pub async fn until_reached(bus: &dyn Bus, room: RoomId, instances: usize) {
    let began = Instant::now();
    loop {
        let reached = bus.reach(room).await;
        if reached == instances {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{reached} are reached, and never {instances}");
        sleep(LOOK).await;
    }
}

/// Whoever speaks is one of them, whether or not it listens; other rooms do not count.
pub async fn news_reach_who_listens_and_who_speaks(factory: impl AsyncFnOnce(usize) -> Medium) {
    let medium = ready(factory, 3).await;
    let bus = |end: usize| &*medium.ends[end].bus;
    until_reached(bus(0), RoomId(7), 1).await;
    enter(bus(1), RoomId(7)).await;
    until_reached(bus(0), RoomId(7), 2).await;
    assert_eq!(bus(1).reach(RoomId(7)).await, 1, "nobody else listens");
    enter(bus(0), RoomId(7)).await;
    assert_eq!(bus(0).reach(RoomId(7)).await, 2, "it counts itself once");
    until_reached(bus(2), RoomId(7), 3).await;
    assert_eq!(bus(2).reach(RoomId(77)).await, 1, "another room");
    bus(1).unsubscribe(RoomId(7));
    until_reached(bus(2), RoomId(7), 2).await;
    bus(2).close().await;
    assert_eq!(bus(2).reach(RoomId(7)).await, 1, "whoever left the bus speaks to itself");
}
