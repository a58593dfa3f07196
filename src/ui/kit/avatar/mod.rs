//! A person as a small round picture: initials on a hue that follows from the id.

#[cfg(test)]
mod tests;

use leptos::prelude::*;
use tertulia_protocol::{Person, UserId};

use crate::ui::kit::text;

/// Hues in `style/avatar.css`, 20 degrees apart.
const HUES: i64 = 18;
/// Steps from one id's hue to the next: coprime to 18 and far apart, so neighbours at the table differ.
const STEP: i64 = 7;

/// Up to two initials of a name: the first letters of its first and last word.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// The class of the hue that belongs to a person for ever.
#[must_use]
pub fn hue(id: UserId) -> String {
    format!("hue-{}", (id.0.wrapping_mul(STEP)).rem_euclid(HUES))
}

/// The picture; the name stands beside it, so screen readers pass it by.
#[component]
pub fn Avatar(
    /// Who.
    #[prop(into)]
    who: Signal<Person>,
) -> impl IntoView {
    let class = text(move || format!("avatar {}", who.with(|who| hue(who.id))));
    let letters = text(move || who.with(|who| initials(&who.name)));
    view! { <span class=class aria-hidden="true">{letters}</span> }
}
