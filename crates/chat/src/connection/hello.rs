//! The greeting: version, resume, welcome.

use tertulia_protocol::frame::{AdvertisedLimits, Hello, VERSION};
use tertulia_protocol::limits::PING_MS;
use tertulia_protocol::{Close, Code, Refusal, ServerFrame};

use super::Connection;
use crate::fanout::Start;
use crate::presence::Visibility;
use crate::queue::Ended;

impl Connection {
    /// Greets a client that has said `hello`, and follows the rooms it resumes. It waits for room in the queue, as
    /// [`Connection::hear`] does, and is as safe to cancel.
    ///
    /// # Errors
    /// The reason to close: another version, a session that ended meanwhile, a queue that has ended.
    pub async fn greet(&mut self, hello: Hello) -> Result<(), Ended> {
        if hello.v != VERSION {
            return Err(Ended { close: Close::Version, retry_after_ms: None });
        }
        if self.greeted {
            self.error("hello", None, Refusal::new(Code::Already, "Only the first frame is hello.").field("t"));
            return Ok(());
        }
        let desk = self.chat.clone();
        let mut place = Some(desk.admit().await?);
        // Whoever left between the request's look at the session and our listening to its end was not heard.
        if self.chat.has_ended(self.token).await {
            return Err(Ended { close: Close::Revoked, retry_after_ms: None });
        }
        self.greeted = true;
        let epoch = self.chat.epoch();
        self.chat.greet(self.id, |bus| ServerFrame::Welcome {
            conn: self.id.to_string(),
            epoch: epoch.clone(),
            you: self.person.clone(),
            limits: AdvertisedLimits::default(),
            ping_ms: PING_MS,
            bus,
            instance: self.chat.instance().to_owned(),
        });
        let shown = if hello.back { Visibility::Returning } else { Visibility::Shown };
        for (index, position) in hello.resume.into_iter().enumerate() {
            // Many rooms with many people are more than the queue holds at once. A peer that does not read waits
            // without a place at the desk.
            if !self.queue.is_roomy() {
                place = None;
                self.queue.has_room().await;
            }
            if let Some(ended) = self.queue.ended() {
                return Err(ended);
            }
            if place.is_none() {
                place = Some(desk.admit().await?);
            }
            let start = if position.epoch == epoch { Start::After(position.seq) } else { Start::OtherEpoch };
            if let Err(refusal) = self.follow_room(position.room, start, shown).await {
                self.error("hello", Some(position.room), in_resume(index, refusal));
            }
        }
        Ok(())
    }
}

/// A refusal of one position in `resume`: its field is the position's, so that one among 256 is told from the others.
fn in_resume(index: usize, refusal: Refusal) -> Refusal {
    let field = match refusal.field.as_deref() {
        Some(field) => format!("resume[{index}].{field}"),
        None => format!("resume[{index}]"),
    };
    refusal.field(field)
}
