//! One instance has lost Redis and the other has not: neither's people wait, for either's messages or rooms.

use std::time::Duration;

use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::{BusState, ServerFrame};
use tokio::time::timeout;

use crate::support::server::{Setup, TestServer, folder};
use crate::support::socket::{Socket, bodies};

/// A third of what it took when quiet rooms were compared every 30 s; it takes half a second.
const SOON: Duration = Duration::from_secs(10);

async fn until_room(socket: &mut Socket, slug: &str) {
    socket.until(|frame| matches!(frame, ServerFrame::Room { room } if room.slug == slug).then_some(())).await;
}

async fn make_room(server: &TestServer, name: &str) -> tertulia_protocol::RoomId {
    let host = server.chat().enter("Host").await.expect("the name is fine").0;
    server.chat().create_room(&host, name).await.expect("the room is made").id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_wrong_password_on_one_instance_alone_messages_and_rooms_come_soon_both_ways() {
    let redis = RealRedis::start_with(&["--requirepass", "right"]).await;
    let folder = folder();
    let start = |name, password| {
        Setup::new().on(&folder).redis(&redis.url_with_password(password)).named(name).without_limits().start()
    };
    let (b, c) = (start("b", "wrong").await, start("c", "right").await);
    b.until_bus("degraded: ").await;
    c.until_bus("live").await;
    let quiet = make_room(&c, "Quiet").await;
    let mut bruno = b.guest("Bruno").await.socket().await;
    let mut carla = c.guest("Carla").await.socket().await;
    bruno.follow(quiet).await;
    carla.follow(quiet).await;
    let soon = async {
        // Several times, so that no single look was lucky.
        for turn in 0..4 {
            let said = bruno.tell(quiet, &format!("out {turn}")).await;
            assert_eq!(bodies(&carla.entries_until(quiet, said).await), [format!("out {turn}")]);
            let said = carla.tell(quiet, &format!("in {turn}")).await;
            bruno.entries_until(quiet, said).await;
            carla.entries_until(quiet, said).await;
        }
        make_room(&b, "Made by b").await;
        until_room(&mut carla, "made-by-b").await;
        make_room(&c, "Made by c").await;
        until_room(&mut bruno, "made-by-c").await;
    };
    timeout(SOON, soon).await.expect("nobody waits for a comparison that is made now and then");
    assert_eq!(*c.chat().bus_state().borrow(), BusState::Live, "premise: c hears Redis well");
    assert_eq!(*b.chat().bus_state().borrow(), BusState::Degraded, "premise: b does not");
    b.stop().await;
    c.stop().await;
}
