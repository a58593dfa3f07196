//! Where the reader is: the newest row stays in view, or the row under the eye stays under it.
//!
//! The server's page starts at its newest row by CSS alone (a reversed column); once alive it is turned the
//! usual way round, in the same frame and at the same place.

use leptos::html::{A, Div};
use leptos::prelude::*;
use leptos::web_sys::Element;

use crate::ui::connection::Connection;
use crate::ui::kit::browser::{self, Watch};
use crate::ui::room::OpenRoom;

/// How near the end counts as the end, in CSS pixels: a line and its margin.
const NEAR: i32 = 48;
/// How long before the top comes into view the older page is asked for (CSS): about one screen.
const AHEAD: &str = "800px 0px 0px 0px";
/// The class of the page that only CSS scrolls.
const STILL: &str = "still";

/// The row under the eye, and where it was.
pub struct Held(Option<(Element, Element, f64)>);

impl Held {
    /// Remembers the first row in view. Not the very oldest: its heading may go when a page joins above it.
    #[must_use]
    pub fn in_log(log: NodeRef<Div>) -> Self {
        let held = log.get_untracked().and_then(|log| {
            let log: Element = (*log).clone().into();
            let top = browser::top_of(&log);
            let rows = log.get_elements_by_class_name("line");
            let rows = (1..rows.length()).filter_map(|index| rows.item(index));
            let row = rows.map(|row| (browser::top_of(&row), row)).find(|(at, _)| *at >= top)?;
            Some((log, row.1, row.0))
        });
        Self(held)
    }

    /// Puts that row back where it was, before the next frame is painted.
    pub fn put_back(self) {
        let Some((log, row, was)) = self.0 else { return };
        request_animation_frame(move || {
            let moved = browser::top_of(&row) - was;
            browser::scroll_by(&log, moved);
        });
    }
}

/// Goes to the newest row.
pub fn to_newest(room: OpenRoom) {
    if let Some(log) = room.log.get_untracked() {
        log.set_scroll_top(log.scroll_height());
        look(room);
    }
}

/// Looks where the reader is now.
pub fn look(room: OpenRoom) {
    if let Some(log) = room.log.get_untracked() {
        let top = log.scroll_top();
        let below = log.scroll_height() - log.client_height() - top;
        room.scrolled_to(top, below <= NEAR);
    }
}

/// Asks for the page above what is drawn; false when there is nobody to ask.
pub fn ask_older(connection: Connection, room: OpenRoom) -> bool {
    let Some(before) = room.before() else { return false };
    if room.loading.get_untracked() {
        return true;
    }
    let asked = room.is_live() && connection.history(room, before);
    if asked {
        room.loading.set(true);
    }
    asked
}

/// Keeps the place once the page lives: turns the log the usual way round, follows the newest row, and asks
/// for older pages before the reader gets there.
pub fn keep_place(room: OpenRoom, sheet: NodeRef<Div>, edge: NodeRef<A>) {
    let connection = Connection::current();
    // The effect holds the watches: it runs in the browser alone, and they end with it.
    Effect::new(move |watches: Option<Option<Watches>>| {
        // Looked at again after each page and when the connection is back: a short page may leave the edge in view.
        room.loading.track();
        room.behind.caught_up.track();
        let (Some(log), Some(sheet), edge) = (room.log.get(), sheet.get(), edge.get()) else { return None };
        let watches = watches.flatten().unwrap_or_else(|| take_over(connection, room, &log, &sheet));
        if let (Some(near), Some(edge)) = (&watches.near, edge) {
            near.element(&edge);
        }
        Some(watches)
    });
}

/// What watches the log while its page is there.
struct Watches {
    near: Option<Watch>,
    #[expect(dead_code, reason = "watches until it is dropped")]
    size: Option<Watch>,
}

/// From the place that CSS kept to the place that is kept here.
fn take_over(connection: Connection, room: OpenRoom, log: &Element, sheet: &Element) -> Watches {
    // Removing a class that is not there is no error; the token is ours and valid.
    let _ = log.class_list().remove_1(STILL);
    to_newest(room);
    let size = browser::on_resize(move || {
        if room.at_newest.try_get_untracked() == Some(true) {
            to_newest(room);
        }
    });
    if let Some(size) = &size {
        size.element(log);
        size.element(sheet);
    }
    let near = browser::on_near(log, AHEAD, move || {
        if room.has_room_above() {
            ask_older(connection, room);
        }
    });
    Watches { near, size }
}
