//! Dates without a library: what the server writes before the browser knows the reader's clock.
//!
//! Proleptic Gregorian, UTC plus a fixed offset; the day arithmetic is Howard Hinnant's.

#[cfg(test)]
mod tests;

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;
/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Year, month (1 to 12) and day of the month of a day counted from 1 January 1970.
const fn civil(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a month is 1 to 12")]
    (year, month as usize, day)
}

/// An instant for `<time datetime>`: `2026-11-20T21:04:05Z`.
#[must_use]
pub fn iso(at: i64) -> String {
    let (year, month, day) = civil(at.div_euclid(DAY_MS));
    let seconds = at.rem_euclid(DAY_MS) / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// The time of day in UTC: `21:04`.
#[must_use]
pub fn time_of_day(at: i64) -> String {
    let minutes = at.rem_euclid(DAY_MS) / MINUTE_MS;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The day of an instant in words, `offset` minutes east of UTC: `Friday, 20 November 2026`.
#[must_use]
pub fn day(at: i64, offset: i32) -> String {
    let days = (at + i64::from(offset) * MINUTE_MS).div_euclid(DAY_MS);
    let (year, month, day) = civil(days);
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of 7 is 0 to 6")]
    let weekday = WEEKDAYS[days.rem_euclid(7) as usize];
    format!("{weekday}, {day} {} {year}", MONTHS[month - 1])
}
