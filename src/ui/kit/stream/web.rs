//! The browser's twin: an `EventSource`, closed when it is dropped. It reconnects by itself after a lost link.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, EventSource, MessageEvent};

use super::Heard;

/// A stream. Dropping it closes it, and nothing is heard from it any more.
pub struct Stream {
    source: EventSource,
    #[expect(dead_code, reason = "kept alive for the source")]
    heard: Closure<dyn FnMut(Event)>,
}

impl Stream {
    /// Opens a stream of our own server and listens to these events; `None` where the browser has no such thing.
    #[must_use]
    pub fn open(path: &str, events: &[&str], heard: impl Fn(Heard) + 'static) -> Option<Self> {
        let source = EventSource::new(path).ok()?;
        let of = source.clone();
        let heard = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            heard(match event.dyn_ref::<MessageEvent>() {
                Some(message) => {
                    Heard::Event { name: message.type_(), data: message.data().as_string().unwrap_or_default() }
                }
                None if of.ready_state() == EventSource::CLOSED => Heard::Refused,
                None => Heard::Lost,
            });
        });
        for event in events {
            // A listener on a source of our own is never refused.
            let _ = source.add_event_listener_with_callback(event, heard.as_ref().unchecked_ref());
        }
        source.set_onerror(Some(heard.as_ref().unchecked_ref()));
        Some(Self { source, heard })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}
