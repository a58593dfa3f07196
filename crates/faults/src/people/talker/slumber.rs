//! A browser that hangs: it stops reading and answers nothing, until the server has let go of its socket.

use std::time::Duration;

use tertulia_protocol::frame::Pull;
use tertulia_protocol::limits::{ENTRIES_PER_PAGE, PAGE_BYTES};
use tertulia_protocol::{ClientFrame, RoomId, Seq};
use tertulia_visitor::live::Live;
use tertulia_visitor::proc;
use tertulia_visitor::socket::Next;
use tertulia_visitor::trouble::Outcome;
use tokio::time::{Instant, sleep, timeout};

use super::super::Phase;
use super::Talker;
use crate::journal::{Freed, Slumber, What};

/// How often the kernel is asked whether the server still holds the connection.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes that must be asked for before reading ends: some 3 MB fit on the way, in buffers of the kernel.
const ENOUGH: i64 = 8 * 1024 * 1024;
/// Bytes of an entry on the wire, at least.
const ENTRY_BYTES: i64 = 180;
/// Most questions: a room so young that more would be needed is none to hang in.
const QUESTIONS: i64 = 6_000;
/// How long the questions may take: a server that reads no more of them has understood.
const ASKING: Duration = Duration::from_secs(5);
/// How long what was left on the way is read.
const LEFTOVERS: Duration = Duration::from_secs(2);

impl Talker {
    /// Stops reading until the server has let go, or the talk is over; notes how long that took.
    pub(super) async fn slumber(&mut self, (mut live, via): (Box<Live>, String), how: Slumber) -> Outcome<()> {
        let (server, own) = live.ports()?;
        if how == Slumber::Stalled {
            self.ask_for_much(&mut live).await;
        }
        let since = Instant::now();
        while proc::is_held(server, own)? {
            // A run that ends does not wait for it; then nothing is proven either.
            if !matches!(*self.run.phase.borrow(), Phase::Talk) {
                return Ok(());
            }
            sleep(LOOK).await;
        }
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let code = timeout(LEFTOVERS, goodbye(&mut live)).await.ok().flatten();
        self.note(What::Freed(Freed { t: how, via, ms, code }))
    }

    /// Asks for the oldest page of the longest room, again and again. A socket that breaks meanwhile has been let go of.
    async fn ask_for_much(&mut self, live: &mut Live) {
        let Some((room, length)) = self.longest_room() else { return };
        let limit = i64::try_from(ENTRIES_PER_PAGE).unwrap_or(500);
        let page = (length.0.min(limit) * ENTRY_BYTES).min(i64::try_from(PAGE_BYTES).unwrap_or(ENOUGH)).max(1);
        let asking = async {
            for _ in 0..=(ENOUGH / page).min(QUESTIONS) {
                live.say(&ClientFrame::Pull(Pull { room, after: Seq::ZERO, limit })).await?;
            }
            Outcome::Ok(())
        };
        // Too late, or broken: both end the asking, and neither the slumber.
        let _ended = timeout(ASKING, asking).await;
    }

    /// The room with the most entries, and how many it has.
    fn longest_room(&self) -> Option<(RoomId, Seq)> {
        let known = self.rooms.iter().filter_map(|(room, followed)| Some((*room, followed.position.as_ref()?.1)));
        known.max_by_key(|(_, seq)| *seq)
    }

    /// How the browser hangs now: stalled in turn with silent, where a room is long enough to fill the way.
    pub(super) fn next_slumber(&mut self) -> Slumber {
        let this = self.hangs_as;
        let long_enough = self.longest_room().is_some_and(|(_, seq)| seq.0 * ENTRY_BYTES * QUESTIONS >= ENOUGH);
        self.hangs_as = if this == Slumber::Silent && long_enough { Slumber::Stalled } else { Slumber::Silent };
        if long_enough { this } else { Slumber::Silent }
    }
}

/// Reads what is left, and drops it: what of it was owed is owed again after coming back. The close code, if there is one.
async fn goodbye(live: &mut Live) -> Option<u16> {
    loop {
        match live.hear().await {
            Ok(Next::Said(_)) => {}
            Ok(Next::Gone(code, _)) => return code,
            Err(_) => return None,
        }
    }
}
