//! The words that tests and people rely on.

use super::*;

#[test]
fn live_means_connected_and_caught_up() {
    let of = |phase, caught_up| Status::of(phase, caught_up, 0, BusState::Live).words();
    assert_eq!(of(Phase::Live, true), "Live");
    assert_eq!(of(Phase::Live, false), "Catching up");
    assert_eq!(of(Phase::Opening, true), "Catching up");
    assert_eq!(of(Phase::Lost, true), "Offline");
    assert_eq!(of(Phase::Still, true), "");
}

#[test]
fn offline_counts_what_waits_and_says_what_becomes_of_it() {
    let two = Status::of(Phase::Lost, true, 2, BusState::Live);
    assert_eq!(two.words(), "Offline (2 queued)");
    assert_eq!(two.sentence(), "Offline. 2 messages wait here and will go by themselves.");
    assert_eq!(Status::Offline(1).sentence(), "Offline. 1 message waits here and will go by itself.");
}

#[test]
fn a_degraded_bus_is_still_live() {
    assert_eq!(Status::of(Phase::Live, true, 0, BusState::Degraded).words(), "Live · degraded");
}

#[test]
fn an_old_page_is_told_to_reload() {
    assert!(Status::Over(Close::Version.code()).sentence().contains("older than the server"));
}
