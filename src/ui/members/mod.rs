//! Who is at the table: a column on wide screens, a pane that opens on smaller ones.

use leptos::prelude::*;
use tertulia_protocol::Person;

use crate::ui::kit::{Avatar, Boxed, flag, text};
use crate::ui::room::OpenRoom;

/// The id of the pane, which buttons open it by.
pub const MEMBERS: &str = "online";

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
    let count = text(move || room.online_count.get().to_string());
    let all_named = flag(move || unnamed() == 0);
    let others = text(move || format!("and {} more", unnamed()));
    view! {
        <section class="members" id=MEMBERS aria-label="Online" popover="auto">
            <h2>"Online"<span class="count">{count}</span></h2>
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
