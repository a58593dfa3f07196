//! Numbers in words, and the way that a message takes over the drawing.

use tertulia_protocol::cluster::{Instance, Picture, Sent, Standing};

use super::drawing::way;
use super::words;

fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        name: id.to_owned(),
        here: false,
        standing: Standing::Live,
        uptime_s: 0,
        sockets: 0,
        rooms: 0,
        in_tenths: 0,
        out_tenths: 0,
        echo_us: None,
        cut_s: None,
        island: false,
    }
}

#[test]
fn numbers_are_told_as_people_say_them() {
    let times =
        [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (601, "10 min"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h")];
    for (seconds, words) in times {
        assert_eq!(words::duration(seconds), words);
    }
    assert_eq!([0, 13, 1_234].map(words::rate), ["0.0/s", "1.3/s", "123/s"]);
    assert_eq!([None, Some(412), Some(9_999), Some(12_345)].map(words::echo), ["–", "0.4 ms", "9.9 ms", "12 ms"]);
    assert_eq!([1, 2].map(|n| words::count(n, "room", "rooms")), ["1 room", "2 rooms"]);
    assert_eq!(words::short("instance-one"), "instance-one");
    assert_eq!(words::short("an-instance-with-a-long-name"), "an-instance-…");
}

#[test]
fn how_an_instance_stands_is_told_in_words() {
    let told = |standing, cut_s, island| words::standing(&Instance { standing, cut_s, island, ..instance("a") });
    assert_eq!(told(Standing::Live, None, false), "live");
    assert_eq!(told(Standing::Degraded, None, false), "degraded, reads SQL");
    assert_eq!(told(Standing::Cut, Some(61), false), "cut off, 1 min 1 s");
    assert_eq!(told(Standing::Cut, Some(61), true), "island, 1 min 1 s");
    assert_eq!(told(Standing::Silent, None, false), "not heard of");
}

#[test]
fn a_message_goes_over_redis_to_those_it_reaches_and_no_further_when_cut() {
    let picture = Picture { instances: vec![instance("a"), instance("b"), instance("c")], redis: true, switch: false };
    let legs = |picture: &Picture, from: &str, to: &[&str], carried| {
        let sent = Sent { from: from.to_owned(), to: to.iter().map(|to| (*to).to_owned()).collect(), carried };
        way(picture, &sent).into_iter().map(|(_, class)| class).collect::<Vec<_>>()
    };
    let all = ["leg one", "leg two", "leg two", "leg three", "leg four", "leg three", "leg four"];
    assert_eq!(legs(&picture, "a", &["b", "c"], true), all);
    assert_eq!(legs(&picture, "a", &["nobody known"], true), all[..3]);
    assert_eq!(legs(&picture, "a", &[], false), ["leg one", "leg two", "leg two lost"]);
    assert_eq!(legs(&picture, "nobody known", &["a"], true), [""; 0]);
    let alone = Picture { redis: false, ..picture };
    assert_eq!(legs(&alone, "a", &[], true), ["leg one", "leg two"], "no Redis, no way there");
}
