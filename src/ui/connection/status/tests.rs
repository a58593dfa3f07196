//! The words that tests and people rely on.

use super::*;

#[test]
fn live_means_connected_and_caught_up() {
    let of = |phase, missing| Status::of(phase, missing, 0, false, BusState::Live).words();
    assert_eq!(of(Phase::Live, None), "Live");
    assert_eq!(of(Phase::Live, Some(0)), "Catching up");
    assert_eq!(of(Phase::Opening, None), "Catching up");
    assert_eq!(of(Phase::Lost, None), "Offline");
    assert_eq!(of(Phase::Still, None), "");
}

#[test]
fn it_is_said_how_many_are_coming_when_they_are_more_than_a_few() {
    let words = |missing| Status::of(Phase::Live, Some(missing), 0, false, BusState::Degraded).words();
    assert_eq!(words(MANY), "Catching up");
    assert_eq!(words(MANY + 1), "Catching up (21 to come)");
    assert_eq!(words(9_950), "Catching up (9950 to come)");
}

#[test]
fn what_failed_is_counted_once_there_are_several() {
    assert_eq!((failed(0), failed(1)), (String::new(), String::new()));
    assert_eq!(failed(3), "3 messages were not sent.");
}

#[test]
fn offline_counts_what_waits_and_says_what_becomes_of_it() {
    let two = Status::of(Phase::Lost, None, 2, true, BusState::Live);
    assert_eq!(two.words(), "Offline (2 queued)");
    assert_eq!(two.sentence(), "Offline. 2 messages wait here and will go by themselves.");
    assert_eq!(Status::Offline(1).sentence(), "Offline. 1 message waits here and will go by itself.");
}

#[test]
fn a_degraded_bus_is_still_live() {
    assert_eq!(Status::of(Phase::Live, None, 0, false, BusState::Degraded).words(), "Live · degraded");
}

#[test]
fn an_old_page_is_told_to_reload() {
    assert!(Status::Over(Close::Version.code()).sentence().contains("older than the server"));
}

#[test]
fn what_the_server_cannot_store_is_said_before_all_that_is_less_urgent() {
    let stuck = |missing, queued| Status::of(Phase::Live, missing, queued, true, BusState::Degraded);
    assert_eq!(stuck(None, 3).words(), "Live (3 queued)");
    assert_eq!(
        stuck(None, 3).sentence(),
        "The server can store nothing right now. 3 messages wait here and will go by themselves."
    );
    assert_eq!(
        (stuck(None, 0), stuck(Some(1), 3)),
        (Status::Degraded, Status::CatchingUp(1)),
        "until it waits, or is here"
    );
}
