//! How long to wait before the next try: full jitter, so that instances that lost Redis together
//! do not come back together.

use std::time::Duration;

use rand::Rng;

/// The first pause is up to this: a restart of Redis takes about as long.
const FIRST: Duration = Duration::from_millis(100);

/// No pause is longer: the most a recovered Redis goes unnoticed.
const LONGEST: Duration = Duration::from_secs(5);

/// A connection that was up this long ended for a new reason, and the pauses begin anew. As long as the longest
/// pause, or a link that always comes up and breaks at once would be tried in a tight loop.
const STEADY: Duration = LONGEST;

/// Counts the tries since the link was last steady.
#[derive(Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The pause before the next try, given how long the last connection had been up.
    pub(super) fn next(&mut self, was_up: Duration, random: &mut impl Rng) -> Duration {
        if was_up >= STEADY {
            self.tries = 0;
        }
        let longest = FIRST.saturating_mul(2_u32.saturating_pow(self.tries)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        random.random_range(Duration::ZERO..=longest)
    }
}
