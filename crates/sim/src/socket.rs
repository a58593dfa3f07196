//! The server's half of a connection, as the real socket carries it: reads, writes and keeps time in one task.
//!
//! Written after `src/server/socket/converse.rs`, whose way through the queue it must keep; the wire is simulated.

use std::sync::Arc;

use bytes::Bytes;
use tertulia_chat::Connection;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_protocol::limits::{HELLO_MS, MEND_MS, PING_MS, PONG_MS, REVALIDATE_MS, WRITE_MS};
use tertulia_protocol::{Close, ServerFrame, codec};
use tokio::time::{Duration, Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::record::Record;
use crate::wire::{Rx, Torn, Tx};

/// What comes from a browser.
pub(crate) enum Up {
    /// A frame.
    Text(String),
    /// The transport's answer to its ping; a browser gives it by itself.
    Pong,
}

/// What goes to a browser.
pub(crate) enum Down {
    /// A frame.
    Text(Bytes),
    /// The transport's ping.
    Ping,
    /// The end, with its close code.
    Closed(u16),
}

/// The server's ends of a wire.
pub(crate) struct Ends {
    /// What comes.
    pub(crate) up: Rx<Up>,
    /// What goes.
    pub(crate) down: Tx<Down>,
}

/// Why a conversation is over.
enum Over {
    Ended(Ended),
    Left,
}

impl From<Ended> for Over {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<Torn> for Over {
    fn from(_: Torn) -> Self {
        Self::Left
    }
}

/// Carries the conversation until one side ends it, or the instance is `gone`: then without a word.
pub(crate) async fn converse(
    mut connection: Connection,
    mut ends: Ends,
    gone: CancellationToken,
    record: Record,
    dice: Dice,
) {
    tokio::select! {
        biased;
        // Safe to cancel: this is how a process dies, and what it held is gone with it.
        () = gone.cancelled() => {}
        over = talk(&mut connection, &mut ends, dice) => {
            drop(connection);
            if let Over::Ended(Ended { close, retry_after_ms }) = over {
                record.note(format_args!("a conversation is ended: {close:?}"));
                record.count(match close {
                    Close::TooSlow => "ended as too slow",
                    Close::NoPong => "ended without a pong",
                    Close::Revoked => "ended as revoked",
                    _ => "ended otherwise",
                });
                let bye = ServerFrame::Bye { code: close.code(), reason: close.reason().to_owned(), retry_after_ms };
                if close != Close::TooSlow {
                    // Whoever is gone cannot be told.
                    let _ = ends.down.try_send(Down::Text(codec::encode(&bye).into()));
                }
                let _ = ends.down.try_send(Down::Closed(close.code()));
            }
        }
    }
}

async fn talk(connection: &mut Connection, ends: &mut Ends, mut dice: Dice) -> Over {
    let queue = connection.queue();
    let mut deadlines = Deadlines::new(&mut dice);
    loop {
        let listening = connection.is_ready();
        if !listening {
            deadlines.deaf();
        }
        let due = deadlines.next(connection.is_greeted());
        let step = tokio::select! {
            biased;
            // Each arm is safe to cancel: the wire keeps what is under way, `ready` takes nothing, a deadline is
            // computed anew.
            up = ends.up.recv(), if listening => {
                deadlines.heard();
                match up {
                    Some(Up::Text(text)) => while_writing(connection.hear(&text), &ends.down, &queue).await,
                    Some(Up::Pong) => connection.hear_control().map_err(Over::from),
                    None => Err(Over::Left),
                }
            }
            () = queue.ready() => deliver(&ends.down, &queue).await,
            () = sleep_until(due) => strike(&mut deadlines, connection, &ends.down, &queue).await,
        };
        if let Err(over) = step {
            return over;
        }
    }
}

/// Waits for the end of `work`, and writes meanwhile.
async fn while_writing(
    work: impl Future<Output = Result<(), Ended>>,
    down: &Tx<Down>,
    queue: &Arc<Queue>,
) -> Result<(), Over> {
    let mut work = Box::pin(work);
    loop {
        tokio::select! {
            biased;
            // Safe to cancel: `ready` takes nothing; leaving before the end of the work ends the conversation.
            done = &mut work => return Ok(done?),
            () = queue.ready() => deliver(down, queue).await?,
        }
    }
}

/// Writes what waits. A peer that takes too long, or whose queue overflows meanwhile, is closed.
async fn deliver(down: &Tx<Down>, queue: &Queue) -> Result<(), Over> {
    let frames = queue.take()?;
    let write = async {
        for frame in frames {
            down.send(Down::Text(frame)).await?;
        }
        Ok::<_, Torn>(())
    };
    tokio::select! {
        biased;
        // Safe to cancel: the conversation ends right after.
        ended = queue.until_ended() => Err(ended.into()),
        written = timeout(Duration::from_millis(WRITE_MS), write) => match written {
            Ok(written) => Ok(written?),
            Err(_) => Err(Over::Ended(Ended { close: Close::TooSlow, retry_after_ms: Some(0) })),
        },
    }
}

async fn strike(
    deadlines: &mut Deadlines,
    connection: &mut Connection,
    down: &Tx<Down>,
    queue: &Arc<Queue>,
) -> Result<(), Over> {
    let now = Instant::now();
    if !connection.is_greeted() && now >= deadlines.hello {
        return Err(Over::Ended(Ended { close: Close::NoHello, retry_after_ms: Some(MEND_MS) }));
    }
    if deadlines.pong.is_some_and(|due| now >= due) {
        return Err(Over::Ended(Ended { close: Close::NoPong, retry_after_ms: Some(0) }));
    }
    if deadlines.pong.is_none() && now >= deadlines.ping {
        deadlines.pong = Some(now + Duration::from_millis(PONG_MS));
        if timeout(Duration::from_millis(WRITE_MS), down.send(Down::Ping)).await != Ok(Ok(())) {
            return Err(Over::Left);
        }
    }
    if now >= deadlines.revalidate {
        deadlines.revalidate = now + Duration::from_millis(REVALIDATE_MS);
        while_writing(connection.revalidate(), down, queue).await?;
    }
    Ok(())
}

/// What must happen when.
struct Deadlines {
    hello: Instant,
    ping: Instant,
    /// Set while a ping is unanswered.
    pong: Option<Instant>,
    revalidate: Instant,
}

impl Deadlines {
    fn new(dice: &mut Dice) -> Self {
        let now = Instant::now();
        let mut phase = |period: u64| now + Duration::from_millis(dice.within(period / 2..=period));
        let (ping, revalidate) = (phase(PING_MS), phase(REVALIDATE_MS));
        Self { hello: now + Duration::from_millis(HELLO_MS), ping, pong: None, revalidate }
    }

    fn heard(&mut self) {
        self.pong = None;
        self.ping = Instant::now() + Duration::from_millis(PING_MS);
    }

    /// Whoever is not listened to cannot be heard to be alive.
    fn deaf(&mut self) {
        let patience = Instant::now() + Duration::from_millis(PONG_MS);
        self.pong = self.pong.map(|due| due.max(patience));
    }

    fn next(&self, greeted: bool) -> Instant {
        let life = self.pong.unwrap_or(self.ping).min(self.revalidate);
        if greeted { life } else { life.min(self.hello) }
    }
}
