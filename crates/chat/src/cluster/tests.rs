//! What is believed, for how long, and who is told. Time is passed in, so no test waits.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::RoomId;
use tertulia_protocol::cluster::Standing;
use tokio::time::Instant;

use super::picture::{OTHERS, Others};
use super::vital::{CUT, NAME_BYTES, ROOMS_NAMED, Rates, Vital};
use super::watch::{WATCHERS, Watch};
use super::{Cluster, Watching};

fn vital(name: &str) -> Vital {
    Vital { name: name.to_owned(), ..Vital::default() }
}

fn names(others: &Others, now: Instant) -> Vec<String> {
    let mut names: Vec<String> = others.instances(now).map(|instance| instance.id).collect();
    names.sort();
    names
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn numbers_and_lists_are_bounded_and_names_that_nobody_has_are_refused() {
    let wild = Vital {
        name: "n".repeat(NAME_BYTES),
        up_s: u64::MAX,
        sockets: u64::MAX,
        rooms: u64::MAX,
        following: (0..1_000).map(RoomId).collect(),
        said: u64::MAX,
        told: u64::MAX,
        echo_us: Some(u64::MAX),
        degraded: false,
        cut_s: Some(u64::MAX),
        island: true,
    };
    let tame = wild.bounded().expect("the longest name is one");
    assert_eq!(tame.following.len(), ROOMS_NAMED);
    assert_eq!(tame.cut_s, Some(CUT.as_secs()));
    // In a browser these are numbers with 53 bits, and one multiplies them.
    for number in [tame.up_s, tame.sockets, tame.rooms, tame.said, tame.told, tame.echo_us.unwrap_or(0)] {
        assert!(number < 1 << 40, "{number}");
    }
    for bad in [String::new(), "n".repeat(NAME_BYTES + 1), "a\nb".to_owned()] {
        assert_eq!(vital(&bad).bounded(), None, "{bad:?}");
    }
}

#[test]
fn only_so_many_instances_are_kept_and_the_known_go_on_being_heard() {
    let now = Instant::now();
    let mut others = Others::default();
    for n in 0..OTHERS {
        assert!(others.hear(&format!("n{n}"), vital("n"), now));
    }
    assert!(!others.hear("one too many", vital("n"), now));
    assert!(others.hear("n0", vital("again"), now + ms(4_000)));
    assert_eq!(names(&others, now).len(), OTHERS);
    // Those who fell silent make room.
    assert!(others.hear("one too many", vital("n"), now + ms(6_000)));
    assert_eq!(names(&others, now + ms(6_000)), ["n0", "one too many"]);
    assert!(!others.hear(&"x".repeat(NAME_BYTES + 1), vital("n"), now), "a name on the bus is bounded as well");
}

#[test]
fn an_instance_is_shown_silent_then_forgotten_and_one_that_says_goodbye_goes_at_once() {
    let now = Instant::now();
    let mut others = Others::default();
    others.hear("a", vital("a"), now);
    others.hear("b", vital("b"), now);
    others.gone("b");
    let standing = |others: &mut Others, after| {
        others.forget(now + after);
        others.instances(now + after).map(|instance| instance.standing).collect::<Vec<_>>()
    };
    assert_eq!(standing(&mut others, ms(3_000)), [Standing::Live]);
    assert_eq!(standing(&mut others, ms(4_000)), [Standing::Silent]);
    assert_eq!(standing(&mut others, ms(5_001)), []);
}

#[test]
fn an_instance_that_said_it_is_cut_stays_in_the_picture_until_its_cut_must_have_healed() {
    let now = Instant::now();
    let mut others = Others::default();
    others.hear("a", Vital { cut_s: Some(300), island: true, following: vec![RoomId(1)], ..vital("a") }, now);
    others.forget(now + ms(100_000));
    let shown: Vec<_> = others.instances(now + ms(100_000)).collect();
    assert_eq!((shown[0].standing, shown[0].cut_s, shown[0].island), (Standing::Cut, Some(200), true));
    assert_eq!(others.following(RoomId(1)).count(), 0, "nothing travels to it");
    others.forget(now + ms(306_000));
    assert_eq!(names(&others, now), [""; 0]);
}

#[test]
fn rates_are_those_of_the_last_three_seconds() {
    let now = Instant::now();
    let mut rates = Rates::default();
    assert_eq!(rates.tenths(), (0, 0));
    rates.sample(now, 1_000, 0);
    assert_eq!(rates.tenths(), (0, 0), "one look is no rate");
    rates.sample(now + ms(100), 9_999, 0);
    assert_eq!(rates.tenths(), (0, 0), "too soon to look again");
    rates.sample(now + ms(1_000), 1_002, 20);
    assert_eq!(rates.tenths(), (20, 200));
    for second in 2..=4 {
        rates.sample(now + ms(second * 1_000), 1_002, 20);
    }
    assert_eq!(rates.tenths(), (0, 0), "what is long over does not count");
}

#[test]
fn watching_is_said_at_once_then_every_few_seconds_and_believed_for_ten() {
    let now = Instant::now();
    let (mut here, mut there) = (Watch::default(), Watch::default());
    assert!(!here.is_on(now) && !here.must_ask(now), "an idle cluster is quiet");
    assert!(here.begin());
    assert!(here.must_ask(now) && !here.must_ask(now + ms(2_900)) && here.must_ask(now + ms(3_000)));
    here.end();
    assert!(!here.is_on(now + ms(3_100)) && !here.must_ask(now + ms(9_000)));
    there.hear(now + ms(3_000));
    assert!(there.is_on(now + ms(12_900)) && !there.is_on(now + ms(13_000)));
    assert!(!there.must_ask(now), "who only answers asks nobody");
    for _ in 0..WATCHERS {
        assert!(there.begin());
    }
    assert!(!there.begin(), "a class, not a crowd");
}

#[tokio::test]
async fn a_message_travels_to_those_who_follow_its_room_and_no_further_when_cut() {
    let now = Instant::now();
    let cluster = Cluster::new(Arc::default());
    assert!(!cluster.count_said(now), "nobody watches");
    let mut watching = Watching::begin(&cluster).expect("there is room");
    assert!(cluster.count_said(now) && !cluster.count_said(now + ms(99)) && cluster.count_said(now + ms(100)));
    cluster.hear_vital("b.1", Vital { following: vec![RoomId(1)], ..vital("b") }, now);
    cluster.hear_vital("c.1", Vital { following: vec![RoomId(2)], ..vital("c") }, now);
    cluster.pulse(now, HashSet::from([RoomId(1)]));

    cluster.show("a.1", "a.1", RoomId(1), true);
    cluster.show("b.1", "a.1", RoomId(1), true);
    cluster.show("c.1", "a.1", RoomId(1), true);
    cluster.show("a.1", "a.1", RoomId(1), false);
    let mut ways = Vec::new();
    for _ in 0..4 {
        let sent = watching.sent().await.expect("it is shown");
        ways.push((sent.from, sent.to.join(" "), sent.carried));
    }
    let way = |from: &str, to: &str, carried| (from.to_owned(), to.to_owned(), carried);
    let expected =
        [way("a.1", "b.1", true), way("b.1", "a.1", true), way("c.1", "a.1 b.1", true), way("a.1", "", false)];
    assert_eq!(ways, expected);
    cluster.close();
    assert_eq!(watching.sent().await, None, "whoever watches is sent away");
}

#[tokio::test]
async fn whoever_begins_to_watch_wakes_the_instance_and_so_does_somebody_elsewhere() {
    let now = Instant::now();
    let cluster = Cluster::new(Arc::default());
    let watching = Watching::begin(&cluster);
    cluster.woken().await;
    assert_eq!(cluster.pulse(now, HashSet::new()), super::Due { watch: true, vital: true });
    drop(watching);
    assert_eq!(cluster.pulse(now, HashSet::new()), super::Due { watch: false, vital: false });
    cluster.hear_watch(now);
    cluster.woken().await;
    assert_eq!(cluster.pulse(now, HashSet::new()), super::Due { watch: false, vital: true });
    cluster.until_heard(&[]).await;
    let known = ["b.1".to_owned()];
    let heard = cluster.until_heard(&known);
    tokio::pin!(heard);
    assert!(futures::poll!(heard.as_mut()).is_pending());
    cluster.hear_vital("b.1", vital("b"), now);
    heard.await;
}
