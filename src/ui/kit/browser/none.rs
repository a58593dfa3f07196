//! The server's twin: no clock that matters to a reader, no storage, no pointer.

use leptos::web_sys::Element;
use tertulia_timeline::{Closed, Shared};

/// The time now, in Unix milliseconds; 0 here, because a page says when things happened, not what time it is.
#[must_use]
pub const fn now_ms() -> f64 {
    0.0
}

/// Milliseconds on a clock that never jumps; 0 here, because nothing waits on a page that is being written.
#[must_use]
pub const fn elapsed_ms() -> f64 {
    0.0
}

/// A random number from 0 up to 1; always 0 here.
#[must_use]
pub const fn random() -> f64 {
    0.0
}

/// Minutes to add to UTC for the reader's clock; 0 here.
#[must_use]
pub const fn utc_offset_minutes() -> i32 {
    0
}

/// The time of day as the reader writes it; nothing here.
#[must_use]
pub const fn time_of_day(_at: i64) -> Option<String> {
    None
}

/// Date and time in full as the reader writes them; nothing here.
#[must_use]
pub const fn date_and_time(_at: i64) -> Option<String> {
    None
}

/// What this tab remembers under a name; nothing here.
#[must_use]
pub const fn remembered(_name: &str) -> Option<String> {
    None
}

/// Remembers something in this tab; does nothing here.
pub const fn remember(_name: &str, _value: &str) {}

/// Forgets everything this tab remembers; does nothing here.
pub const fn forget_all() {}

/// What all tabs of a browser share; closed here.
pub struct AllTabs;

impl Shared for AllTabs {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn read(&self, _name: &str) -> Result<Option<String>, Closed> {
        Err(Closed)
    }

    fn write(&self, _name: &str, _text: &str) -> bool {
        false
    }

    fn remove(&self, _name: &str) {}
}

/// Whether there are locks that end with their page.
#[must_use]
pub const fn has_locks() -> bool {
    false
}

/// Holds a lock; does nothing here.
pub const fn hold(_name: &str) {}

/// Waits for a lock; forever here.
pub fn when_free(_name: &str, _wait_ms: u64, _then: impl FnOnce() + 'static) {}

/// Whether the pointer is a mouse or a pen rather than a finger.
#[must_use]
pub const fn has_fine_pointer() -> bool {
    false
}

/// Whether the page can be seen.
#[must_use]
pub const fn is_visible() -> bool {
    false
}

/// Whether the browser believes that there is a network.
#[must_use]
pub const fn is_online() -> bool {
    false
}

/// Whether nothing on the page has the focus.
#[must_use]
pub const fn is_focus_free() -> bool {
    false
}

/// The distance of an element's top from the top of the window, in CSS pixels.
#[must_use]
pub const fn top_of(_element: &Element) -> f64 {
    0.0
}

/// Scrolls an element down by so many CSS pixels.
pub const fn scroll_by(_element: &Element, _pixels: f64) {}

/// Asks the server for this page afresh.
pub const fn reload() {}

/// Leaves for another page of this server.
pub const fn open(_path: &str) {}

/// Asks this server for something; does nothing here.
pub fn fetch(_path: &'static str, _then: impl FnOnce(String) + 'static) {}

/// Posts JSON to this server; does nothing here.
pub fn post(
    _path: &'static str,
    _json: String,
    _patience_ms: u32,
    _then: impl FnOnce(Option<(u16, String)>) + 'static,
) {
}

/// A text as it stands behind the question mark of an address; nothing here.
#[must_use]
pub const fn escaped(_text: &str) -> String {
    String::new()
}

/// Asks the reader a question that stops everything.
#[must_use]
pub const fn confirms(_question: &str) -> bool {
    true
}

/// Closes an open popover by its id.
pub const fn close_popover(_id: &str) {}

/// Opens a popover by its id.
pub const fn open_popover(_id: &str) {}

/// Scrolls what a CSS selector finds first to the top of its list.
pub const fn show(_selector: &str) {}

/// Watches elements; does nothing here.
pub struct Watch;

/// Calls back when an element comes within `margin` of the visible part of `root`.
#[must_use]
pub fn on_near(_root: &Element, _margin: &str, _callback: impl Fn() + 'static) -> Option<Watch> {
    None
}

/// Calls back when a watched element changes its size.
#[must_use]
pub fn on_resize(_callback: impl Fn() + 'static) -> Option<Watch> {
    None
}

impl Watch {
    /// Watches this element from now on; watching it again reports where it is.
    pub const fn element(&self, _element: &Element) {}
}
