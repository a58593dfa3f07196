//! Refusals, and what is done about them.

use super::*;

fn refused(reference: &str, code: Code) -> Next {
    next(Some(reference), &Refusal::new(code, "No."))
}

#[test]
fn a_resume_that_cannot_be_read_now_is_tried_again_like_a_subscribe() {
    for reference in ["hello", "subscribe"] {
        assert_eq!(refused(reference, Code::StorageUnavailable), Next::Follow, "{reference}");
        assert_eq!(refused(reference, Code::Busy), Next::Follow, "{reference}");
    }
    let late = Refusal::new(Code::Other, "Later.").retry_after(5_000);
    assert_eq!(next(Some("hello"), &late), Next::Follow, "a code of tomorrow that names a time");
}

#[test]
fn a_room_that_is_gone_and_a_session_that_is_gone_are_asked_of_the_server() {
    assert_eq!(refused("hello", Code::NotFound), Next::Reload);
    assert_eq!(refused("subscribe", Code::Forbidden), Next::Reload);
    assert_eq!(next(None, &Refusal::new(Code::Unauthorized, "No.")), Next::Reload);
}

#[test]
fn what_cannot_be_helped_by_asking_again_is_not_asked_again() {
    assert_eq!(refused("hello", Code::Already), Next::Nothing);
    assert_eq!(refused("pull", Code::BadCursor), Next::Nothing);
    assert_eq!(refused("history", Code::BadCursor), Next::Page);
    assert_eq!(refused("typing", Code::NotFound), Next::Nothing);
}
