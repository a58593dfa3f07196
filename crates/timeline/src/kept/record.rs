//! What lies under a name: an outbox, whose it is, and whether its page has ended.

use serde::Serialize;
use tertulia_protocol::codec;

use super::Shared;
use crate::outbox::Outbox;

/// One page's outbox as all pages see it.
#[derive(Serialize)]
pub(super) struct Record {
    whose: String,
    /// The page has ended in order.
    #[serde(skip_serializing_if = "is_not")]
    left: bool,
    sends: Outbox,
}

tertulia_protocol::from_json!(Record { whose, left, sends });

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_not(flag: &bool) -> bool {
    !*flag
}

/// What a name leads to.
pub(super) enum Found {
    /// Nothing, or nothing that can be reached.
    Nothing,
    /// Something that no page of this version wrote.
    Illegible,
    /// An outbox.
    Record(Record),
}

/// Looks under a name.
pub(super) fn found(shared: &impl Shared, name: &str) -> Found {
    match shared.read(name) {
        Ok(Some(text)) => codec::decode(&text).map_or(Found::Illegible, Found::Record),
        Ok(None) | Err(_) => Found::Nothing,
    }
}

impl Record {
    /// The outbox of a page that lives.
    pub(super) const fn new(whose: String, sends: Outbox) -> Self {
        Self { whose, left: false, sends }
    }

    /// The same, with the word that its page has ended.
    pub(super) fn left(self) -> Self {
        Self { left: true, ..self }
    }

    pub(super) const fn has_left(&self) -> bool {
        self.left
    }

    pub(super) fn is_of(&self, whose: &str) -> bool {
        self.whose == whose
    }

    pub(super) fn into_outbox(self) -> Outbox {
        self.sends
    }

    /// As it lies there.
    pub(super) fn text(&self) -> String {
        codec::encode(self)
    }
}
