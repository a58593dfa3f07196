//! What every bus promises, as tests over a factory of connected ends; each backend runs all of it (`suite!`).
//! Absence is never waited for: a marker that must arrive after the thing proves that the thing did not.

#![expect(clippy::missing_panics_doc, reason = "a promise of the suite panics when it is broken: it is a test")]

use std::any::Any;
use std::time::Duration;

use bytes::Bytes;
use tertulia_protocol::RoomId;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::{Bus, Connected, HEARD_QUEUE, Heard, Link, PAYLOAD_BYTES, Topic};

mod offices;
mod reach;
mod real_redis;

pub use self::offices::*;
pub use self::reach::*;
pub use self::real_redis::RealRedis;

/// For anything that must happen: generous, because a busy machine is not a broken bus.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that nobody tells.
const LOOK: Duration = Duration::from_millis(20);

/// Several ends of one medium.
pub struct Medium {
    /// What was asked for, each its own instance.
    pub ends: Vec<Connected>,
    /// What must live as long (a server, a folder).
    pub keep: Box<dyn Any + Send>,
}

/// One test per promise, over `$factory`: an `async fn(usize) -> Medium`.
#[cfg(test)]
macro_rules! suite {
    ($factory:ident) => {
        mod conforms {
            $crate::bus::conformance::suite!($factory:
                news_reach_every_subscriber_and_the_publisher_byte_for_byte,
                news_do_not_reach_who_is_not_subscribed,
                rooms_are_isolated_whatever_their_numbers_look_like,
                each_publishers_order_is_kept,
                everyone_hears_everyone_without_subscribing,
                subscribing_twice_delivers_once,
                unsubscribing_stops_and_is_idempotent,
                a_room_can_be_left_and_entered_at_any_pace,
                whoever_does_not_listen_loses_knowingly_and_stalls_nobody,
                an_oversized_payload_is_refused_and_the_largest_arrives,
                exactly_one_holds_an_office,
                an_office_passes_on_when_its_holder_goes,
                offices_do_not_depend_on_each_other,
                a_closed_bus_is_down_and_holds_nothing,
                news_reach_who_listens_and_who_speaks,
            );
        }
    };
    ($factory:ident: $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::bus::conformance::$promise(super::$factory).await;
            }
        )+
    };
}
#[cfg(test)]
pub(crate) use suite;

/// Waits until the link is up.
///
/// # Panics
/// When it is not within [`PATIENCE`].
pub async fn until_up(bus: &dyn Bus) {
    until_link(bus, Link::is_up).await;
}

/// Waits until the link is down for a reason that begins with `reason`.
///
/// # Panics
/// When it is not within [`PATIENCE`].
pub async fn until_down(bus: &dyn Bus, reason: &str) {
    until_link(bus, |link| matches!(link, Link::Down(why) if why.starts_with(reason))).await;
}

async fn until_link(bus: &dyn Bus, wanted: impl Fn(&Link) -> bool) {
    let mut link = bus.link();
    let reached = timeout(PATIENCE, link.wait_for(|link| wanted(link))).await.is_ok_and(|closed| closed.is_ok());
    let last = link.borrow().clone();
    assert!(reached, "the link did not get there, last it was {last:?}");
}

/// Subscribes and waits for the confirmation.
///
/// # Panics
/// When it does not come within [`PATIENCE`].
pub async fn enter(bus: &dyn Bus, room: RoomId) {
    confirmed(&mut bus.subscribe(room)).await;
}

/// Waits until a subscription is confirmed.
///
/// # Panics
/// When it is not within [`PATIENCE`].
pub async fn confirmed(subscription: &mut watch::Receiver<bool>) {
    let reached = timeout(PATIENCE, subscription.wait_for(|confirmed| *confirmed)).await;
    assert!(reached.is_ok_and(|closed| closed.is_ok()), "the subscription was never confirmed");
}

/// What is heard next.
///
/// # Panics
/// When nothing is within [`PATIENCE`], or the bus is gone.
pub async fn heard(from: &mut mpsc::Receiver<Heard>) -> Heard {
    match timeout(PATIENCE, from.recv()).await {
        Ok(Some(event)) => event,
        Ok(None) => panic!("the bus is gone"),
        Err(_) => panic!("nothing was heard for {PATIENCE:?}"),
    }
}

/// The next news, passing over every [`Heard::MayHaveMissed`] (connecting owes one).
///
/// # Panics
/// As [`heard`].
pub async fn news(from: &mut mpsc::Receiver<Heard>) -> (Topic, Bytes) {
    loop {
        if let Heard::News { topic, payload } = heard(from).await {
            return (topic, payload);
        }
    }
}

async fn ready(factory: impl AsyncFnOnce(usize) -> Medium, ends: usize) -> Medium {
    let medium = factory(ends).await;
    assert_eq!(medium.ends.len(), ends, "premise: the factory gives what was asked for");
    for end in &medium.ends {
        until_up(&*end.bus).await;
    }
    medium
}

fn room(id: i64) -> Topic {
    Topic::Room(RoomId(id))
}

fn text(text: impl Into<String>) -> Bytes {
    Bytes::from(text.into())
}

/// Whatever the bytes are: they are nobody's text.
pub async fn news_reach_every_subscriber_and_the_publisher_byte_for_byte(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 3).await;
    for end in &medium.ends {
        enter(&*end.bus, RoomId(7)).await;
    }
    let payloads =
        [Bytes::new(), text("hola, què tal? 👋"), Bytes::from_iter(0..=255_u8), text("\r\n$-1\r\n*3\r\n{r7}\0")];
    for payload in &payloads {
        assert!(medium.ends[0].bus.publish(room(7), payload.clone()));
    }
    for end in &mut medium.ends {
        for payload in &payloads {
            assert_eq!(news(&mut end.heard).await, (room(7), payload.clone()));
        }
    }
}

/// The marker to everyone arrives after the news that must not.
pub async fn news_do_not_reach_who_is_not_subscribed(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 2).await;
    enter(&*medium.ends[0].bus, RoomId(7)).await;
    assert!(medium.ends[0].bus.publish(room(7), text("for the room")));
    assert!(medium.ends[0].bus.publish(Topic::Everyone, text("for all")));
    assert_eq!(news(&mut medium.ends[0].heard).await, (room(7), text("for the room")), "premise: it was published");
    assert_eq!(news(&mut medium.ends[1].heard).await, (Topic::Everyone, text("for all")));
}

/// A channel's name must not be a pattern or a beginning of another's.
pub async fn rooms_are_isolated_whatever_their_numbers_look_like(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 4).await;
    let rooms = [1, 11, 111, i64::MAX];
    for (end, id) in medium.ends.iter().zip(rooms) {
        enter(&*end.bus, RoomId(id)).await;
    }
    for id in rooms {
        assert!(medium.ends[0].bus.publish(room(id), text(id.to_string())));
    }
    assert!(medium.ends[0].bus.publish(Topic::Everyone, text("end")));
    for (end, id) in medium.ends.iter_mut().zip(rooms) {
        assert_eq!(news(&mut end.heard).await, (room(id), text(id.to_string())));
        assert_eq!(news(&mut end.heard).await, (Topic::Everyone, text("end")));
    }
}

/// Across topics too: a log's entry and the news about it are not swapped.
pub async fn each_publishers_order_is_kept(factory: impl AsyncFnOnce(usize) -> Medium) {
    const EACH: usize = 1_000;
    let mut medium = ready(factory, 3).await;
    for end in &medium.ends {
        enter(&*end.bus, RoomId(1)).await;
        enter(&*end.bus, RoomId(2)).await;
    }
    let topics = [room(1), room(2), Topic::Everyone];
    for n in 0..EACH {
        for (publisher, end) in medium.ends.iter().enumerate() {
            assert!(end.bus.publish(topics[n % 3], text(format!("{publisher} {n}"))), "premise: the queue holds these");
        }
    }
    for end in &mut medium.ends {
        let mut next = [0_usize; 3];
        for _ in 0..EACH * 3 {
            let (topic, payload) = news(&mut end.heard).await;
            let said = String::from_utf8(payload.to_vec()).unwrap_or_default();
            let (publisher, n) = said.split_once(' ').unwrap_or_default();
            let publisher: usize = publisher.parse().unwrap_or(usize::MAX);
            assert_eq!(n, next[publisher].to_string(), "publisher {publisher}");
            assert_eq!(topic, topics[next[publisher] % 3]);
            next[publisher] += 1;
        }
    }
}

/// Revocations must arrive wherever somebody is connected.
pub async fn everyone_hears_everyone_without_subscribing(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 3).await;
    for n in 0..3 {
        assert!(medium.ends[n].bus.publish(Topic::Everyone, text(n.to_string())));
        for end in &mut medium.ends {
            assert_eq!(news(&mut end.heard).await, (Topic::Everyone, text(n.to_string())));
        }
    }
}

/// Every local visitor of a room may ask for it.
pub async fn subscribing_twice_delivers_once(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 1).await;
    let end = &mut medium.ends[0];
    let mut first = end.bus.subscribe(RoomId(5));
    let mut second = end.bus.subscribe(RoomId(5));
    confirmed(&mut first).await;
    confirmed(&mut second).await;
    enter(&*end.bus, RoomId(5)).await;
    assert!(end.bus.publish(room(5), text("once")));
    assert!(end.bus.publish(Topic::Everyone, text("end")));
    assert_eq!(news(&mut end.heard).await, (room(5), text("once")));
    assert_eq!(news(&mut end.heard).await, (Topic::Everyone, text("end")));
}

/// Also for a room that was never entered.
pub async fn unsubscribing_stops_and_is_idempotent(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 2).await;
    enter(&*medium.ends[1].bus, RoomId(5)).await;
    assert!(medium.ends[0].bus.publish(room(5), text("before")));
    assert_eq!(news(&mut medium.ends[1].heard).await, (room(5), text("before")), "premise: it listens");
    for id in [5, 5, 6] {
        medium.ends[1].bus.unsubscribe(RoomId(id));
    }
    assert!(medium.ends[0].bus.publish(room(5), text("after")));
    assert!(medium.ends[0].bus.publish(Topic::Everyone, text("end")));
    assert_eq!(news(&mut medium.ends[1].heard).await, (Topic::Everyone, text("end")));
}

/// Whatever the races on the way, the last wish counts.
pub async fn a_room_can_be_left_and_entered_at_any_pace(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 1).await;
    let end = &mut medium.ends[0];
    for turn in 0..200 {
        let subscription = end.bus.subscribe(RoomId(3));
        drop(end.bus.subscribe(RoomId(4)));
        if turn % 7 == 0 {
            tokio::task::yield_now().await;
        }
        end.bus.unsubscribe(RoomId(3));
        end.bus.unsubscribe(RoomId(4));
        assert!(!*subscription.borrow(), "a subscription that was given up is not confirmed");
        drop(end.bus.subscribe(RoomId(3)));
        if turn % 5 == 0 {
            enter(&*end.bus, RoomId(3)).await;
        }
    }
    enter(&*end.bus, RoomId(3)).await;
    assert!(end.bus.publish(room(4), text("left")));
    assert!(end.bus.publish(room(3), text("entered")));
    assert_eq!(news(&mut end.heard).await, (room(3), text("entered")));
}

/// One slow instance is its own problem, and it knows of it.
pub async fn whoever_does_not_listen_loses_knowingly_and_stalls_nobody(factory: impl AsyncFnOnce(usize) -> Medium) {
    const ROUND: usize = 512;
    let mut medium = ready(factory, 2).await;
    for end in &medium.ends {
        enter(&*end.bus, RoomId(1)).await;
    }
    let [quick, slow] = &mut medium.ends[..] else { panic!("premise: two ends") };
    let mut published = 0;
    let filled = async {
        while slow.heard.capacity() > 0 || published < HEARD_QUEUE + ROUND {
            for n in published..published + ROUND {
                assert!(quick.bus.publish(room(1), text(n.to_string())), "premise: the queue holds a round");
            }
            for n in published..published + ROUND {
                assert_eq!(news(&mut quick.heard).await.1, n.to_string(), "the quick one misses nothing");
            }
            published += ROUND;
        }
    };
    assert!(timeout(PATIENCE, filled).await.is_ok(), "the slow one's queue did not fill, or it stalled the quick one");
    assert!(published >= HEARD_QUEUE, "premise: more was published than fits");

    // The last word is said only when the overflow is known of: said earlier, it might fall to it.
    let (mut expected, mut told, mut holes) = (0, false, 0);
    loop {
        match heard(&mut slow.heard).await {
            Heard::MayHaveMissed if expected == 0 => {}
            Heard::MayHaveMissed => {
                told = true;
                assert!(quick.bus.publish(Topic::Everyone, text("end")));
            }
            Heard::News { topic: Topic::Everyone, .. } => break,
            Heard::News { payload, .. } => {
                let n: usize = String::from_utf8_lossy(&payload).parse().unwrap_or(usize::MAX);
                assert!(n == expected || told, "{expected} to {n} vanished without a word");
                holes += usize::from(n != expected);
                expected = n + 1;
            }
        }
    }
    assert!(told, "it was never told");
    assert!(holes > 0 || expected < published, "premise: something was lost");
}

/// The bound is the same for all, so that nobody publishes what another drops.
pub async fn an_oversized_payload_is_refused_and_the_largest_arrives(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 1).await;
    let end = &mut medium.ends[0];
    assert!(!end.bus.publish(Topic::Everyone, Bytes::from(vec![b'x'; PAYLOAD_BYTES + 1])));
    let largest = Bytes::from(vec![b'y'; PAYLOAD_BYTES]);
    assert!(end.bus.publish(Topic::Everyone, largest.clone()));
    assert_eq!(news(&mut end.heard).await, (Topic::Everyone, largest));
}
