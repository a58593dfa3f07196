//! The delays between tries: their ceilings, their floor, and what absurd input does.

use super::{Backoff, CAP_MS, HINT_CAP_MS};

#[test]
fn the_ceiling_doubles_from_half_a_second_to_thirty_seconds() {
    let mut backoff = Backoff::new();
    let ceilings: Vec<u64> = (0..8).map(|_| backoff.next(1.0, None)).collect();
    assert_eq!(ceilings, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
}

#[test]
fn the_whole_delay_is_random() {
    let mut low = Backoff::new();
    let mut middle = Backoff::new();
    assert_eq!([low.next(0.0, None), low.next(0.0, None)], [0, 0]);
    assert_eq!([middle.next(0.5, None), middle.next(0.5, None)], [250, 500]);
}

#[test]
fn a_hint_is_a_floor_with_jitter_on_top() {
    let mut backoff = Backoff::new();
    assert_eq!(backoff.next(0.0, Some(3_000)), 3_000);
    assert_eq!(backoff.next(1.0, Some(3_000)), 4_000, "second try: up to one second of jitter");
}

#[test]
fn a_connection_that_held_starts_afresh() {
    let mut backoff = Backoff::new();
    for _ in 0..5 {
        backoff.next(1.0, None);
    }
    assert!(backoff.next(1.0, None) > 500, "premise: it had grown");
    backoff.reset();
    assert_eq!(backoff, Backoff::default());
    assert_eq!(backoff.next(1.0, None), 500);
}

#[test]
fn absurd_input_is_bounded() {
    for random in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 2.0] {
        let mut backoff = Backoff::new();
        for _ in 0..100 {
            assert!(backoff.next(random, None) <= CAP_MS);
            assert!(backoff.next(random, Some(u64::MAX)) <= HINT_CAP_MS + CAP_MS);
        }
    }
}
