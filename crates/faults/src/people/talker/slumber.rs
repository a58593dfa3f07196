//! A browser that hangs: it stops reading and answers nothing, until the server has let go of its socket.

use std::time::Duration;

use tertulia_protocol::frame::Pull;
use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{ClientFrame, Seq};
use tertulia_visitor::live::Live;
use tertulia_visitor::proc;
use tertulia_visitor::socket::Next;
use tertulia_visitor::trouble::{Because, Outcome};
use tokio::time::{Instant, sleep, timeout};

use super::super::Phase;
use super::Talker;
use crate::journal::{Freed, Slumber, What};

/// How often the kernel is asked whether the server still holds the connection.
const LOOK: Duration = Duration::from_millis(100);
/// Questions that are asked before reading ends: a page of a young room has some KiB, and 4 MiB fit on the way.
const QUESTIONS: usize = 600;
/// How long the questions may take: a server that reads no more of them has understood.
const ASKING: Duration = Duration::from_secs(2);
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

    /// Asks for the oldest page again and again. A socket that breaks meanwhile has been let go of.
    async fn ask_for_much(&mut self, live: &mut Live) {
        let Some(room) = self.rooms.keys().next().copied() else { return };
        let limit = i64::try_from(ENTRIES_PER_PAGE).unwrap_or(500);
        let asking = async {
            for _ in 0..QUESTIONS {
                live.say(&ClientFrame::Pull(Pull { room, after: Seq::ZERO, limit })).await.because("asking")?;
            }
            Outcome::Ok(())
        };
        // Too late, or broken: both end the asking, and neither the slumber.
        let _ended = timeout(ASKING, asking).await;
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
