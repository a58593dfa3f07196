//! Locks that a browser takes from a page when it ends, however it ends (Web Locks; over https and on this machine).
//!
//! Asked for by name: in web-sys they are still unstable, and a flag for one call would be a flag for every build.

use std::time::Duration;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The browser's locks, and how to ask for one.
fn locks() -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&web_sys::window()?.navigator(), &"locks".into()).ok()?;
    let request = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    Some((locks, request))
}

/// Whether there are locks that end with their page.
#[must_use]
pub fn has_locks() -> bool {
    locks().is_some()
}

/// Asks for a lock; the browser calls `held` once it is ours, and takes it back when what that returns is settled.
fn request(name: &str, held: &JsValue) {
    let asked = locks().and_then(|(locks, request)| request.call2(&locks, &name.into(), held).ok());
    if let Some(promise) = asked.and_then(|asked| asked.dyn_into::<Promise>().ok()) {
        leptos::task::spawn_local(async move {
            // Refused only in documents without an origin, which keep nothing that could be taken over.
            let _ = JsFuture::from(promise).await;
        });
    }
}

/// Holds a lock from now on, until the page ends.
pub fn hold(name: &str) {
    // A promise that nobody keeps: the lock goes with the page.
    let held = Closure::once_into_js(|| Promise::new(&mut |_, _| {}));
    request(name, &held);
}

/// Once nobody else holds a lock: waits so many milliseconds, then does something, and holds it until that is done.
pub fn when_free(name: &str, wait_ms: u64, then: impl FnOnce() + 'static) {
    let mut then = Some(then);
    let held = Closure::once_into_js(move || {
        Promise::new(&mut |done, _| {
            let Some(then) = then.take() else { return };
            let then = move || {
                then();
                // A promise of our own: it cannot refuse to be kept.
                let _ = done.call0(&JsValue::UNDEFINED);
            };
            leptos::prelude::set_timeout(then, Duration::from_millis(wait_ms));
        })
    });
    request(name, &held);
}
