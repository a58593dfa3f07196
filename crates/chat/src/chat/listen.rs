//! What this instance does with the news of others. Everything that comes is untrusted.

use std::sync::Arc;

use tertulia_protocol::RoomId;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::Chat;
use crate::bus::{Heard, Topic};
use crate::news::{self, News};
use crate::presence::Roster;

impl Chat {
    /// Takes news until the bus or the instance ends. Never waits for SQL or for a peer, so the bus is
    /// always read; `missed` wakes the loop that does compare with SQL.
    pub(super) async fn listen(self: Arc<Self>, mut heard: mpsc::Receiver<Heard>, missed: Arc<Notify>) {
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::News { topic, payload } => self.hear(topic, &payload),
                Heard::MayHaveMissed => {
                    missed.notify_one();
                    if let Some(market) = &self.market {
                        market.doubt();
                    }
                }
            }
        }
    }

    fn hear(self: &Arc<Self>, topic: Topic, payload: &[u8]) {
        let Some((from, news)) = news::hear(&self.epoch(), &self.options.node, payload) else { return };
        match (topic, news) {
            (Topic::Room(room), news) => self.hear_room(room, &from, news),
            (Topic::Everyone, News::Alive) => self.lock_presence().hear_alive(&from, Instant::now()),
            (Topic::Everyone, News::Gone) => {
                self.lock_presence().hear_gone(&from);
                self.hear_cluster(&from, News::Gone);
            }
            (Topic::Everyone, News::RoomMade { room }) => self.tell_room_made(room),
            (Topic::Everyone, News::SessionEnded { token }) => self.hear_session_ended(&token),
            (Topic::Everyone, News::Prices { sheet }) => self.hear_prices(&from, sheet),
            (Topic::Everyone, News::AskPrices) => self.hear_ask_prices(),
            (Topic::Everyone, news) => self.hear_cluster(&from, news),
        }
    }

    fn hear_room(self: &Arc<Self>, topic: RoomId, from: &str, news: News) {
        match news {
            // A payload that names another room than its channel is a mistake or an attack.
            News::Entry { room, entry } if room == topic => self.fanout.offer(room, &entry),
            News::Typing { room, who } if room == topic => self.show_typing(room, who, None),
            News::Roster { room, people, more, first, back } if room == topic => {
                let roster = Roster { people, unnamed: more, first, back };
                self.lock_presence().hear_roster(from, room, roster, Instant::now());
            }
            News::Who { room } if room == topic => self.lock_presence().hear_who(room),
            _ => tracing::warn!(room = topic.0, %from, "news that does not belong on this channel; dropped"),
        }
    }
}
