//! Keeps the tab's connection alive: connects, notices silence, comes back with jitter.

use std::sync::atomic::Ordering;

use tertulia_protocol::frame::{Hello, Subscribe, VERSION};
use tertulia_protocol::limits::{HELLO_MS, PONG_MS};
use tertulia_protocol::{ClientFrame, Close, Epoch, Position, Seq, codec};
use tokio::time::{Duration, Instant};

use super::{Browser, Errand, Phase};
use crate::dice::Dice;
use crate::house::{Away, Line};
use crate::plan::{Claim, INSTANCES};
use crate::socket::{Down, Up};
use crate::wire::Rx;

/// How long a pong may take after the tab was asleep, in milliseconds.
const PROBE_MS: u64 = 3_000;
/// How far beyond its position somebody claims to be.
const FAR_AHEAD: i64 = 1_000;

impl Browser {
    /// Opens a connection, to whichever instance the balancer picks.
    pub(super) fn connect(&mut self) {
        self.let_go();
        let now = Instant::now();
        (self.phase, self.heard_at) = (Phase::Opening(now), now);
        let index = self.dice.below(INSTANCES);
        let dice = Dice::of(self.seed, &format!("{} connection {}", self.tab, self.generation));
        let (house, errands) = (self.house.clone(), self.errands.clone());
        let (token, generation) = (self.account.token, self.generation);
        self.note(format_args!("connects to slot {index}"));
        self.house.tasks.spawn(async move {
            let connected = house.connect(index, token, dice).await;
            // The tab may be closed by now.
            let _ = errands.send(Errand::Connected(generation, connected)).await;
        });
    }

    /// An errand came back with a connection, or without; what is heard from it, if it is still wanted.
    pub(super) fn connected(&mut self, generation: u64, connected: Result<Line, Away>) -> Option<Rx<Down>> {
        if generation != self.generation {
            return None;
        }
        match connected {
            Ok(Line { up, down, wire }) => {
                (self.up, self.wire) = (Some(up), Some(wire));
                self.greet();
                Some(down)
            }
            Err(Away::Later) => {
                self.lost();
                None
            }
            Err(Away::Revoked) => {
                self.over(Close::Revoked.code());
                None
            }
        }
    }

    fn greet(&mut self) {
        let claim = self.claim.take();
        let mut resume = Vec::new();
        for (id, open) in &self.rooms {
            let mut position = open.timeline.position();
            if Some(*id) == self.home {
                claimed(&mut position, claim);
            }
            self.asked.push_back((*id, position.seq));
            if self.skips {
                position.seq = position.seq.next();
            }
            resume.push(position);
        }
        self.say(&ClientFrame::Hello(Hello { v: VERSION, client: "sim".to_owned(), back: !resume.is_empty(), resume }));
    }

    /// Follows the rooms that were opened since the greeting, or refused.
    pub(super) fn follow(&mut self) {
        if self.phase != Phase::Live {
            return;
        }
        let asked = &self.asked;
        let missing = |id| asked.iter().all(|(asked, _)| asked != id);
        let unfollowed = self.rooms.iter().filter(|(id, open)| !open.is_followed() && missing(*id));
        let unfollowed: Vec<Position> = unfollowed.map(|(_, open)| open.timeline.position()).collect();
        for Position { room, epoch, seq } in unfollowed {
            if self.epoch.as_ref() != Some(&epoch) {
                // `subscribe` counts in the connection's epoch, `hello` names its own.
                return self.connect();
            }
            self.asked.push_back((room, seq));
            self.say(&ClientFrame::Subscribe(Subscribe { room, after: Some(seq) }));
        }
    }

    /// The connection is gone: come back after a while.
    pub(super) fn lost(&mut self) {
        if matches!(self.phase, Phase::Over | Phase::Still) {
            return;
        }
        self.let_go();
        let hint = self.hint_ms.take();
        let wait = self.backoff.next(self.dice.unit(), hint);
        self.note(format_args!("is without connection and waits {wait} ms"));
        self.house.record().count("lost connections");
        self.phase = Phase::Lost(Instant::now() + Duration::from_millis(wait));
    }

    /// The server does not want this tab back.
    pub(super) fn over(&mut self, code: u16) {
        self.let_go();
        self.note(format_args!("is over ({code})"));
        if !self.is_out() {
            let what = format!("{} was sent away for ever ({code}), and its session lives", self.tab);
            self.house.record().found(crate::record::Word::Leak, what);
        }
        self.phase = Phase::Over;
    }

    /// Forgets the connection: its frames and errands mean nothing any more, and what was in flight waits again.
    pub(super) fn let_go(&mut self) {
        (self.up, self.wire) = (None, None);
        self.generation += 1;
        self.asked.clear();
        (self.follow_at, self.pong_due, self.swapped) = (None, None, None);
        self.outbox.disconnected();
        self.rooms.values_mut().for_each(super::room::Open::unfollowed);
    }

    /// Says a frame on the connection there is.
    pub(super) fn say(&mut self, frame: &ClientFrame) {
        let said = self.up.as_ref().map(|up| up.try_send(Up::Text(codec::encode(frame))));
        if matches!(said, Some(Err(_))) {
            self.lost();
        }
    }

    /// Something was heard, whatever it was; `None` is the end.
    pub(super) fn heard(&mut self, heard: Option<Down>) {
        self.heard_at = Instant::now();
        self.pong_due = None;
        match heard {
            Some(Down::Text(text)) => self.hear(&text),
            Some(Down::Ping) => {
                let answered = self.up.as_ref().map(|up| up.try_send(Up::Pong));
                if matches!(answered, Some(Err(_))) {
                    self.lost();
                }
            }
            Some(Down::Closed(code)) if Close::should_return(code) => self.lost(),
            Some(Down::Closed(code)) => self.over(code),
            None => self.lost(),
        }
    }

    /// The tab slept: whatever was lost is tried now, whatever seems alive must prove it.
    pub(super) fn woke(&mut self) {
        match self.phase {
            Phase::Live => self.ping(PROBE_MS),
            Phase::Lost(_) => {
                self.backoff.reset();
                self.connect();
            }
            Phase::Still | Phase::Opening(_) | Phase::Over => {}
        }
    }

    fn ping(&mut self, patience_ms: u64) {
        let due = Instant::now() + Duration::from_millis(patience_ms);
        self.pong_due = Some(self.pong_due.map_or(due, |running| running.min(due)));
        self.say(&ClientFrame::Ping);
    }

    /// When [`Browser::tick`] has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        let beat = || self.heard_at + Duration::from_millis(self.ping_ms);
        let resend = || {
            let wait = (self.outbox.next_at()? - self.now_ms()).max(0.0);
            Some(Instant::now() + Duration::from_millis(wait as u64))
        };
        match self.phase {
            Phase::Still | Phase::Over => None,
            Phase::Lost(until) => Some(until),
            Phase::Opening(since) => Some(since + Duration::from_millis(HELLO_MS)),
            Phase::Live => {
                let life = self.pong_due.unwrap_or_else(beat);
                [Some(life), resend(), self.follow_at].into_iter().flatten().min()
            }
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        match self.phase {
            Phase::Still | Phase::Over => {}
            Phase::Lost(until) if now >= until => self.connect(),
            Phase::Opening(since) if now >= since + Duration::from_millis(HELLO_MS) => self.lost(),
            Phase::Lost(_) | Phase::Opening(_) => {}
            Phase::Live => {
                if self.pong_due.is_some_and(|due| now >= due) {
                    return self.lost();
                }
                if self.pong_due.is_none() && now >= self.heard_at + Duration::from_millis(self.ping_ms) {
                    self.ping(PONG_MS);
                }
                if self.follow_at.is_some_and(|at| now >= at) {
                    self.follow_at = None;
                    self.follow();
                }
                self.flush();
            }
        }
    }

    /// Ends the tab's session for all of its tabs, whatever it takes.
    pub(super) fn sign_out(&self) {
        let (house, account, tab) = (self.house.clone(), self.account.clone(), self.tab);
        let mut dice = Dice::of(self.seed, &format!("{tab} signs out"));
        self.house.tasks.spawn(async move {
            for _ in 0..200 {
                if let Some(instance) = house.any(&mut dice) {
                    // What was asked of an instance that dies is unknown, and asked again.
                    account.out.store(true, Ordering::SeqCst);
                    let left = tokio::select! {
                        biased;
                        // Safe to cancel: ending a session twice is fine.
                        () = instance.gone.cancelled() => false,
                        left = instance.chat.leave(account.token) => left.is_ok(),
                    };
                    if left {
                        house.record().note(format_args!("{tab} has signed out"));
                        house.record().count("sessions that ended");
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(dice.within(200..=800))).await;
            }
        });
    }
}

fn claimed(position: &mut Position, claim: Option<Claim>) {
    match claim {
        Some(Claim::OtherEpoch) => position.epoch = Epoch("of another store".to_owned()),
        Some(Claim::Ahead) => position.seq = Seq(position.seq.0 + FAR_AHEAD),
        Some(Claim::Oldest) => position.seq = Seq(1).min(position.seq),
        None => {}
    }
}
