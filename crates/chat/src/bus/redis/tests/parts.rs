//! Names, settings, reasons, pauses and beats, each alone.

use std::io;
use std::time::Duration;

use rand::{SeedableRng, rngs::SmallRng};
use tertulia_protocol::RoomId;
use tokio::time::Instant;

use super::super::backoff::Backoff;
use super::super::channels::{Channels, Subject};
use super::super::pulse::{DEAD_AFTER, EVERY, Pulse};
use super::super::reason::reason;
use super::super::{RedisBus, RedisSettings, SettingsError};
use crate::bus::Topic;

#[test]
fn channels_are_named_as_documented_and_read_back() {
    let channels = Channels::new("tertulia", "a");
    assert_eq!(channels.topic(Topic::Everyone), "tertulia:all");
    assert_eq!(channels.topic(Topic::Room(RoomId(12))), "tertulia:{r12}:log");
    assert_eq!(channels.heartbeat(), "tertulia:hb:a");
    for topic in [Topic::Everyone, Topic::Room(RoomId(12)), Topic::Room(RoomId(i64::MAX))] {
        assert_eq!(channels.subject(&channels.topic(topic)), Some(Subject::News(topic)));
    }
    assert_eq!(channels.subject("tertulia:hb:a"), Some(Subject::Heartbeat));
}

#[test]
fn channels_that_we_would_not_build_mean_nothing() {
    let channels = Channels::new("tertulia", "a");
    let strange =
        ["", "?", "tertulia", "tertulia:hb:b", "tertulia:{r}:log", "tertulia:{r01}:log", "tertulia:{r+1}:log"];
    for name in strange.into_iter().chain(["tertulia:{r1}:logs", "x:{r1}:log", "tertulia:{r9223372036854775808}:log"]) {
        assert_eq!(channels.subject(name), None, "{name}");
    }
}

#[tokio::test]
async fn only_settings_that_can_never_work_are_errors_and_none_shows_the_password() {
    let refused = |settings: &RedisSettings| RedisBus::open(settings).err();
    for url in ["", "not a url hunter2", "http://:hunter2@host/", "rediss://:hunter2@host/", "redis://:hunter2@host:x/"]
    {
        assert_eq!(refused(&RedisSettings::new(url, "a")), Some(SettingsError::Url), "{url}");
    }
    assert!(!SettingsError::Url.to_string().contains("hunter2"));
    for name in ["", "with space", "{braces}", "ünïcode", "new\nline", "*", &"x".repeat(65)] {
        let settings = RedisSettings::new("redis://127.0.0.1:1/", name);
        assert_eq!(refused(&settings), Some(SettingsError::Name { field: "instance" }), "{name}");
        let settings = RedisSettings { prefix: name.to_owned(), ..RedisSettings::new("redis://127.0.0.1:1/", "a") };
        assert_eq!(refused(&settings), Some(SettingsError::Name { field: "prefix" }), "{name}");
    }
    let shown = format!("{:?}", RedisSettings::new("redis://:hunter2@127.0.0.1:1/", "a"));
    assert!(shown.contains("tertulia") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn reasons_are_words_and_never_repeat_what_the_error_quotes() {
    let io = |kind| reason(&io::Error::new(kind, "hunter2").into());
    assert_eq!(io(io::ErrorKind::ConnectionRefused), "connection refused");
    assert_eq!(io(io::ErrorKind::TimedOut), "Redis does not answer");
    assert_eq!(io(io::ErrorKind::ConnectionReset), "Redis closed the connection");
    assert_eq!(io(io::ErrorKind::AddrNotAvailable), "Redis cannot be reached: no such host, or no way to it");
    let answered = |code: &str| match redis::parse_redis_value(format!("-{code} hunter2\r\n").as_bytes()) {
        Ok(value) => reason(&value.extract_error().unwrap_err()),
        Err(error) => reason(&error),
    };
    for (code, expected) in [
        ("WRONGPASS", "wrong password"),
        ("NOAUTH", "Redis asks for a password"),
        ("READONLY", "this Redis is a replica"),
        ("LOADING", "Redis is loading"),
        ("MASTERDOWN", "this Redis has lost its primary"),
        ("NOPERM", "the Redis user may not"),
        ("ODDITY", "Redis answered ODDITY"),
    ] {
        let said = answered(code);
        assert!(said.starts_with(expected) && !said.contains("hunter2"), "{code}: {said}");
    }
}

#[test]
fn pauses_grow_to_five_seconds_and_begin_anew_only_after_a_steady_link() {
    let mut random = SmallRng::seed_from_u64(1);
    let mut longest = |tries: usize, was_up: Duration| {
        let pause = |_| {
            let mut backoff = Backoff::default();
            for _ in 0..tries {
                let _pause = backoff.next(Duration::ZERO, &mut random);
            }
            backoff.next(was_up, &mut random)
        };
        (0..1_000).map(pause).max().unwrap()
    };
    let within = |pause: Duration, ms: u64| pause <= Duration::from_millis(ms) && pause > Duration::from_millis(ms / 2);
    assert!(within(longest(0, Duration::ZERO), 100));
    assert!(within(longest(3, Duration::ZERO), 800));
    assert!(within(longest(40, Duration::ZERO), 5_000));
    assert!(
        within(longest(40, Duration::from_millis(4_999)), 5_000),
        "a link that breaks at once is not retried at once"
    );
    assert!(within(longest(40, Duration::from_secs(5)), 100));
}

#[test]
fn a_link_lives_until_six_seconds_after_its_last_returned_beat_was_sent() {
    let start = Instant::now();
    let mut pulse = Pulse::new(7, start);
    assert_eq!(pulse.deadline(), start + DEAD_AFTER);
    let first = pulse.beat(start);
    let second = pulse.beat(start + EVERY);
    let late = start + EVERY + EVERY;
    assert_eq!(pulse.echo(second.as_bytes(), late), Some(EVERY));
    assert_eq!(pulse.deadline(), start + EVERY + DEAD_AFTER, "it is known to have lived when the beat left, not later");
    assert_eq!(pulse.echo(first.as_bytes(), late), None, "an older one proves nothing more");
    assert_eq!(pulse.echo(second.as_bytes(), late), None, "nor the same again");
}

#[test]
fn a_beat_that_is_not_ours_proves_nothing() {
    let start = Instant::now();
    let mut pulse = Pulse::new(7, start);
    let ours = pulse.beat(start);
    let others = Pulse::new(8, start).beat(start);
    let garbage: [&[u8]; 6] =
        [b"", b".", b"7", b"\xff\xfe", b"0000000000000007.2", b"0000000000000007.99999999999999999999"];
    for payload in garbage.into_iter().chain([others.as_bytes()]) {
        assert_eq!(pulse.echo(payload, start), None, "{payload:?}");
    }
    assert_eq!(pulse.echo(ours.as_bytes(), start), Some(Duration::ZERO), "premise: ours does");
}
