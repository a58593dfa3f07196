//! The browser's twin: the only place that asks it for clocks, storage, locks, pointers and observers.

mod locks;
mod storage;

use std::pin::pin;

use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Date, Function, Intl, Math, Object, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit, ResizeObserver};

pub use self::locks::{has_locks, hold, when_free};
pub use self::storage::{AllTabs, forget_all, remember, remembered};

/// The id of the line that says the app broke; it is in the page from the start, hidden.
const BROKEN: &str = "broken";

/// Lets a panic say so: in full on the console, in one line to the reader (silence would look like a calm room).
pub fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        let line =
            web_sys::window().and_then(|window| window.document()).and_then(|page| page.get_element_by_id(BROKEN));
        if let Some(line) = line {
            // Nothing more can be done inside a panic if even this fails.
            let _ = line.remove_attribute("hidden");
        }
    }));
}

/// The time now, in Unix milliseconds: for showing and for keys. It may jump, so nothing is measured with it.
#[must_use]
pub fn now_ms() -> f64 {
    Date::now()
}

/// Milliseconds since the page began, on a clock that never jumps; it may stand still while the machine sleeps.
#[must_use]
pub fn elapsed_ms() -> f64 {
    // Every browser that runs WASM has it in a window.
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}

/// A random number from 0 up to 1.
#[must_use]
pub fn random() -> f64 {
    Math::random()
}

/// Minutes to add to UTC for the reader's clock at this moment.
#[must_use]
pub fn utc_offset_minutes() -> i32 {
    // JavaScript counts from local time to UTC, everybody else the other way.
    #[expect(clippy::cast_possible_truncation, reason = "an offset is within a day: at most 1,440 minutes")]
    let minutes = Date::new_0().get_timezone_offset() as i32;
    -minutes
}

/// A formatter for dates with these options, in the reader's own language.
fn formatter(options: &[(&str, &str)]) -> Function {
    let wish = Object::new();
    for (name, value) in options {
        // A plain object of our own takes any property.
        let _ = Reflect::set(&wish, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    Intl::DateTimeFormat::new(&Array::new(), &wish).format()
}

fn formatted(format: &Function, at: i64) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "Unix milliseconds stay far below 2^53")]
    let date = Date::new(&JsValue::from_f64(at as f64));
    format.call1(&JsValue::UNDEFINED, &date).ok()?.as_string()
}

thread_local! {
    // Making a formatter is a thousand times dearer than using it.
    static TIME_OF_DAY: Function = formatter(&[("hour", "2-digit"), ("minute", "2-digit")]);
    static DATE_AND_TIME: Function = formatter(&[("dateStyle", "full"), ("timeStyle", "short")]);
}

/// The time of day as the reader writes it.
#[must_use]
pub fn time_of_day(at: i64) -> Option<String> {
    TIME_OF_DAY.with(|format| formatted(format, at))
}

/// Date and time in full as the reader writes them.
#[must_use]
pub fn date_and_time(at: i64) -> Option<String> {
    DATE_AND_TIME.with(|format| formatted(format, at))
}

/// Whether the pointer is a mouse or a pen rather than a finger.
#[must_use]
pub fn has_fine_pointer() -> bool {
    let answer = web_sys::window().and_then(|window| window.match_media("(pointer: fine)").ok().flatten());
    answer.is_some_and(|query| query.matches())
}

/// Whether the page can be seen.
#[must_use]
pub fn is_visible() -> bool {
    leptos::prelude::document().visibility_state() == web_sys::VisibilityState::Visible
}

/// Whether the browser believes that there is a network.
#[must_use]
pub fn is_online() -> bool {
    leptos::prelude::window().navigator().on_line()
}

/// Whether nothing on the page has the focus.
#[must_use]
pub fn is_focus_free() -> bool {
    leptos::prelude::document().active_element().is_none_or(|element| element.tag_name() == "BODY")
}

/// The distance of an element's top from the top of the window, in CSS pixels.
#[must_use]
pub fn top_of(element: &Element) -> f64 {
    element.get_bounding_client_rect().top()
}

/// Scrolls an element down by so many CSS pixels.
pub fn scroll_by(element: &Element, pixels: f64) {
    if pixels != 0.0 {
        element.scroll_by_with_x_and_y(0.0, pixels);
    }
}

/// Asks the server for this page afresh: it sends on whoever has no session any more, and back afterwards.
pub fn reload() {
    // Fails only in a document without a window to show it.
    let _ = leptos::prelude::location().reload();
}

/// Leaves for another page of this server, which is asked for whole.
pub fn open(path: &str) {
    // Fails only in a document without a window to show it.
    let _ = leptos::prelude::location().assign(path);
}

/// Asks this server for something; `then` gets its text, unless there is none to be had.
pub fn fetch(path: &'static str, then: impl FnOnce(String) + 'static) {
    leptos::task::spawn_local(async move {
        let Ok(response) = gloo_net::http::Request::get(path).send().await else { return };
        if response.ok()
            && let Ok(text) = response.text().await
        {
            then(text);
        }
    });
}

/// Posts JSON to this server; `then` gets the status and the text of the answer, unless there was none within so many
/// milliseconds.
pub fn post(path: &'static str, json: String, patience_ms: u32, then: impl FnOnce(Option<(u16, String)>) + 'static) {
    leptos::task::spawn_local(async move {
        let asking = pin!(async {
            let request = gloo_net::http::Request::post(path).header("content-type", "application/json");
            let answer = request.body(json).ok()?.send().await.ok()?;
            Some((answer.status(), answer.text().await.ok()?))
        });
        // Safe to cancel either: nobody waits for the one that comes second.
        let first = select(asking, TimeoutFuture::new(patience_ms)).await;
        then(match first {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => None,
        });
    });
}

/// A text as it stands behind the question mark of an address.
#[must_use]
pub fn escaped(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Asks the reader a question that stops everything; whether the answer was yes.
#[must_use]
pub fn confirms(question: &str) -> bool {
    // A browser that shows no such window must not keep anybody from what they asked for.
    leptos::prelude::window().confirm_with_message(question).unwrap_or(true)
}

/// Closes an open popover by its id.
pub fn close_popover(id: &str) {
    if let Some(element) = popover(id) {
        // Refused when it is not open, which is what is wanted.
        let _ = element.hide_popover();
    }
}

/// Opens a popover by its id, where it does not stand in the page anyway.
pub fn open_popover(id: &str) {
    if let Some(element) = popover(id).filter(|element| element.offset_width() == 0) {
        // Refused when it is open already, which is what is wanted.
        let _ = element.show_popover();
    }
}

/// Scrolls what a CSS selector finds first to the top of the list it stands in; nothing when it finds nothing.
pub fn show(selector: &str) {
    // An old browser refuses a selector it does not know: the list stays where it is.
    if let Ok(Some(element)) = leptos::prelude::document().query_selector(selector) {
        element.scroll_into_view();
    }
}

fn popover(id: &str) -> Option<web_sys::HtmlElement> {
    leptos::prelude::document().get_element_by_id(id)?.dyn_into().ok()
}

enum Observer {
    Near(IntersectionObserver, #[expect(dead_code, reason = "kept alive for the observer")] Closure<dyn FnMut(Array)>),
    Size(ResizeObserver, #[expect(dead_code, reason = "kept alive for the observer")] Closure<dyn FnMut()>),
}

/// Watches elements until it is dropped.
pub struct Watch(Observer);

/// Calls back when an element comes within `margin` (CSS, as `400px`) of the visible part of `root`.
#[must_use]
pub fn on_near(root: &Element, margin: &str, callback: impl Fn() + 'static) -> Option<Watch> {
    let heard = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
        let near = entries.iter().any(|entry| entry.unchecked_into::<IntersectionObserverEntry>().is_intersecting());
        if near {
            callback();
        }
    });
    let options = IntersectionObserverInit::new();
    options.set_root(Some(root));
    options.set_root_margin(margin);
    let observer = IntersectionObserver::new_with_options(heard.as_ref().unchecked_ref(), &options).ok()?;
    Some(Watch(Observer::Near(observer, heard)))
}

/// Calls back when a watched element changes its size, before that is painted.
#[must_use]
pub fn on_resize(callback: impl Fn() + 'static) -> Option<Watch> {
    let heard = Closure::<dyn FnMut()>::new(callback);
    let observer = ResizeObserver::new(heard.as_ref().unchecked_ref()).ok()?;
    Some(Watch(Observer::Size(observer, heard)))
}

impl Watch {
    /// Watches this element from now on; watching it again reports where it is.
    pub fn element(&self, element: &Element) {
        match &self.0 {
            Observer::Near(observer, _) => {
                observer.unobserve(element);
                observer.observe(element);
            }
            Observer::Size(observer, _) => observer.observe(element),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        match &self.0 {
            Observer::Near(observer, _) => observer.disconnect(),
            Observer::Size(observer, _) => observer.disconnect(),
        }
    }
}
