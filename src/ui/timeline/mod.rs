//! The log of a room: rows in order, the way to older ones, the way back to the newest.

pub mod body;
pub mod notes;
pub mod row;
pub mod scroll;

use leptos::html::{A, Div};
use leptos::prelude::*;

use self::row::LineView;
use crate::ui::connection::Connection;
use crate::ui::kit::{Boxed, Clock, Icon, flag, text};
use crate::ui::room::{Line, OpenRoom};

/// The room's log. Without JavaScript it is a page with links to the older ones.
#[component]
pub fn TimelineView(
    /// The room whose log it is.
    room: OpenRoom,
    /// The address of the room's newest page.
    address: String,
) -> impl IntoView {
    let clock = Clock::current();
    let sheet = NodeRef::<Div>::new();
    let edge = NodeRef::<A>::new();
    scroll::keep_place(room, sheet, edge);
    Effect::new(move || room.set_utc_offset(clock.offset()));
    let newest = address.clone();
    let name: Signal<String> = room.name.into();
    // What is being said is read out; what had been said and only arrives now is not.
    let busy = text(move || (room.loading.get() || !room.behind.caught_up.get()).to_string());
    // `still` is taken off by hand once the page lives, see `scroll`.
    view! {
        <div
            id="log"
            class="log still"
            role="log"
            tabindex="0"
            aria-label=name
            aria-busy=busy
            node_ref=room.log
            on:scroll=move |_| scroll::look(room)
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    scroll::to_newest(room);
                }
            }
        >
            <div class="sheet" node_ref=sheet>
                <Above room address edge />
                <For each=move || room.lines.get() key=|line: &Line| line.0.clone() let:line>
                    <LineView line />
                </For>
                <Silence room />
                {(!room.is_live()).then(|| view! {
                    <a class="newest" href=newest>"Newest messages"</a>
                })}
            </div>
        </div>
        <Pill room />
    }
    .boxed()
}

/// What stands above the oldest row: the way to older ones, or the room's beginning.
#[component]
fn Above(
    /// The room.
    room: OpenRoom,
    /// The address of its newest page.
    address: String,
    /// The link, for whoever watches it come near.
    edge: NodeRef<A>,
) -> impl IntoView {
    let connection = Connection::current();
    let more = flag(move || room.oldest.get().is_some());
    let no_more = flag(move || room.oldest.get().is_none());
    let href = text(move || format!("{address}?before={}", room.oldest.get().map_or(0, |seq| seq.0)));
    let words = text(move || if room.loading.get() { "Turning back the pages…" } else { "Older messages" }.to_owned());
    // Both are always there and one is hidden: the watched link stays the same element.
    view! {
        <p class="above" hidden=no_more>
            <a
                class="older"
                href=href
                node_ref=edge
                on:click=move |event| {
                    if room.has_room_above() && scroll::ask_older(connection, room) {
                        event.prevent_default();
                    }
                }
            >
                {words}
            </a>
        </p>
        <p class="beginning" hidden=more>"Beginning of the room"</p>
    }
}

/// The invitation of an empty room.
#[component]
fn Silence(
    /// The room.
    room: OpenRoom,
) -> impl IntoView {
    let spoken = flag(move || !room.silent.get() || !room.is_live());
    view! { <p class="silence" hidden=spoken>"Nobody has said anything yet. Start."</p> }
}

/// The way back to the newest row, with how many came meanwhile.
#[component]
fn Pill(
    /// The room.
    room: OpenRoom,
) -> impl IntoView {
    let words = text(move || match room.fresh.get() {
        0 => "Newest".to_owned(),
        1 => "1 new message".to_owned(),
        count => format!("{count} new messages"),
    });
    let class = text(move || if room.fresh.get() == 0 { "pill" } else { "pill counting" }.to_owned());
    let at_newest: Signal<bool> = room.at_newest.into();
    view! {
        <div class="pill-place">
            <button
                type="button"
                class=class
                hidden=at_newest
                on:click=move |_| scroll::to_newest(room)
            >
                <Icon name="down" />
                <span>{words}</span>
            </button>
        </div>
    }
}
