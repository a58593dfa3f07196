//! Numbers of the cluster in words.

use tertulia_protocol::cluster::{Instance, Standing};

/// Characters of a name that fit into its card.
const NAME_CHARS: usize = 13;

/// A length of time in its two largest units.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) if minutes < 10 => format!("{minutes} min {} s", seconds % 60),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Tenths per second as a rate.
#[must_use]
pub fn rate(tenths: u64) -> String {
    if tenths >= 1_000 { format!("{}/s", tenths / 10) } else { format!("{}.{}/s", tenths / 10, tenths % 10) }
}

/// The way to Redis and back.
#[must_use]
pub fn echo(us: Option<u64>) -> String {
    match us {
        None => "–".to_owned(),
        Some(us) if us < 10_000 => format!("{}.{} ms", us / 1_000, us / 100 % 10),
        Some(us) => format!("{} ms", us / 1_000),
    }
}

/// How many of something.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How an instance stands, in words that need no colour.
#[must_use]
pub fn standing(instance: &Instance) -> String {
    let left = instance.cut_s.unwrap_or(0);
    match instance.standing {
        Standing::Live => "live".to_owned(),
        Standing::Degraded => "degraded, reads SQL".to_owned(),
        Standing::Cut if instance.island => format!("island, {}", duration(left)),
        Standing::Cut => format!("cut off, {}", duration(left)),
        Standing::Silent => "not heard of".to_owned(),
    }
}

/// The mark beside those words.
#[must_use]
pub fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::Live => "live",
        Standing::Degraded => "degraded",
        Standing::Cut => "cut",
        Standing::Silent => "silent",
    }
}

/// A name as its card can show it; the table has it whole.
#[must_use]
pub fn short(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(NAME_CHARS - 1).collect();
    short.push('…');
    short
}
