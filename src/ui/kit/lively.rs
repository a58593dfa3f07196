//! What changes on a page, in few types. Every closure in a view is a type of its own, and Leptos writes
//! out its whole life (build, hydrate, rebuild) once per type; these share theirs (a third of the program).

use std::sync::Arc;

use leptos::prelude::*;

/// A text, class or attribute that changes.
pub fn text(of: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(of)
}

/// A yes or no that changes.
pub fn flag(of: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(of)
}

/// A part that changes as a whole, or is not there.
pub fn part(of: impl Fn() -> Option<AnyView> + Send + Sync + 'static) -> impl IntoView {
    let of: Arc<dyn Fn() -> Option<AnyView> + Send + Sync> = Arc::new(of);
    move || of()
}
