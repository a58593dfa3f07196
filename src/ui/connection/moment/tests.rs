//! Two clocks that disagree.

use super::*;

const HOUR_MS: f64 = 3_600_000.0;

fn at(elapsed_ms: f64, wall_ms: f64) -> Moment {
    Moment { elapsed_ms, wall_ms }
}

#[test]
fn a_sleep_that_one_clock_did_not_see_counts() {
    let before = at(1_000.0, 50_000.0);
    assert_eq!(before.perhaps_ago(at(1_010.0, 50_010.0 + HOUR_MS)), HOUR_MS + 10.0, "it stood still");
    assert_eq!(before.perhaps_ago(at(1_000.0 + HOUR_MS, 50_000.0)), HOUR_MS, "the other was set back");
}

#[test]
fn what_is_waited_for_does_not_depend_on_what_time_it_is() {
    let before = at(1_000.0, 50_000.0);
    for wall_ms in [0.0, 50_000.0, 50_000.0 + HOUR_MS] {
        assert_eq!(before.waited(at(1_300.0, wall_ms)), 300.0);
    }
}
