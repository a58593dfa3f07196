//! Budgets: how often somebody may do something. Monotonic time only.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tertulia_protocol::limits::{MALFORMED_FRAMES, MALFORMED_WINDOW_MS, TYPING_EVERY_MS};
use tertulia_protocol::{Close, Code, Refusal, UserId};
use tokio::time::Instant;

use crate::queue::Ended;

/// Sends per second and person that are sustained: faster than anybody types, slow enough to read.
const SENDS_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Sends at once: an outbox of 200 that waited offline goes in one go.
const SENDS_BURST: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// Frames per second that are sustained, of a socket or in one person's requests: three times the sends, for pings,
/// typing and paging.
const FRAMES_PER_SECOND: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Frames at once: two bursts of sends.
const FRAMES_BURST: NonZeroU32 = NonZeroU32::new(400).unwrap();
/// When to come back after ignoring the rate limit, in milliseconds.
pub(crate) const RATE_LIMITED_RETRY_MS: u64 = 5_000;
/// People above which the table of budgets is swept of those whose budget is full again.
const SWEEP_ABOVE: usize = 10_000;
/// How often it is swept at most: a sweep looks at everybody.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What may be done how often, as the refusal tells it.
#[derive(Clone, Copy)]
struct Rate {
    /// Of what there were too many.
    what: &'static str,
    /// How many are sustained.
    limit: u32,
    /// In which time.
    each: &'static str,
}

const SENDS: Rate = Rate { what: "messages", limit: SENDS_PER_SECOND.get(), each: "a second" };
const FRAMES: Rate = Rate { what: "frames", limit: FRAMES_PER_SECOND.get(), each: "a second" };
const SIGNS: Rate = Rate { what: "signs of writing", limit: 1, each: "in three seconds" };
const _: () = assert!(TYPING_EVERY_MS == 3_000, "as the refusal says");

impl Rate {
    fn refusal(self, retry_after_ms: u64) -> Refusal {
        let Self { what, limit, each } = self;
        Refusal::new(Code::RateLimited, format!("Too many {what}: {limit} {each} at length."))
            .limit(limit.into())
            .retry_after(retry_after_ms)
    }
}

/// What each person may do of one kind on this instance, over whatever ways they come.
pub(crate) struct PersonBudget {
    limiter: Option<DefaultKeyedRateLimiter<UserId>>,
    rate: Rate,
    clock: DefaultClock,
    swept: Mutex<Instant>,
}

impl PersonBudget {
    /// What each person may send; unlimited when `limited` is false (benchmarks).
    pub(crate) fn of_sends(limited: bool) -> Self {
        Self::new(SENDS, limited.then(|| Quota::per_second(SENDS_PER_SECOND).allow_burst(SENDS_BURST)))
    }

    /// What each person may say in requests of their own: as much as on a socket, however many the requests. Unlimited
    /// when `limited` is false.
    pub(crate) fn of_frames(limited: bool) -> Self {
        Self::new(FRAMES, limited.then(|| Quota::per_second(FRAMES_PER_SECOND).allow_burst(FRAMES_BURST)))
    }

    /// How often each person's requests may say that they are writing: as often as a socket.
    pub(crate) fn of_signs() -> Self {
        Self::new(SIGNS, Quota::with_period(Duration::from_millis(TYPING_EVERY_MS)))
    }

    fn new(rate: Rate, quota: Option<Quota>) -> Self {
        Self {
            limiter: quota.map(RateLimiter::dashmap),
            rate,
            clock: DefaultClock::default(),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Takes one from somebody's budget.
    pub(crate) fn take(&self, who: UserId) -> Result<(), Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() > SWEEP_ABOVE {
            self.sweep(limiter);
        }
        limiter.check_key(&who).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            self.rate.refusal(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1))
        })
    }

    fn sweep(&self, limiter: &DefaultKeyedRateLimiter<UserId>) {
        // Whoever finds the lock taken finds a sweep under way.
        let Ok(mut swept) = self.swept.try_lock() else { return };
        if swept.elapsed() >= SWEEP_EVERY {
            limiter.retain_recent();
            *swept = Instant::now();
        }
    }
}

/// What one socket may say: a token bucket of three words, since every idle socket carries one.
pub(crate) struct FrameBudget {
    limited: bool,
    tokens: f64,
    at: Instant,
}

impl FrameBudget {
    /// A full budget; unlimited when `limited` is false.
    pub(crate) fn new(limited: bool) -> Self {
        Self { limited, tokens: f64::from(FRAMES_BURST.get()), at: Instant::now() }
    }

    /// Takes one frame.
    pub(crate) fn take(&mut self) -> Result<(), Refusal> {
        if !self.limited {
            return Ok(());
        }
        let now = Instant::now();
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(FRAMES_PER_SECOND.get());
        self.tokens = (self.tokens + earned).min(f64::from(FRAMES_BURST.get()));
        self.at = now;
        if self.tokens < 1.0 {
            return Err(FRAMES.refusal(1_000 / u64::from(FRAMES_PER_SECOND.get()) + 1));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

/// Counts what may happen a few times but not often.
#[derive(Default)]
pub(crate) struct Strikes {
    count: u32,
    since: Option<Instant>,
}

impl Strikes {
    /// One more; an error when it is one too many within the window.
    pub(crate) fn strike(&mut self, close: Close, retry_after_ms: Option<u64>) -> Result<(), Ended> {
        let now = Instant::now();
        let window = Duration::from_millis(MALFORMED_WINDOW_MS);
        if self.since.is_none_or(|since| now.saturating_duration_since(since) > window) {
            *self = Self { count: 0, since: Some(now) };
        }
        self.count += 1;
        if self.count >= MALFORMED_FRAMES { Err(Ended { close, retry_after_ms }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_names_the_budgets_that_hold() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PROTOCOL.md"));
        let page = page.expect("docs/PROTOCOL.md is there").split_whitespace().collect::<Vec<_>>().join(" ");
        for (whose, burst, sustained) in [
            ("Of frames one socket may say", FRAMES_BURST, FRAMES_PER_SECOND),
            ("of sends one person", SENDS_BURST, SENDS_PER_SECOND),
        ] {
            let told = format!("{whose} {burst} at once and {sustained} a second");
            assert!(page.contains(&told), "{told}");
        }
    }
}
