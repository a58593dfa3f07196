//! How many are here, in words.

use super::*;

#[test]
fn one_is_a_person_and_more_are_people() {
    let said = |online| counted(online) + counted_words(online);
    assert_eq!(said(1), "1 person online");
    assert_eq!(said(2), "2 people online");
}

#[test]
fn of_a_number_that_is_not_known_nothing_is_said() {
    assert_eq!(counted(0) + counted_words(0), "Who is online");
}
