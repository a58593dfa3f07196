//! Dates against instants taken from `date -u`.

use super::*;

#[test]
fn an_instant_is_written_as_iso_8601() {
    assert_eq!(iso(0), "1970-01-01T00:00:00Z");
    assert_eq!(iso(1_795_208_645_999), "2026-11-20T21:04:05Z");
    assert_eq!(iso(951_782_399_000), "2000-02-28T23:59:59Z");
    assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00Z");
    assert_eq!(iso(-1), "1969-12-31T23:59:59Z");
}

#[test]
fn a_day_has_a_weekday_and_follows_the_offset() {
    assert_eq!(day(1_795_208_645_999, 0), "Friday, 20 November 2026");
    assert_eq!(day(1_795_208_645_999, 180), "Saturday, 21 November 2026");
    assert_eq!(day(0, -1), "Wednesday, 31 December 1969");
}

#[test]
fn a_time_of_day_has_two_digits_each() {
    assert_eq!(time_of_day(1_795_208_645_999), "21:04");
    assert_eq!(time_of_day(-60_000), "23:59");
}
