//! The outbox as it lies outside the page: what waits and what failed, in its order.

use serde::Serialize;
use tertulia_protocol::json::{FromJson, Misread, Value};
use tertulia_protocol::{Refusal, frame};

use super::{Item, Outbox, State};

/// One send as it is kept outside the page.
#[derive(Serialize)]
pub(super) struct Stored {
    send: frame::Send,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
}

tertulia_protocol::from_json!(Stored { send, refusal });

impl FromJson for Outbox {
    fn from_json(value: Value) -> Result<Self, Misread> {
        Vec::<Stored>::from_json(value).map(Self::from)
    }
}

tertulia_protocol::deserialize_from_json!(Outbox);

impl From<Outbox> for Vec<Stored> {
    fn from(outbox: Outbox) -> Self {
        let stored = |item: Item| match item.state {
            State::Failed { refusal } => Stored { send: item.send, refusal: Some(refusal) },
            State::Queued { .. } | State::InFlight => Stored { send: item.send, refusal: None },
        };
        outbox.items.into_iter().map(stored).collect()
    }
}

impl From<Vec<Stored>> for Outbox {
    /// What was kept may have been changed by others: the bounds and the uniqueness of keys hold again.
    fn from(stored: Vec<Stored>) -> Self {
        let mut outbox = Self::new();
        for Stored { send, refusal } in stored {
            let state = refusal.map_or(super::READY, |refusal| State::Failed { refusal });
            let one = Self { items: vec![Item { send, state }] };
            if outbox.has_room_for(&one) && outbox.index(one.items[0].send.key).is_none() {
                outbox.items.extend(one.items);
            }
        }
        outbox
    }
}
