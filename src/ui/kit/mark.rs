//! Our drawings: the wordmark, the round table, and the icons of the sprite.

use leptos::prelude::*;

/// An icon of `public/icons.svg`; the words beside it say what it means.
#[component]
pub fn Icon(
    /// Its id in the sprite.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true" focusable="false">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}

/// *tertulia*, the dot of its *i* a drop of vermouth.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! {
        <svg class="wordmark" role="img" aria-label="Tertulia">
            <use href="/icons.svg#wordmark"></use>
        </svg>
    }
}

/// The round table from above: five seats, one of them vermouth.
#[component]
pub fn Table() -> impl IntoView {
    view! {
        <svg class="table" aria-hidden="true" focusable="false">
            <use href="/icons.svg#table"></use>
        </svg>
    }
}
