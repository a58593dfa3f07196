//! Budgets of the plain doors: coming in costs a row for ever, and a room is told to everybody.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock, QuantaInstant};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use tertulia_protocol::{Code, Refusal, UserId};
use tokio::time::Instant;

use super::client::household;

/// Guests from one address at once: a lecture hall behind one router.
const ENTER_BURST: NonZeroU32 = NonZeroU32::new(300).unwrap();
/// Guests from one address that are sustained, per second: the hall comes back within five minutes.
const ENTER_PER_SECOND: NonZeroU32 = NonZeroU32::new(1).unwrap();
/// Rooms of one person, and of one address, at once: a class that sets up its rooms with one account.
const ROOMS_BURST: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// One more room of a person, and of an address, each minute: each is told to everybody and stays for ever.
const ROOM_EVERY: Duration = Duration::from_secs(60);
/// Messages per second and address that may be published without a token of its own budget; as many at once.
const PUBLISH_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Names above which a table is swept of those whose budget is full again.
const SWEEP_ABOVE: usize = 10_000;
/// How often a table is swept at most: a sweep looks at everybody.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What an address and a person may do, on this instance.
pub struct Doors {
    enter: DefaultKeyedRateLimiter<Option<IpAddr>>,
    rooms: DefaultKeyedRateLimiter<UserId>,
    rooms_of_address: DefaultKeyedRateLimiter<Option<IpAddr>>,
    publish: DefaultKeyedRateLimiter<Option<IpAddr>>,
    limited: bool,
    swept: Mutex<Instant>,
    clock: DefaultClock,
}

impl Doors {
    /// Full budgets; none are enforced when `limited` is false (benchmarks).
    #[must_use]
    pub fn new(limited: bool) -> Self {
        let rooms = Quota::with_period(ROOM_EVERY).unwrap_or(Quota::per_hour(ROOMS_BURST)).allow_burst(ROOMS_BURST);
        Self {
            enter: RateLimiter::dashmap(Quota::per_second(ENTER_PER_SECOND).allow_burst(ENTER_BURST)),
            rooms: RateLimiter::dashmap(rooms),
            rooms_of_address: RateLimiter::dashmap(rooms),
            publish: RateLimiter::dashmap(Quota::per_second(PUBLISH_PER_SECOND)),
            limited,
            swept: Mutex::new(Instant::now()),
            clock: DefaultClock::default(),
        }
    }

    /// Takes one entrance from an address's budget.
    pub(crate) fn enter(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        self.take(&self.enter, &address.map(household), "Too many people came in from your address just now")
    }

    /// Takes one room from the budgets of a person and of their address: a guest costs nothing, so that many
    /// guests of one address may make no more rooms than one.
    pub(crate) fn make_room(&self, person: UserId, address: Option<IpAddr>) -> Result<(), Refusal> {
        self.take(&self.rooms, &person, "You made many rooms just now")?;
        self.open_room(address)
    }

    /// Whether a sweep is due. Whoever finds the lock taken finds one under way.
    fn may_sweep(&self) -> bool {
        let Ok(mut swept) = self.swept.try_lock() else { return false };
        let due = swept.elapsed() >= SWEEP_EVERY;
        if due {
            *swept = Instant::now();
        }
        due
    }

    /// Takes one room from an address's budget; what the plain doors make counts with what guests make.
    pub(crate) fn open_room(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        self.take(&self.rooms_of_address, &address.map(household), "Many rooms were made from your address just now")
    }

    /// Takes one published message from an address's budget.
    pub(crate) fn publish(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        self.take(&self.publish, &address.map(household), "Too many messages were published from your address")
    }

    fn take<K: std::hash::Hash + Eq + Clone>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
        what: &str,
    ) -> Result<(), Refusal> {
        if !self.limited {
            return Ok(());
        }
        if limiter.len() > SWEEP_ABOVE && self.may_sweep() {
            limiter.retain_recent();
        }
        limiter.check_key(key).map_err(|until| too_often(&until, &self.clock, what))
    }
}

/// The refusal of whoever must wait until then: of what there was too much, and how much may be at once and at length.
pub(crate) fn too_often(until: &NotUntil<QuantaInstant>, clock: &DefaultClock, what: &str) -> Refusal {
    let wait = until.wait_time_from(clock.now()).as_millis();
    let (burst, each) = (until.quota().burst_size(), until.quota().replenish_interval());
    Refusal::new(Code::RateLimited, format!("{what}: {burst} at once, and one more every {each:?}."))
        .limit(burst.get().into())
        .retry_after(u64::try_from(wait).unwrap_or(u64::MAX).max(1))
}
