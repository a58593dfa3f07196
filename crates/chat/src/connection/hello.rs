//! The greeting: version, resume, welcome.

use tertulia_protocol::frame::{AdvertisedLimits, Hello, VERSION};
use tertulia_protocol::limits::{PING_MS, ROOMS_PER_SOCKET};
use tertulia_protocol::{Close, Code, Refusal, ServerFrame};

use super::Connection;
use crate::fanout::Start;
use crate::queue::Ended;

impl Connection {
    pub(super) async fn hello(&mut self, hello: Hello) -> Result<(), Ended> {
        if hello.v != VERSION {
            return Err(Ended { close: Close::Version, retry_after_ms: None });
        }
        if self.greeted {
            self.error(Some("hello".to_owned()), Refusal::new(Code::Already, "Only the first frame is hello."));
            return Ok(());
        }
        if hello.resume.len() > ROOMS_PER_SOCKET {
            let refusal = Refusal::new(Code::Limit, "The field resume names more than 256 rooms.");
            self.error(Some("hello".to_owned()), refusal.field("resume").limit(ROOMS_PER_SOCKET as u64));
            return Ok(());
        }
        self.greeted = true;
        let epoch = self.chat.epoch();
        self.queue.push_frame(&ServerFrame::Welcome {
            conn: self.id.to_string(),
            epoch: epoch.clone(),
            you: self.person.clone(),
            limits: AdvertisedLimits::default(),
            ping_ms: PING_MS,
            bus: *self.chat.bus_state().borrow(),
            instance: self.chat.instance().to_owned(),
        });
        for position in hello.resume {
            let start = if position.epoch == epoch { Start::After(position.seq) } else { Start::OtherEpoch };
            self.follow_room(position.room, start, "hello").await;
        }
        Ok(())
    }
}
