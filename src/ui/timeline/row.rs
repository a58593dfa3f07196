//! One row: who, when, what, and how sure it is. The elements stay for the row's life; only what changed
//! is drawn again, so a confirmed message is neither flashed nor read out twice.

use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use tertulia_protocol::{Key, Refusal};
use tertulia_timeline::{Row, RowId, RowState, What};

use super::body::Body;
use super::notes;
use crate::ui::connection::Connection;
use crate::ui::kit::clock::Time;
use crate::ui::kit::{Avatar, Boxed, Clock, Icon, calendar, part, text};
use crate::ui::room::Line;

/// A row with the divider of its day.
#[component]
pub fn LineView(
    /// Which row, and what it shows now.
    line: Line,
) -> impl IntoView {
    let (id, shown) = line;
    let row = RwSignal::from(shown);
    let is_note = row.with_untracked(|row| matches!(row.what, What::Note(_)));
    let key = match id {
        RowId::Key(_, key) => Some(key),
        RowId::Entry(_) | RowId::Presence(_) => None,
    };
    view! {
        <div class="line" id=id.dom_id()>
            <Day row />
            {if is_note {
                Either::Left(view! { <p class="note">{text(move || row.with(|row| notes::words(row)))}</p> })
            } else {
                Either::Right(view! { <Message row key /> })
            }}
        </div>
    }
    .boxed()
}

/// The divider before the first row of a day.
#[component]
fn Day(
    /// The row it stands before.
    row: RwSignal<Arc<Row>>,
) -> impl IntoView {
    let clock = Clock::current();
    let day = Memo::new(move |_| row.with(|row| row.new_day.then(|| calendar::day(row.at, clock.offset()))));
    part(move || day.get().map(|day| view! { <p class="day"><span>{day}</span></p> }.boxed()))
}

/// The classes of a message, for its looks alone.
fn class(row: &Row) -> String {
    let mut class = "message".to_owned();
    for (name, holds) in [
        (" mine", row.mine),
        (" joined", row.joined),
        (" pending", row.state == RowState::Pending),
        (" failed", matches!(row.state, RowState::Failed { .. })),
    ] {
        if holds {
            class.push_str(name);
        }
    }
    class
}

/// A message. The author is always in the text, seen or not, because a listener cannot see that rows join.
#[component]
fn Message(
    /// What it shows now.
    row: RwSignal<Arc<Row>>,
    /// The action that posted it.
    key: Option<Key>,
) -> impl IntoView {
    let who = Signal::derive(move || row.with(|row| row.by.clone()));
    let at = Signal::derive(move || row.with(|row| row.at));
    let class = text(move || row.with(|row| class(row)));
    let author = text(move || who.with(|who| who.name.clone()));
    let what = Memo::new(move |_| row.with(|row| row.what.clone()));
    view! {
        <article class=class>
            <Avatar who />
            <p class="byline">
                <b class="author" dir="auto">{author}</b>
                " "
                <Time at />
            </p>
            <Body what />
            {part(move || row.with(|row| state(&row.state, key)))}
        </article>
    }
}

/// How sure it is, in words and a mark; nothing once it is in the log.
fn state(state: &RowState, key: Option<Key>) -> Option<AnyView> {
    match state {
        RowState::Confirmed { .. } => None,
        RowState::Pending => Some(
            view! {
                <span class="sending">
                    <Icon name="clock" />
                    <span class="unseen">"Sending"</span>
                </span>
            }
            .boxed(),
        ),
        RowState::Failed { refusal } => Some(view! { <Failed refusal=refusal.clone() key /> }.boxed()),
    }
}

/// A message that was refused: why, and the two ways on.
#[component]
fn Failed(
    /// Why.
    refusal: Refusal,
    /// The action that posted it.
    key: Option<Key>,
) -> impl IntoView {
    let connection = Connection::current();
    let act = move |act: fn(Connection, Key)| {
        if let Some(key) = key {
            act(connection, key);
        }
    };
    view! {
        <div class="why">
            <Icon name="alert" />
            <span>"Not sent. "{refusal.message.into_owned()}</span>
            <button type="button" class="small" on:click=move |_| act(Connection::retry)>"Retry"</button>
            <button type="button" class="small" on:click=move |_| act(Connection::discard)>"Discard"</button>
        </div>
    }
}
