//! What every backend of [`Store`] must hold, word for word. `store_conformance!` makes one test per property.
//!
//! A backend brings a function that makes an empty [`Database`]; see the `SQLite` tests for an example.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "these are tests, also when another package compiles them under the feature `conformance`"
)]

mod authors;
mod instances;
mod keys;
mod log;
mod model;
mod moves;
mod reads;
mod rooms;
mod sessions;
mod tellings;

use std::sync::Arc;

use async_trait::async_trait;
use tertulia_protocol::{Change, Entry, Key, Person, RoomId, RoomInfo, Seq};

use super::{Appended, Draft, Store, TokenHash};

pub use authors::*;
pub use instances::*;
pub use keys::*;
pub use log::*;
pub use model::*;
pub use moves::*;
pub use reads::*;
pub use rooms::*;
pub use sessions::*;
pub use tellings::*;

/// An empty database of its own for one test; gone when this is dropped.
#[async_trait]
pub trait Database: Send + Sync {
    /// Opens one more store on it, as another instance would. Dropping the store closes it.
    async fn open(&self) -> Arc<dyn Store>;
}

/// Makes one test per property; `$fresh` is an `async fn() -> impl Database`.
#[macro_export]
macro_rules! store_conformance {
    ($fresh:path) => {
        $crate::store_conformance! { @each $fresh;
            a_fresh_store_has_the_lobby
            numbers_are_contiguous_under_many_writers_and_rooms
            what_one_task_appends_keeps_its_order
            what_is_appended_at_once_keeps_its_order_and_each_has_its_answer
            an_unknown_room_is_refused_and_an_unknown_author_stores_nothing
            every_change_reads_back_as_written
            a_room_follows_its_log
            a_repeat_returns_the_first_entry_whatever_its_content
            a_repeat_in_another_room_names_the_first_room
            another_authors_equal_key_is_another_action
            of_100_parallel_equal_sends_one_is_stored
            pages_heads_and_snapshots_agree
            bounds_hold_at_the_edges
            a_page_is_bounded_in_bytes_and_never_empty
            what_was_answered_is_seen
            a_snapshot_is_of_one_moment
            of_50_parallel_makers_one_makes_the_room
            rooms_are_found_and_listed_in_order
            what_moved_after_a_mark_is_told_once_in_the_order_of_commits
            no_move_of_another_instance_is_missed_while_both_write
            a_telling_begins_once_and_what_was_told_only_grows
            of_many_who_join_a_room_to_a_channel_one_says_where_it_begins
            a_session_lives_expires_and_ends
            an_author_is_one_person_per_name
            what_ended_is_purged_and_nobody_who_left_a_trace
            a_check_leaves_no_trace
            two_instances_interleave_without_gap_or_double
            an_equal_key_at_two_instances_is_stored_once
            reopening_keeps_everything
            random_histories_agree_with_the_model
        }
    };
    (@each $fresh:path; $($property:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $property() {
                $crate::store::conformance::$property(&$fresh().await).await;
            }
        )*
    };
}

/// The moment at which everything in this suite happens, in Unix milliseconds.
const NOW: i64 = 1_790_000_000_000;

/// More than any log of this suite has.
const ALL: usize = 1_000_000;

async fn guest(store: &dyn Store, name: &str) -> Person {
    store.create_guest(name, TokenHash(rand::random()), NOW, NOW + 1).await.unwrap()
}

async fn room(store: &dyn Store, slug: &str, by: &Person) -> RoomInfo {
    let (room, made) = store.create_room(slug, slug, by, NOW).await.unwrap();
    assert!(made, "{slug} is new");
    room
}

fn post(room: RoomId, by: &Person, body: impl Into<String>) -> Draft {
    let change = Change::Posted { body: body.into(), reply_to: None };
    Draft { room, by: by.clone(), key: Key::mint(), change, at: NOW }
}

async fn say(store: &dyn Store, room: RoomId, by: &Person, body: impl Into<String>) -> Appended {
    store.append(post(room, by, body)).await.unwrap()
}

/// The whole log, page by page, checked to be contiguous from 1.
async fn whole_log(store: &dyn Store, room: RoomId) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let last = log.last().map_or(Seq::ZERO, |entry| entry.seq);
        let page = store.entries_after(room, last, 100).await.unwrap();
        if page.is_empty() {
            break;
        }
        log.extend(page);
    }
    for (expected, entry) in (1..).zip(&log) {
        assert_eq!(entry.seq, Seq(expected), "the log of room {room} has neither hole nor double");
    }
    log
}

fn bodies(log: &[Entry]) -> Vec<&str> {
    log.iter()
        .filter_map(|entry| match &entry.change {
            Change::Posted { body, .. } => Some(body.as_str()),
            _ => None,
        })
        .collect()
}
