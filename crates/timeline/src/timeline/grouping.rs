//! What a row looks like beside its neighbours: who needs no name again, where a day begins.

use std::sync::Arc;

use super::fold::replace;
use super::row::{Row, What};

/// How far apart two messages of one author may be to be drawn as one, in milliseconds: Campfire's 5 minutes.
const GROUP_MS: u64 = 5 * 60 * 1000;
const MINUTE_MS: i64 = 60 * 1000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Brings `joined` and `new_day` of all rows up to date. Only rows that differ get a new pointer; a pass over
/// the few hundred rows of a window compares numbers, so finding out which ones to look at would not pay.
pub(super) fn regroup(rows: &mut [Arc<Row>], utc_offset: i32) {
    // Clocks differ between instances and this browser, so a time may step back over midnight: a day that
    // has begun does not begin again.
    let mut newest_day = i64::MIN;
    let mut before: Option<Arc<Row>> = None;
    for row in rows {
        let day = day_of(row.at, utc_offset);
        let new_day = day > newest_day;
        newest_day = newest_day.max(day);
        let joined = !new_day && before.is_some_and(|before| continues(&before, row, utc_offset));
        if row.new_day != new_day || row.joined != joined {
            replace(row, |row| (row.new_day, row.joined) = (new_day, joined));
        }
        before = Some(Arc::clone(row));
    }
}

fn continues(before: &Row, row: &Row, utc_offset: i32) -> bool {
    matches!((&before.what, &row.what), (What::Message { .. }, What::Message { .. }))
        && before.by.id == row.by.id
        && before.at.abs_diff(row.at) <= GROUP_MS
        && day_of(before.at, utc_offset) == day_of(row.at, utc_offset)
}

fn day_of(at: i64, utc_offset: i32) -> i64 {
    at.saturating_add(i64::from(utc_offset) * MINUTE_MS).div_euclid(DAY_MS)
}
