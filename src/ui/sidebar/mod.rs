//! The list of rooms, the way to make one, and who you are. On a phone it is a pane that slides in.

#[cfg(test)]
mod tests;

use leptos::ev;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use tertulia_protocol::{Person, RoomId, RoomInfo};

use crate::ui::connection::Connection;
use crate::ui::kit::{Avatar, Boxed, Icon, Refused, TYPED, Wordmark, browser};
use crate::ui::room::address;
use crate::ui::stocks::STOCKS;

/// The id of the pane, which buttons open it by.
pub const ROOMS: &str = "rooms";

/// The second room before the one that is open: the list is shown from there, as `style/sidebar.css` has it begin.
const BEFORE_HERE: &str = ".rooms li:has(+ li + li > [aria-current])";

/// What is asked of whoever leaves while messages wait.
const UNSENT: &str = "What you wrote is not sent yet, and would be lost. Leave all the same?";

/// The navigation between rooms.
#[component]
pub fn Sidebar(
    /// The rooms that the server listed, in the order they were made.
    rooms: Vec<RoomInfo>,
    /// The one that is open.
    current: RoomId,
    /// Who looks.
    you: Person,
    /// Whether this host has a stock market.
    stocks: bool,
    /// Whether the cluster may be watched.
    cluster: bool,
) -> impl IntoView {
    let here = rooms.iter().find(|room| room.id == current).map(|room| address(&room.slug)).unwrap_or_default();
    let rooms = all_rooms(rooms);
    walk_with_arrows(rooms, current);
    let refused = use_query_map()
        .with_untracked(|query| query.get_str("room-refused").map(|_| query.get(TYPED).unwrap_or_default()));
    let is_refused = refused.is_some();
    Effect::new(move || {
        // On a phone the form, and why it was refused, would be behind the room.
        if is_refused {
            browser::open_popover(ROOMS);
        }
        browser::show(BEFORE_HERE);
    });
    view! {
        <nav class="sidebar" id=ROOMS aria-label="Rooms" popover="auto">
            <a class="home" href="/r/chat">
                <Wordmark />
            </a>
            <ul class="rooms">
                <For each=move || rooms.get() key=|room: &RoomInfo| (room.id, room.name.clone()) let:room>
                    <RoomLink room current />
                </For>
            </ul>
            <NewRoom here refused />
            {stocks.then(|| view! { <a class="elsewhere" href=STOCKS rel="external">"Stocks"</a> })}
            <a class="elsewhere" href="/cluster" rel="external" hidden=!cluster>"Watch the cluster"</a>
            <You you />
        </nav>
    }
    .boxed()
}

/// What the server listed and what has been made since.
fn all_rooms(listed: Vec<RoomInfo>) -> Memo<Vec<RoomInfo>> {
    let connection = Connection::current();
    Memo::new(move |_| {
        let mut rooms = listed.clone();
        for made in connection.made() {
            match rooms.iter_mut().find(|room| room.id == made.id) {
                Some(room) => *room = made,
                None => rooms.push(made),
            }
        }
        rooms
    })
}

/// Alt with the arrows up and down goes to the room before and after.
fn walk_with_arrows(rooms: Memo<Vec<RoomInfo>>, current: RoomId) {
    let navigate = use_navigate();
    let handle = StoredValue::new(None::<WindowListenerHandle>);
    Effect::new(move || {
        let navigate = navigate.clone();
        let listener = window_event_listener(ev::keydown, move |event| {
            let step = match event.key().as_str() {
                "ArrowUp" if event.alt_key() => -1,
                "ArrowDown" if event.alt_key() => 1,
                _ => return,
            };
            event.prevent_default();
            if let Some(next) = rooms.with_untracked(|rooms| neighbour(rooms, current, step)) {
                navigate(&next, leptos_router::NavigateOptions::default());
            }
        });
        handle.set_value(Some(listener));
    });
    on_cleanup(move || {
        if let Some(listener) = handle.try_update_value(Option::take).flatten() {
            listener.remove();
        }
    });
}

/// The address of the room `step` places further; the list is a circle.
fn neighbour(rooms: &[RoomInfo], current: RoomId, step: isize) -> Option<String> {
    let at = rooms.iter().position(|room| room.id == current)?;
    let count = rooms.len();
    let next = rooms.get((at + count).checked_add_signed(step)? % count)?;
    (next.id != current).then(|| address(&next.slug))
}

/// One room of the list.
#[component]
fn RoomLink(
    /// The room.
    room: RoomInfo,
    /// The one that is open.
    current: RoomId,
) -> impl IntoView {
    let here = (room.id == current).then_some("page");
    view! {
        <li>
            <a
                class="room-link"
                href=address(&room.slug)
                aria-current=here
                dir="auto"
                on:click=move |_| browser::close_popover(ROOMS)
            >
                {room.name}
            </a>
        </li>
    }
}

/// Makes a room, or opens the one that has this name: a plain form, the answer is the room's page.
#[component]
fn NewRoom(
    /// The address of the page, to come back to when the name is refused.
    here: String,
    /// What was typed, if that has just happened: the field holds it, and has the focus, also as the pane opens.
    refused: Option<String>,
) -> impl IntoView {
    // A name of signs alone is refused before it is sent, and stays in the field; the server checks all of it.
    view! {
        <form class="new-room" method="post" action="/rooms">
            <input type="hidden" name="from" value=here />
            <label for="new-room">"New room"</label>
            <div class="field-row">
                <input
                    id="new-room"
                    name="name"
                    type="text"
                    autocomplete="off"
                    enterkeyhint="go"
                    pattern=r".*[\p{Alphabetic}\p{N}].*"
                    title="A name with a letter or a digit"
                    autofocus=refused.is_some()
                    value=refused
                    required
                />
                <button type="submit">"Create"</button>
            </div>
            <Refused of="room-refused" />
        </form>
    }
}

/// Who you are here, and the way out.
#[component]
fn You(
    /// Who looks.
    you: Person,
) -> impl IntoView {
    let name = you.name.clone();
    let connection = Connection::current();
    view! {
        <div class="you">
            <Avatar who=you />
            <span class="your-name" dir="auto">{name}</span>
            <form
                method="post"
                action="/leave"
                on:submit=move |event| {
                    // What waits goes with whoever wrote it, once the server has let them out.
                    if connection.unsent() > 0 && !browser::confirms(UNSENT) {
                        event.prevent_default();
                    }
                }
            >
                <button type="submit" class="quiet">
                    <Icon name="leave" />
                    "Leave"
                </button>
            </form>
        </div>
    }
}
