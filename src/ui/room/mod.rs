//! The page of a room: the list of rooms, the conversation, the people.

mod behind;
mod lines;
mod open_room;
mod signs;
#[cfg(test)]
mod tests;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use tertulia_protocol::{BusState, Code, Refusal};

pub use self::lines::Line;
pub use self::open_room::OpenRoom;
use crate::api::{PageError, Visit, visit};
use crate::ui::composer::Composer;
use crate::ui::connection::{Connection, Phase, Standing, Status, StatusLine};
use crate::ui::kit::{Boxed, Icon, PageTitle, Table, browser, flag, text};
use crate::ui::members::{MEMBERS, Members, counted, counted_words};
use crate::ui::sidebar::{ROOMS, Sidebar};
use crate::ui::timeline::TimelineView;

/// The page behind `/r/{slug}`. While the next room is on its way, the one before stays.
#[component]
pub fn RoomPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let slug = Memo::new(move |_| params.with(|params| params.get("slug").unwrap_or_default()));
    let before =
        Memo::new(move |_| query.with(|query| query.get("before").and_then(|number| number.parse().ok()).unwrap_or(0)));
    let visit = Resource::new_blocking(move || (slug.get(), before.get()), |(slug, before)| visit(slug, before));
    view! {
        <Transition>
            {
                // The memo draws a page once per visit, not once per try.
                let visit_now = Memo::new(move |_| visit.get());
                move || {
                    visit_now.get().map(|found| {
                        // A closure is drawn afresh, never over the page before: no draft or place of another room.
                        move || match found.clone() {
                            Ok(visit) => view! { <Page visit /> }.boxed(),
                            Err(PageError(refusal)) => {
                                view! { <Absent refusal again=Callback::new(move |()| visit.refetch()) /> }.boxed()
                            }
                        }
                    })
                }
            }
        </Transition>
    }
}

/// A room that was found.
#[component]
fn Page(
    /// What the server read, at one position.
    visit: Visit,
) -> impl IntoView {
    let connection = Connection::current();
    let room = OpenRoom::new(&visit);
    let you = visit.you.clone();
    Effect::new(move || connection.open(room, &you));
    on_cleanup(move || connection.close(room));
    let bus = visit.bus;
    let status = Memo::new(move |_| status(connection, room, bus));
    let address = address(&visit.snapshot.room.slug);
    let current = visit.snapshot.room.id;
    view! {
        <PageTitle name=room.name />
        <div class="house">
            // To the browser alone: it moves the focus with the place.
            <a class="skip unseen" href="#log" rel="external">"Skip to the conversation"</a>
            <Sidebar rooms=visit.rooms current you=visit.you stocks=visit.stocks cluster=visit.cluster />
            <main class="room">
                <Header room status />
                <TimelineView room address=address.clone() />
                <div class="foot">
                    <Standing status />
                    <Composer room address form_key=visit.form_key />
                </div>
            </main>
            <Members room />
        </div>
    }
}

fn status(connection: Connection, room: OpenRoom, bus: BusState) -> Status {
    let phase = connection.phase();
    let bus = connection.bus().unwrap_or(bus);
    let missing = (!room.behind.caught_up.get()).then(|| room.behind.missing.get());
    Status::of(phase, missing, connection.queued(), connection.is_stuck(), bus)
}

/// The address of a room. A slug is letters, digits, `-` and `_` of any script: nothing to escape.
#[must_use]
pub fn address(slug: &str) -> String {
    format!("/r/{slug}")
}

/// The room's name and topic, how the connection stands, and on small screens the ways to the other panes.
#[component]
fn Header(
    /// The room.
    room: OpenRoom,
    /// How the connection stands.
    status: Memo<Status>,
) -> impl IntoView {
    let no_topic = flag(move || room.topic.with(String::is_empty));
    let count = text(move || counted(room.online_count.get()));
    let people = text(move || counted_words(room.online_count.get()).to_owned());
    let name: Signal<String> = room.name.into();
    let topic: Signal<String> = room.topic.into();
    view! {
        <header class="room-header">
            <button type="button" class="pane-button to-rooms" popovertarget=ROOMS>
                <Icon name="rooms" />
                <span class="unseen">"Rooms"</span>
            </button>
            <div class="room-title">
                <h1 dir="auto">{name}</h1>
                <p class="topic" dir="auto" hidden=no_topic>
                    {topic}
                </p>
            </div>
            <noscript>"Reload to see what is new."</noscript>
            <StatusLine status />
            <button type="button" class="pane-button to-members" popovertarget=MEMBERS>
                <Icon name="people" />
                <span class="count">{count}</span>
                <span class="unseen">{people}</span>
            </button>
        </header>
    }
    .boxed()
}

/// A room that cannot be shown, and what to do about it.
#[component]
fn Absent(
    /// Why.
    refusal: Refusal,
    /// Tries again.
    again: Callback<()>,
) -> impl IntoView {
    let connection = Connection::current();
    let gone = matches!(refusal.code, Code::NotFound | Code::Forbidden);
    let name = match refusal.code {
        Code::NotFound | Code::Forbidden => "No such room",
        Code::StorageUnavailable => "Out of reach for a moment",
        _ => "That did not work",
    };
    let words = match refusal.code {
        Code::NotFound | Code::Forbidden => "This room does not exist, or is not yours to see.".to_owned(),
        Code::StorageUnavailable => {
            "The memory of this house cannot be read right now. Nothing is lost. Try again in a moment.".to_owned()
        }
        _ => refusal.message.into_owned(),
    };
    // The page that was found in this tab's session is no longer to be had with it: in by the door again.
    let nobody = refusal.code == Code::Unauthorized;
    Effect::new(move || {
        if nobody {
            browser::reload();
        }
    });
    // The connection's return is the moment to try again by itself; only from offline to live.
    Effect::new(move |was: Option<Phase>| {
        let phase = connection.phase();
        if !gone && was.is_some_and(|was| was != Phase::Live) && phase == Phase::Live {
            again.run(());
        }
        phase
    });
    view! {
        <PageTitle name=name.to_owned() />
        <main class="absent">
            <Table />
            <h1>{name}</h1>
            <p>{words}</p>
            <p class="ways">
                {(!gone).then(|| view! {
                    <button type="button" class="primary" on:click=move |_| again.run(())>"Try again"</button>
                })}
                <a href="/r/chat">"Go to the lobby"</a>
            </p>
        </main>
    }
}
