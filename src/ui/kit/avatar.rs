//! A person as a small round picture: initials on a hue that follows from the id.

use leptos::prelude::*;
use tertulia_protocol::{Person, UserId};

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
    let class = move || format!("avatar {}", who.with(|who| hue(who.id)));
    view! { <span class=class aria-hidden="true">{move || who.with(|who| initials(&who.name))}</span> }
}

#[cfg(test)]
mod tests {
    //! Initials of the names people have.
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ana"), "A");
        assert_eq!(initials("Jordi Puig i Cadafalch"), "JC");
        assert_eq!(initials("élodie"), "É");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn neighbours_have_different_hues_and_every_id_has_one() {
        assert_ne!(hue(UserId(1)), hue(UserId(2)));
        assert_eq!(hue(UserId(i64::MIN)), hue(UserId(i64::MIN)));
        assert_eq!(hue(UserId(0)), "hue-0");
    }
}
