//! The cases of the Autobahn test suite about the protocol itself (groups 1 to 7, and the one of 10), rewritten as frames
//! and sent to an echo through our own accept loop, handshake and conversation, with the limits of production.

mod case;
mod closing;
mod echo;
mod fragments;
mod framing;
mod opcodes;
mod pings;
mod play;
mod reserved;
mod utf8;

use std::collections::BTreeSet;

use case::Case;

use super::wire;

/// A group: its number, how many cases it has, and what they are.
type Group = (u8, usize, fn() -> Vec<Case>);

/// How many cases the suite has in each group.
const GROUPS: [Group; 8] = [
    (1, 16, framing::cases),
    (2, 11, pings::cases),
    (3, 7, reserved::cases),
    (4, 10, opcodes::cases),
    (5, 20, fragments::cases),
    (6, 145, utf8::cases),
    (7, 37, closing::cases),
    (10, 1, framing::pieces),
];

#[test]
fn no_case_is_lost() {
    let mut numbers = BTreeSet::new();
    for (group, count, cases) in GROUPS {
        let cases = cases();
        assert_eq!(cases.len(), count, "cases of group {group}");
        for case in cases {
            assert!(case.number.starts_with(&format!("{group}.")), "{} is no case of group {group}", case.number);
            assert!(numbers.insert(case.number.clone()), "{} is there twice", case.number);
        }
    }
    assert_eq!(numbers.len(), 247, "216 of groups 12 and 13 are about compression, 54 of group 9 about megabytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_every_length_are_echoed_if_they_are_text() {
    play::all(framing::cases()).await;
    play::all(framing::pieces()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ping_gets_its_pong_and_a_pong_gets_nothing() {
    play::all(pings::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bits_that_nobody_agreed_on_fail_the_connection() {
    play::all(reserved::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opcodes_without_a_meaning_fail_the_connection() {
    play::all(opcodes::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_are_one_message_and_those_out_of_order_fail_the_connection() {
    play::all(fragments::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_is_utf_8_or_is_refused_at_the_first_byte_that_cannot_be() {
    play::all(utf8::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_frame_is_answered_and_nothing_after_it_is_heard() {
    play::all(closing::cases()).await;
}
