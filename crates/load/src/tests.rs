//! What needs no server: stamps, beats, samples, frames.

use std::time::Duration;

use clap::{CommandFactory, Parser};
use tertulia_protocol::{RoomId, ServerFrame, codec};
use tokio::time::Instant;

use crate::cli::{Cli, Scenario};
use crate::ledger::{Line, What};
use crate::pace::{Beat, Window};
use crate::samples::Samples;
use crate::stamp::{Run, Stamp};
use crate::web::Web;
use crate::wire::{self, Heard};

const RUN: Run = Run(7);
const STAMP: Stamp = Stamp { speaker: 3, counter: 41 };

#[test]
fn a_body_has_the_length_asked_for_and_says_which_message_it_is() {
    for bytes in [60, 200, 9_000] {
        let body = RUN.body(STAMP, bytes);
        assert_eq!(body.len(), bytes);
        assert_eq!(RUN.read(&body), Some(STAMP));
    }
    let shortest = RUN.body(STAMP, 0);
    assert_eq!(RUN.read(&shortest), Some(STAMP));
    assert!(RUN.body(STAMP, 200).starts_with(&shortest));
}

#[test]
fn a_body_that_was_changed_or_comes_from_another_run_is_not_read() {
    let body = RUN.body(STAMP, 100);
    assert_eq!(Run(8).read(&body), None);
    assert_eq!(RUN.read(&body.replacen("3:41", "3:42", 1)), None);
    assert_eq!(RUN.read(&format!("{body}x")), None);
    assert_eq!(RUN.read("hello"), None);
    assert_eq!(RUN.read(""), None);
}

#[test]
fn two_runs_differ() {
    assert_ne!(Run::fresh(), Run::fresh());
}

#[test]
fn speakers_take_turns_and_the_hundred_thousandth_beat_has_not_drifted() {
    let start = Instant::now();
    let beat = Beat::new(start, 200.0, 4);
    let at = |speaker, counter| (beat.due(speaker, counter) - start).as_micros();
    assert_eq!([at(0, 0), at(1, 0), at(3, 0), at(0, 1)], [0, 5_000, 15_000, 20_000]);
    assert_eq!(at(0, 100_000), 100_000 * 20_000);
}

#[test]
fn only_what_lies_between_warm_up_and_end_counts() {
    let window = Window::ahead(Duration::ZERO, Duration::from_secs(2), Duration::from_secs(5));
    assert!(!window.counts(window.start));
    assert!(window.counts(window.from));
    assert!(!window.counts(window.to));
    assert!((window.seconds() - 5.0).abs() < 1e-9);
}

#[test]
fn merged_samples_give_the_percentiles_of_all_of_them() {
    let (mut some, mut others) = (Samples::default(), Samples::default());
    // 1 to 100 ms, dealt out so that each half alone would give other percentiles.
    (1..=50).for_each(|ms| some.add(Duration::from_millis(ms)));
    (51..=100).for_each(|ms| others.add(Duration::from_millis(ms)));
    some.merge(others);
    let spread = some.spread().unwrap();
    assert_eq!(some.len(), 100);
    for (found, wanted) in [(spread.p50, 50.0), (spread.p90, 90.0), (spread.p99, 99.0), (spread.max, 100.0)] {
        assert!((found - wanted).abs() <= wanted / 1_000.0, "{found} is not {wanted} within three digits");
    }
}

#[test]
fn no_samples_are_no_latency() {
    assert!((Samples::default().spread().unwrap().max - 0.0).abs() < f64::EPSILON);
}

#[test]
fn entries_are_read_with_their_numbers_whatever_their_kind() {
    let body = RUN.body(STAMP, 80);
    let by = r#""at":1,"by":{"id":1,"name":"a\"b"}"#;
    let text = format!(
        r#"{{"t":"entries","room":9,"entries":[{{"seq":4,{by},"kind":"posted","body":"{body}"}},{{"seq":5,{by},"kind":"joined"}},{{"seq":6,{by},"kind":"posted","body":"hi \u00e9"}},{{"seq":7,{by},"kind":"from_the_future","x":[1]}}]}}"#
    );
    let Heard::Entries(room, lines) = wire::read(&text, RUN).unwrap() else { panic!("not entries") };
    assert_eq!(room.0, 9);
    let whats = [What::Message(STAMP), What::Other, What::Foreign, What::Other];
    let wanted: Vec<Line> = (4..).zip(whats).map(|(seq, what)| Line { seq, what }).collect();
    assert_eq!(lines, wanted);
}

#[test]
fn entries_are_understood_with_their_tag_anywhere() {
    let text = r#"{"room":9,"entries":[{"seq":1,"at":1,"by":{"id":1,"name":"a"},"kind":"joined"}],"t":"entries"}"#;
    assert!(matches!(wire::read(text, RUN), Ok(Heard::Entries(..))));
    assert!(matches!(wire::read(r#"{"t":"pong"}"#, RUN), Ok(Heard::Frame(_))));
    let (room, online, full) = (RoomId(7), 0, true);
    let presence = ServerFrame::Presence { room, online, full, joined: Vec::new(), left: Vec::new() };
    assert!(matches!(wire::read(&codec::encode(&presence), RUN), Ok(Heard::Presence)));
    assert!(wire::read(r#"{"t":"entries","room":9}"#, RUN).is_err());
    assert!(wire::read("nonsense", RUN).is_err());
}

#[test]
fn the_command_line_is_sound_and_wants_a_server() {
    Cli::command().debug_assert();
    let cli = Cli::parse_from(["tertulia-load", "sends", "--rooms", "3", "--json"]);
    assert!(cli.json && matches!(&cli.scenario, Scenario::Sends(sends) if sends.rooms == Some(3)));
    assert!(cli.common().unwrap_err().to_string().contains("--server-bin"));
    assert!(Cli::try_parse_from(["tertulia-load", "sends", "--pipeline", "41", "--url", "x"]).is_err());
    assert!(Cli::try_parse_from(["tertulia-load", "sends", "--url", "x", "--server-bin", "y"]).is_err());
}

#[test]
fn all_consists_of_every_other_scenario() {
    let cli = Cli::parse_from(["tertulia-load", "all", "--sockets", "500"]);
    let parts = cli.scenario.parts();
    assert_eq!(parts.len(), 5);
    assert!(parts.iter().any(|part| matches!(part, Scenario::Idle(idle) if idle.sockets == 500)));
}

#[test]
fn an_address_is_http_with_a_port() {
    assert_eq!(Web::at("http://127.0.0.1:3000/").unwrap().authority(), "127.0.0.1:3000");
    for wrong in ["127.0.0.1:3000", "https://a:1", "http://a", "http://a:1/b"] {
        assert!(Web::at(wrong).is_err(), "{wrong}");
    }
}
