//! The outbox beyond its page by example: what is kept, who takes it over, and who does not.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use tertulia_protocol::{Code, Refusal, RoomId, frame};

use super::{ANSWER_MS, Closed, Kept, NAMES, PAGES, SETTLE_MS, Shared, forget_all, is_outbox};
use crate::testing::key;

/// A browser's storage, which can fill up and be closed.
#[derive(Default)]
pub(super) struct Storage {
    pub(super) texts: RefCell<BTreeMap<String, String>>,
    pub(super) full: Cell<bool>,
    pub(super) closed: Cell<bool>,
}

impl Shared for Storage {
    fn names(&self) -> Vec<String> {
        self.texts.borrow().keys().filter(|_| !self.closed.get()).cloned().collect()
    }

    fn read(&self, name: &str) -> Result<Option<String>, Closed> {
        if self.closed.get() { Err(Closed) } else { Ok(self.texts.borrow().get(name).cloned()) }
    }

    fn write(&self, name: &str, text: &str) -> bool {
        if self.full.get() || self.closed.get() {
            return false;
        }
        self.texts.borrow_mut().insert(name.to_owned(), text.to_owned());
        true
    }

    fn remove(&self, name: &str) {
        if !self.closed.get() {
            self.texts.borrow_mut().remove(name);
        }
    }
}

fn send(number: i64) -> frame::Send {
    frame::Send { room: RoomId(1), key: key(number), body: format!("message {number}"), reply_to: None }
}

fn page_of(whose: &str, name: &str) -> Kept {
    let mut kept = Kept::new();
    kept.begin(name.to_owned(), whose.to_owned());
    kept
}

fn page(name: &str) -> Kept {
    page_of("ana", name)
}

/// A page that said these, and none was answered.
fn page_with(shared: &Storage, name: &str, numbers: &[i64]) -> Kept {
    let mut page = page(name);
    for number in numbers {
        page.change(shared, |outbox| outbox.push(send(*number)));
    }
    page
}

fn held(page: &Kept) -> Vec<i64> {
    let number = |(send, _): (&frame::Send, _)| send.body.rsplit(' ').next().unwrap().parse().unwrap();
    page.outbox().held().map(number).collect()
}

#[test]
fn what_a_page_leaves_is_taken_over_once_with_its_keys_and_its_order() {
    let shared = Storage::default();
    let gone = page_with(&shared, "gone", &[2, 1]);
    let name = gone.name();
    drop(gone);

    let (mut next, mut late) = (page("next"), page("late"));
    assert_eq!(next.others(&shared), [name.as_str()], "premise: it lies there");
    assert!(next.take(&shared, &name));
    assert!(!late.take(&shared, &name), "it is taken");
    assert_eq!((held(&next), held(&late)), (vec![2, 1], vec![]));
    assert_eq!(next.take_ready(&shared, 0.0)[0].key, key(2));
    next.change(&shared, |outbox| outbox.acked(key(2)));
    next.change(&shared, |outbox| outbox.acked(key(1)));
    assert!(shared.names().is_empty(), "nothing waits, so nothing lies there");
}

#[test]
fn it_is_kept_before_it_can_be_sent() {
    let shared = Storage::default();
    let page = page_with(&shared, "page", &[1]);
    assert!(shared.read(&page.name()).unwrap().unwrap().contains("message 1"));
}

#[test]
fn what_failed_is_taken_over_as_failed() {
    let shared = Storage::default();
    let mut gone = page_with(&shared, "gone", &[1]);
    let refusal = Refusal::new(Code::TooLong, "too long");
    gone.change(&shared, |outbox| outbox.nacked(key(1), &refusal, 0.0));
    let mut next = page("next");
    next.take(&shared, &gone.name());
    let held: Vec<_> = next.outbox().held().map(|(send, refusal)| (send.key, refusal.cloned())).collect();
    assert_eq!(held, [(key(1), Some(refusal))]);
    assert!(next.change(&shared, |outbox| outbox.retry(key(1))));
}

#[test]
fn what_another_person_wrote_is_never_sent_and_removed_once_their_page_has_ended() {
    let shared = Storage::default();
    let gone = page_with(&shared, "gone", &[1]);
    let mut other = page_of("bruno", "other");
    assert_eq!(other.waiting_elsewhere(&shared), 0);
    assert!(!other.take(&shared, &gone.name()));
    assert_eq!((held(&other), shared.names().len()), (vec![], 0));
}

#[test]
fn what_cannot_be_read_is_removed_and_what_another_version_keeps_is_left() {
    let shared = Storage::default();
    let (broken, later) = (format!("{NAMES}broken"), "outbox.2/later".to_owned());
    shared.write(&broken, "{");
    shared.write(&later, "whatever it means");
    let mut next = page("next");
    assert_eq!(next.others(&shared), [broken.as_str()]);
    assert_eq!(next.claim(&shared, &broken), Some(SETTLE_MS));
    assert!(next.stands(&shared, &broken));
    assert!(!next.take(&shared, &broken));
    assert_eq!(shared.names(), [later.as_str()]);
    assert!(is_outbox(&later));
    forget_all(&shared);
    assert!(shared.names().is_empty(), "who leaves takes everything along");
}

#[test]
fn a_claim_is_answered_by_a_page_that_lives() {
    let shared = Storage::default();
    let mut living = page_with(&shared, "living", &[1]);
    let (next, name) = (page("next"), living.name());
    assert_eq!(next.claim(&shared, &name), Some(ANSWER_MS));
    assert!(next.stands(&shared, &name), "premise: not answered yet");
    living.answer(&shared);
    assert!(!next.stands(&shared, &name));
    assert_eq!(held(&living), [1]);
}

#[test]
fn of_two_claims_the_last_one_stands() {
    let shared = Storage::default();
    let gone = page_with(&shared, "gone", &[1]);
    let (one, two) = (page("one"), page("two"));
    one.claim(&shared, &gone.name());
    two.claim(&shared, &gone.name());
    assert_eq!((one.stands(&shared, &gone.name()), two.stands(&shared, &gone.name())), (false, true));
}

#[test]
fn a_page_that_left_in_order_is_not_waited_for_and_may_come_back() {
    let shared = Storage::default();
    let mut left = page_with(&shared, "left", &[1]);
    let (next, name) = (page("next"), left.name());
    assert!(!next.has_left(&shared, &name));
    left.leave(&shared);
    assert!(next.has_left(&shared, &name));
    assert_eq!(next.claim(&shared, &name), Some(SETTLE_MS));
    left.answer(&shared);
    assert!(!next.stands(&shared, &name) && !next.has_left(&shared, &name));
    assert_eq!((held(&left), left.given_up()), (vec![1], vec![]));
}

#[test]
fn a_page_that_stood_still_finds_that_its_outbox_was_taken() {
    let shared = Storage::default();
    let mut still = page_with(&shared, "still", &[1, 2]);
    let mut next = page("next");
    assert!(next.take(&shared, &still.name()));
    assert_eq!(still.take_ready(&shared, 0.0), [], "another page sends it");
    still.change(&shared, |outbox| outbox.push(send(3)));
    assert_eq!(still.take_ready(&shared, 0.0), [send(3)], "what it is told from then on is its own");
    assert_eq!((still.given_up(), still.given_up()), (vec![key(1), key(2)], vec![]));
    assert_eq!((held(&still), held(&next)), (vec![3], vec![1, 2]));
}

#[test]
fn a_page_that_leaves_does_not_put_back_what_was_taken() {
    let shared = Storage::default();
    let mut still = page_with(&shared, "still", &[1]);
    page("next").take(&shared, &still.name());
    still.leave(&shared);
    assert_eq!(shared.read(&still.name()), Ok(None));
}

#[test]
fn where_nothing_can_be_kept_it_works_until_the_page_ends() {
    let shared = Storage::default();
    shared.closed.set(true);
    let mut page = page_with(&shared, "page", &[1]);
    assert_eq!(page.take_ready(&shared, 0.0).len(), 1);
    shared.closed.set(false);
    page.answer(&shared);
    assert_eq!(held(&page), [1], "that nothing lies there says nothing: it never did");
}

#[test]
fn a_storage_that_closes_for_a_while_takes_nothing_away() {
    let shared = Storage::default();
    let mut page = page_with(&shared, "page", &[1]);
    shared.closed.set(true);
    page.answer(&shared);
    assert_eq!((held(&page), page.given_up()), (vec![1], vec![]));
}

#[test]
fn what_does_not_fit_stays_where_it_is() {
    let shared = Storage::default();
    let gone = page_with(&shared, "gone", &[1]);
    let mut next = page("next");
    shared.full.set(true);
    assert!(!next.take(&shared, &gone.name()));
    assert_eq!(next.waiting_elsewhere(&shared), 1);
    shared.full.set(false);
    assert!(next.take(&shared, &gone.name()));
    assert_eq!((held(&next), next.waiting_elsewhere(&shared)), (vec![1], 0));
}

#[test]
fn a_text_that_could_not_be_replaced_is_not_found_by_others_once_nothing_waits() {
    let shared = Storage::default();
    let mut page = page_with(&shared, "page", &[1]);
    shared.full.set(true);
    page.change(&shared, |outbox| outbox.push(send(2)));
    for number in [1, 2] {
        assert!(page.change(&shared, |outbox| outbox.discard(key(number))));
    }
    assert!(shared.names().is_empty());
}

#[test]
fn no_more_pages_are_looked_at_than_anybody_has() {
    let shared = Storage::default();
    let pages: Vec<Kept> = (0..100).map(|number| page_with(&shared, &format!("page {number}"), &[number])).collect();
    let mut next = page("next");
    assert_eq!(next.others(&shared).len(), PAGES);
    for _ in 0..2 {
        for name in next.others(&shared) {
            next.take(&shared, &name);
        }
    }
    assert_eq!(held(&next).len(), pages.len(), "the others' turn came");
}
