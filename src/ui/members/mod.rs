//! Who is at the table: a column on wide screens, a pane that opens on smaller ones.

#[cfg(test)]
mod tests;

use leptos::prelude::*;
use tertulia_protocol::Person;

use crate::ui::kit::{Avatar, Boxed, flag, text};
use crate::ui::room::OpenRoom;

/// The id of the pane, which buttons open it by.
pub const MEMBERS: &str = "online";

/// How many are here; nothing while it is not known. Whoever looks is here as well, so nought is no answer.
#[must_use]
pub fn counted(online: u64) -> String {
    if online == 0 { String::new() } else { online.to_string() }
}

/// What stands behind the number, for ears.
#[must_use]
pub const fn counted_words(online: u64) -> &'static str {
    match online {
        0 => "Who is online",
        1 => " person online",
        _ => " people online",
    }
}

/// The people who are in the room at this moment.
#[component]
pub fn Members(
    /// The room.
    room: OpenRoom,
) -> impl IntoView {
    let unnamed = move || {
        let named = room.online.with(|online| online.len() as u64);
        room.online_count.get().saturating_sub(named)
    };
    let count = text(move || counted(room.online_count.get()));
    let all_named = flag(move || unnamed() == 0);
    let others = text(move || format!("and {} more", unnamed()));
    view! {
        <section class="members" id=MEMBERS aria-label="Online" popover="auto">
            <h2>"Online"<span class="count">{count}</span></h2>
            <p class="last-known">"As last heard."</p>
            <ul>
                <For each=move || room.online.get() key=|who: &Person| (who.id, who.name.clone()) let:who>
                    <Member who />
                </For>
            </ul>
            <p class="unnamed" hidden=all_named>{others}</p>
        </section>
    }
    .boxed()
}

/// One of them.
#[component]
fn Member(
    /// Who.
    who: Person,
) -> impl IntoView {
    let name = who.name.clone();
    view! {
        <li>
            <Avatar who />
            <span class="member-name" dir="auto">{name}</span>
        </li>
    }
}
