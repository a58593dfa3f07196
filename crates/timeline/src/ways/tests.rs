//! When a tab gives sockets up, and when it comes back to them.

use super::{LEFT_ALONE_MS, Way, Ways};

const NOW: i64 = 1_773_772_200_000;

fn blocked() -> Ways {
    let mut ways = Ways::new();
    assert!(!ways.silent(Way::Socket), "premise: one may be bad luck");
    assert!(ways.silent(Way::Socket), "premise: two are asked about");
    ways.blocked(NOW);
    ways
}

#[test]
fn sockets_come_first_and_a_stream_after_two_that_were_silent_while_the_server_answers() {
    let mut ways = Ways::new();
    assert_eq!(ways.next(NOW), Way::Socket);
    ways.silent(Way::Socket);
    ways.silent(Way::Socket);
    assert_eq!(ways.next(NOW), Way::Socket, "a server that answers nothing is no reason");
    ways.blocked(NOW);
    assert_eq!(ways.next(NOW), Way::Stream);
}

#[test]
fn a_socket_on_which_anything_was_heard_begins_the_count_anew() {
    let mut ways = Ways::new();
    ways.silent(Way::Socket);
    ways.heard(Way::Socket);
    assert!(!ways.silent(Way::Socket));
}

#[test]
fn sockets_are_tried_again_after_a_while_and_one_more_silent_one_is_enough() {
    let mut ways = blocked();
    assert_eq!(ways.next(NOW + LEFT_ALONE_MS), Way::Stream);
    let later = NOW + LEFT_ALONE_MS + 1;
    assert_eq!(ways.next(later), Way::Socket);
    assert!(ways.silent(Way::Socket));
    ways.blocked(later);
    assert_eq!(ways.next(later), Way::Stream);
    ways.heard(Way::Stream);
    assert_eq!(ways.next(later), Way::Stream, "what is heard on a stream says nothing about sockets");
    ways.heard(Way::Socket);
    assert_eq!((ways.next(later), ways), (Way::Socket, Ways::new()));
}

#[test]
fn a_stream_that_fails_is_no_news_about_sockets() {
    let mut ways = blocked();
    assert!(!ways.silent(Way::Stream));
    assert_eq!(ways.next(NOW), Way::Stream);
}

#[test]
fn a_reload_knows_what_the_tab_knew_and_believes_nothing_else() {
    let known = Ways::recalled(&blocked().to_recall());
    assert_eq!((known.next(NOW), &known), (Way::Stream, &blocked()));
    assert_eq!(Ways::new().to_recall(), "");
    for text in ["", "soon", "NaN", "1.5", "1e9", "99999999999999999999"] {
        assert_eq!(Ways::recalled(text), Ways::new(), "{text}");
    }
    // A clock that was wrong by a year when it was written.
    for until in [1_805_308_200_000, i64::MAX, i64::MIN] {
        assert_eq!(Ways::recalled(&until.to_string()).next(NOW), Way::Socket, "{until}");
    }
}
