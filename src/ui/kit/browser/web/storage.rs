//! What this tab remembers over a reload, and what all tabs of the browser share and keep when they are closed.

use tertulia_timeline::{Closed, Shared};
use web_sys::Storage;

/// The tab's storage; absent where the reader forbids it.
fn storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}

/// What this tab remembers under a name.
#[must_use]
pub fn remembered(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Remembers something in this tab; an empty value forgets it.
pub fn remember(name: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage costs the memory across a reload, nothing else.
        let _ = if value.is_empty() { storage.remove_item(name) } else { storage.set_item(name, value) };
    }
}

/// Forgets everything this tab remembers.
pub fn forget_all() {
    if let Some(storage) = storage() {
        let _ = storage.clear();
    }
}

/// What all tabs of this browser share.
pub struct AllTabs;

impl AllTabs {
    fn storage() -> Option<Storage> {
        web_sys::window()?.local_storage().ok()?
    }
}

impl Shared for AllTabs {
    fn names(&self) -> Vec<String> {
        let Some(storage) = Self::storage() else { return Vec::new() };
        let count = storage.length().unwrap_or(0);
        (0..count).filter_map(|index| storage.key(index).ok().flatten()).collect()
    }

    fn read(&self, name: &str) -> Result<Option<String>, Closed> {
        Self::storage().ok_or(Closed)?.get_item(name).map_err(|_| Closed)
    }

    fn write(&self, name: &str, text: &str) -> bool {
        Self::storage().is_some_and(|storage| storage.set_item(name, text).is_ok())
    }

    fn remove(&self, name: &str) {
        if let Some(storage) = Self::storage() {
            // What cannot be removed could not have been written either.
            let _ = storage.remove_item(name);
        }
    }
}
