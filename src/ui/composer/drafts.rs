//! What was written and not sent, per room, for as long as the tab lives. A reload brings it back.

use tertulia_protocol::RoomId;

use crate::ui::kit::browser;

fn name(room: RoomId) -> String {
    format!("draft-{room}")
}

/// The draft of a room; empty for none.
#[must_use]
pub(super) fn of(room: RoomId) -> String {
    browser::remembered(&name(room)).unwrap_or_default()
}

/// Keeps a draft; an empty one is forgotten.
pub(super) fn keep(room: RoomId, text: &str) {
    browser::remember(&name(room), text);
}
