//! A program that listens at a plain door: a raw socket or a stream of events. It repairs nothing, so what it hears
//! must be exact by itself.

use hyper::header::HeaderName;
use rand::Rng;
use rand::rngs::SmallRng;
use serde::Deserialize;
use tertulia_protocol::{Epoch, RoomInfo, Seq};
use tertulia_visitor::events::Events;
use tertulia_visitor::socket::{Next, Socket};
use tertulia_visitor::trouble::{Because, Outcome};
use tertulia_visitor::web::Web;
use tokio::time::{sleep, timeout};

use super::{ANSWER, Pauses, Phase, Run, place_of};
use crate::journal::{
    Digest, Door, Follow, Life, Mono, Person, Presence, Reason, Receipt, Resync, Src, Told, What, Writer,
};

/// Where a stream of events is told how far its reader got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A listener.
pub(crate) struct Plain {
    run: Run,
    name: String,
    door: Door,
    room: RoomInfo,
    epoch: Epoch,
    last: Seq,
    at: usize,
    journal: Writer,
    chance: SmallRng,
    /// When something came last.
    heard: Mono,
}

/// One thing that was said at a door, as far as it matters here.
#[derive(Deserialize)]
struct Said {
    event: String,
    #[serde(default)]
    seq: Option<Seq>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    after: Option<Seq>,
}

/// A link through one of the two doors.
enum Link {
    Raw(Box<Socket>),
    Events(Events),
}

impl Link {
    async fn open(web: &Web, door: Door, name: &str, room: &RoomInfo, place: &str) -> Outcome<Self> {
        if door == Door::Raw {
            let path = format!("/ws/{}?format=json&name={name}&after={place}", room.slug);
            return Ok(Self::Raw(Box::new(Socket::open(web.authority(), &path, &[]).await?)));
        }
        let path = format!("/events/{}", room.slug);
        Ok(Self::Events(web.events(&path, &[(LAST_EVENT_ID, place)]).await?))
    }

    /// The next thing that was said; `None` when the link is gone.
    async fn hear(&mut self) -> Option<String> {
        match self {
            Self::Raw(socket) => match socket.hear().await {
                Ok(Next::Said(text)) => Some(text.as_str().to_owned()),
                Ok(Next::Gone(..)) | Err(_) => None,
            },
            // The goodbye is in words, not an object; the stream ends behind it.
            Self::Events(events) => events.next().await.ok().flatten().map(|event| event.data),
        }
    }
}

impl Plain {
    /// Somebody who will listen to a room from its first entry on.
    ///
    /// # Errors
    /// When the journal cannot be begun.
    pub(crate) fn new(run: &Run, sender: u32, name: &str, door: Door, room: RoomInfo, epoch: Epoch) -> Outcome<Self> {
        let at = sender as usize % run.instances.len();
        Ok(Self {
            name: name.to_owned(),
            door,
            room,
            epoch,
            last: Seq::ZERO,
            at,
            journal: run.journal(name)?,
            chance: run.chance(sender),
            heard: Mono(0),
            run: run.clone(),
        })
    }

    /// Listens until the run is over.
    ///
    /// # Errors
    /// When the door says what is no object, or the journal cannot be written.
    pub(crate) async fn live(mut self) -> Outcome<()> {
        let mut pauses = Pauses::new();
        loop {
            let place = place_of(&self.room, &self.epoch, self.last);
            let (via, web) = &self.run.instances[self.at];
            let opened = timeout(ANSWER, Link::open(web, self.door, &self.name, &self.room, &place)).await;
            if let Ok(Ok(link)) = opened {
                pauses = Pauses::new();
                let follow = Follow {
                    room: self.room.id,
                    epoch: self.epoch.clone(),
                    after: self.last,
                    via: via.clone(),
                    door: self.door,
                };
                self.note(What::Subscribe(follow))?;
                self.person(Life::Came, None)?;
                self.heard = self.run.clock.now();
                if self.listen(link).await? {
                    self.note(What::Unsubscribe { room: self.room.id })?;
                    self.person(Life::Went, None)?;
                    return self.journal.flush().because(&self.name);
                }
                self.person(Life::Went, Some(self.heard))?;
                self.note(What::Lost { own: false })?;
            }
            sleep(pauses.next(&mut self.chance)).await;
            self.at = self.chance.random_range(0..self.run.instances.len());
        }
    }

    /// Hears until the link is gone (`false`) or everything is heard (`true`).
    async fn listen(&mut self, mut link: Link) -> Outcome<bool> {
        loop {
            if self.is_done() {
                return Ok(true);
            }
            let mut phase = self.run.phase.clone();
            phase.mark_unchanged();
            let heard = tokio::select! {
                // Both safe to cancel: what was not heard stays in the link, a watch keeps its value.
                heard = link.hear() => heard,
                changed = phase.changed() => {
                    changed.because("the run ended early")?;
                    continue;
                }
            };
            match heard {
                Some(text) => {
                    self.heard = self.run.clock.now();
                    self.hear(&text)?;
                }
                None => return Ok(false),
            }
        }
    }

    fn is_done(&self) -> bool {
        match &*self.run.phase.borrow() {
            Phase::Talk | Phase::Settle => false,
            Phase::Finish(heads) => heads.get(&self.room.id).is_none_or(|head| self.last >= *head),
        }
    }

    fn hear(&mut self, text: &str) -> Outcome<()> {
        // A goodbye is words alone.
        let Ok(said) = serde_json::from_str::<Said>(text) else { return Ok(()) };
        let room = self.room.id;
        match (said.event.as_str(), said.seq, said.who, said.after) {
            ("message" | "change", Some(seq), _, _) => {
                self.last = seq.max(self.last);
                let src = if self.door == Door::Raw { Src::Raw } else { Src::Events };
                let h = said.text.as_deref().map(Digest::of);
                let receipt = Receipt { room, epoch: self.epoch.clone(), seq, id: said.id, key: None, h, src };
                self.note(What::Recv(receipt))
            }
            ("joined", _, Some(who), _) => {
                self.note(What::Presence(Presence { room, t: Told::Joined, who: vec![who] }))
            }
            ("left", _, Some(who), _) => self.note(What::Presence(Presence { room, t: Told::Left, who: vec![who] })),
            ("reset", _, _, Some(after)) => {
                let from = self.last.next();
                self.last = after;
                self.note(What::Resync(Resync { room, reason: Reason::Reset, from, to: after }))
            }
            _ => Ok(()),
        }
    }

    /// Raw sockets are somebody who is there; streams of events are nobody.
    fn person(&self, t: Life, since: Option<Mono>) -> Outcome<()> {
        if self.door != Door::Raw {
            return Ok(());
        }
        let (room, who, via) = (self.room.id, self.name.clone(), self.run.instances[self.at].0.clone());
        self.note(What::Person(Person { room, who, t, via, since }))
    }

    fn note(&self, what: What) -> Outcome<()> {
        self.journal.note(what).because(&self.name)
    }
}
