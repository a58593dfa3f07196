//! Coming back: after a cut, after the server went, as a browser does.

use std::time::Duration;

use tertulia_protocol::{Close, Key, Position, Seq};
use tokio::time::{Instant, sleep};

use super::{COME_BACK, Seat};
use crate::live::Live;
use crate::stamp::Stamp;
use crate::trouble::{Outcome, trouble};

/// First ceiling of the pause before a try; the pause is drawn below it, and the ceiling doubles (docs/PROTOCOL.md).
const FIRST_CEILING: Duration = Duration::from_millis(500);
/// The highest ceiling.
const LAST_CEILING: Duration = Duration::from_secs(30);

/// A bad network: the link is cut every so often, for so long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts {
    /// From one cut to the next, on average: half of it to one and a half.
    pub(crate) every: Duration,
    /// How long a cut lasts.
    pub(crate) away: Duration,
}

impl Seat {
    /// Draws when the next cut comes.
    pub(super) fn plan_cut(&mut self) {
        self.cut_at = self.cuts.map(|cuts| Instant::now() + cuts.every.mul_f64(rand::random_range(0.5..1.5)));
    }

    /// Cuts the link, stays away, comes back.
    pub(super) async fn cut(&mut self) -> Outcome<()> {
        let away = self.cuts.map_or(Duration::ZERO, |cuts| cuts.away);
        self.live.sever().await;
        let outcome = self.come_back(None, "cut on purpose".to_owned(), away).await;
        self.plan_cut();
        outcome
    }

    /// Comes back after a time away: to any of the homes, with pauses, by the server's hint where there is one.
    pub(super) async fn come_back(&mut self, code: Option<u16>, why: String, away: Duration) -> Outcome<()> {
        if code.is_some_and(|code| !Close::should_return(code)) {
            return trouble(format!("the server closed the socket for good: {why}"));
        }
        *self.book.closes.entry(why).or_default() += 1;
        sleep(away).await;
        let since = Instant::now();
        let resume = Position { room: self.room, epoch: self.live.epoch().clone(), seq: Seq(self.ledger.last()) };
        let mut ceiling = FIRST_CEILING;
        loop {
            let pause = ceiling.mul_f64(rand::random::<f64>());
            sleep(pause).await;
            ceiling = (ceiling * 2).min(LAST_CEILING);
            let chosen = rand::random_range(0..self.homes.len());
            let home = &self.homes[chosen];
            match Live::knock(home, self.live.run(), vec![resume.clone()]).await {
                Ok(Ok(live)) => {
                    self.live = live;
                    break;
                }
                Ok(Err(turned)) => {
                    self.book.turned_away += 1;
                    sleep(Duration::from_millis(turned.retry_after_ms.unwrap_or(0))).await;
                }
                Err(error) if since.elapsed() > COME_BACK => return Err(error),
                Err(_not_yet) => {}
            }
        }
        self.returning = Some((since, None));
        self.say_again().await;
        Ok(())
    }

    async fn say_again(&mut self) {
        let mut again: Vec<(Stamp, Key)> = self.in_flight.iter().map(|(key, (stamp, _))| (*stamp, *key)).collect();
        again.sort_unstable();
        if let Some(plan) = self.plan {
            for (stamp, key) in again {
                self.say(plan, key, stamp).await;
            }
        }
    }

    /// The server names the newest entry: up to there something was missed.
    pub(super) fn missed_up_to(&mut self, seq: i64) {
        if let Some((_, missed)) = &mut self.returning {
            *missed = Some(seq);
        }
        self.look_whether_back();
    }

    /// Counts the time it took, once everything that was missed is here.
    pub(super) fn look_whether_back(&mut self) {
        if let Some((since, Some(missed))) = self.returning
            && self.ledger.last() >= missed
        {
            self.book.returns.add(since.elapsed());
            self.returning = None;
        }
    }
}
