//! Somebody who signs out on one instance while a connection is open on another: it must end, whatever Redis does.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use tertulia_protocol::{Epoch, Position, RoomId, Seq};
use tertulia_visitor::live::Live;
use tertulia_visitor::socket::Next;
use tertulia_visitor::stream::Stream;
use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tertulia_visitor::web::Visitor;
use tokio::time::{Instant, sleep, timeout};

use super::{ANSWER, Pauses, Phase, Run};
use crate::journal::{Door, Revoked, What, Writer};

/// What the server's logs call us.
const CLIENT: &str = "tertulia-faults/leaver";
/// How long to listen before signing out: the connection is one among many by then.
const LISTENS: Duration = Duration::from_millis(1_500);

/// Somebody who comes, signs out and comes again as somebody else.
pub(crate) struct Leaver {
    run: Run,
    name: String,
    room: RoomId,
    door: Door,
    journal: Writer,
    chance: SmallRng,
    /// How often they came: each time as somebody whose name nobody had.
    times: u32,
}

/// An open connection through one of the two doors.
enum Link {
    Socket(Box<Live>),
    Stream(Box<Stream>),
}

impl Link {
    async fn open(visitor: &Visitor, door: Door, room: RoomId) -> Outcome<Self> {
        if door == Door::Sse {
            let resume = vec![Position { room, epoch: Epoch(String::new()), seq: Seq::ZERO }];
            let Ok(stream) = Stream::knock(visitor, CLIENT, resume, None).await? else {
                return trouble("turned away");
            };
            return Ok(Self::Stream(Box::new(stream)));
        }
        let mut live = Live::open(visitor, CLIENT, Vec::new()).await?;
        live.subscribe(room).await?;
        Ok(Self::Socket(Box::new(live)))
    }

    /// Hears to the end: the close code, if one was said.
    async fn until_gone(&mut self) -> Outcome<Option<u16>> {
        loop {
            let next = match self {
                Self::Socket(live) => live.hear().await?,
                Self::Stream(stream) => stream.hear().await?,
            };
            if let Next::Gone(code, _) = next {
                return Ok(code);
            }
        }
    }
}

impl Leaver {
    /// Somebody who will sign out of connections through this door.
    ///
    /// # Errors
    /// When the journal cannot be begun.
    pub(crate) fn new(run: &Run, sender: u32, name: &str, door: Door, room: RoomId) -> Outcome<Self> {
        let (journal, chance) = (run.journal(name)?, run.chance(sender));
        Ok(Self { run: run.clone(), name: name.to_owned(), room, door, journal, chance, times: 0 })
    }

    /// Comes and signs out while there is talk.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn live(mut self) -> Outcome<()> {
        let mut pauses = Pauses::new();
        let mut phase = self.run.phase.clone();
        while matches!(*self.run.phase.borrow(), Phase::Talk) {
            let round = tokio::select! {
                // Both safe to cancel: who stops in the middle has proven nothing, and nobody waits for it.
                round = self.round() => round,
                over = phase.wait_for(|phase| !matches!(phase, Phase::Talk)) => {
                    over.because("the run ended early")?;
                    break;
                }
            };
            match round {
                Ok(revoked) => {
                    pauses = Pauses::new();
                    self.journal.note(What::Revoked(revoked)).because(&self.name)?;
                }
                // An instance that is down or a store that is full: again, elsewhere.
                Err(_) => sleep(pauses.next(&mut self.chance)).await,
            }
        }
        self.journal.flush().because(&self.name)
    }

    async fn round(&mut self) -> Outcome<Revoked> {
        let count = self.run.instances.len();
        let (at, elsewhere) = (self.chance.random_range(0..count), self.chance.random_range(0..count));
        let (via, web) = self.run.instances[at].clone();
        self.times += 1;
        let name = format!("{} {}", self.name, self.times);
        let visitor = timeout(ANSWER, web.enter(&name)).await.because("entering")??;
        let mut link = timeout(ANSWER, Link::open(&visitor, self.door, self.room)).await.because("opening")??;
        if let Ok(gone) = timeout(LISTENS, link.until_gone()).await {
            return trouble(format!("gone before signing out: {gone:?}"));
        }
        timeout(ANSWER, visitor.at(&self.run.instances[elsewhere].1).leave()).await.because("signing out")??;
        let since = Instant::now();
        let code = link.until_gone().await?;
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Revoked { via, door: self.door, ms, code })
    }
}
