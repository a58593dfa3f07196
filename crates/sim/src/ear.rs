//! A plain listener: follows one room on whichever instance lives, and resumes by number when that one dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tertulia_chat::listener::{Happened, happened, resume};
use tertulia_chat::presence::Visibility;
use tertulia_chat::{Listener, Start};
use tertulia_protocol::{Epoch, Person, RoomId, Seq};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::house::{House, Instance};
use crate::record::Word;

/// A listener, as others see it.
pub(crate) struct Ear {
    /// Where.
    pub(crate) room: RoomId,
    name: String,
    person: Person,
    house: Arc<House>,
    /// The last entry heard.
    last: AtomicI64,
}

impl Ear {
    /// Hears everything from the newest entry of this moment on.
    pub(crate) fn new(name: &str, person: Person, room: RoomId, house: Arc<House>) -> Arc<Self> {
        let last = house.witness.server.database().head(room).unwrap_or(Seq::ZERO);
        Arc::new(Self { room, name: name.to_owned(), person, house, last: AtomicI64::new(last.0) })
    }

    /// The last entry heard.
    pub(crate) fn last(&self) -> Seq {
        Seq(self.last.load(Ordering::SeqCst))
    }

    /// Listens until closed.
    pub(crate) async fn listen(self: Arc<Self>, mut dice: Dice, closed: CancellationToken) {
        let listening = async {
            loop {
                if let Some(instance) = self.house.any(&mut dice) {
                    self.listen_to(&instance).await;
                }
                sleep(Duration::from_millis(dice.within(50..=1_500))).await;
            }
        };
        tokio::select! {
            biased;
            // Safe to cancel: dropping a listener takes it out of the room.
            () = closed.cancelled() => {}
            () = listening => {}
        }
    }

    /// Until the instance dies or sends everybody away.
    async fn listen_to(&self, instance: &Instance) {
        let hearing = async {
            let chat = &instance.chat;
            let Ok(member) = chat.member(&self.person, self.room).await else { return };
            let epoch: Epoch = chat.epoch();
            let start: Start = resume(chat, &epoch, self.last());
            let opened = Listener::open(chat.clone(), member, None, start, Visibility::Hidden).await;
            let Ok(listener) = opened else { return };
            self.house.record().note(format_args!("{} listens at {} after {}", self.name, instance.name, self.last()));
            let queue = listener.queue();
            loop {
                queue.ready().await;
                let Ok(frames) = queue.take() else { return };
                frames.iter().flat_map(|frame| happened(frame)).for_each(|happened| self.hear(happened));
            }
        };
        tokio::select! {
            biased;
            // Safe to cancel: the listener goes with its instance.
            () = instance.gone.cancelled() => {}
            () = hearing => {}
        }
    }

    fn hear(&self, happened: Happened) {
        match happened {
            Happened::Entry(entry) => {
                self.house.witness.shown(&self.name, self.room, &entry);
                let last = self.last();
                self.house.record().note(format_args!("{} hears {}/{}", self.name, self.room, entry.seq));
                if entry.seq != last.next() {
                    let word = if entry.seq > last { Word::SilentGap } else { Word::DoubleDelivery };
                    let what = format!("{} heard {}/{} after {last}", self.name, self.room, entry.seq);
                    self.house.record().found(word, what);
                }
                self.last.store(entry.seq.0, Ordering::SeqCst);
            }
            Happened::Afresh { after } => {
                let what = format!("{} must begin afresh after {after}, having heard {}", self.name, self.last());
                self.house.record().found(Word::SilentGap, what);
            }
            Happened::Joined(_) | Happened::Left(_) | Happened::Refused(_) => {}
        }
    }
}
