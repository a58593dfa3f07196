//! The words around the composer.

use super::*;

#[test]
fn who_types_is_said_by_name_up_to_two() {
    assert_eq!(typing_words([].into_iter()), "");
    assert_eq!(typing_words(["Ana"].into_iter()), "Ana is typing…");
    assert_eq!(typing_words(["Ana", "Bruno"].into_iter()), "Ana and Bruno are typing…");
    assert_eq!(typing_words(["Ana", "Bruno", "Cesc"].into_iter()), "Several people are typing…");
}

#[test]
fn the_counter_says_how_much_is_too_much() {
    assert_eq!(counted(9_501), "9,501 of 10,000 characters");
    assert_eq!(counted(10_000), "10,000 of 10,000 characters");
    assert_eq!(counted(10_001), "1 character more than the 10,000 that fit");
    assert_eq!(counted(10_012), "12 characters more than the 10,000 that fit");
    assert_eq!(counted(51_003), "41,003 characters more than the 10,000 that fit");
    assert!(Body::parse(&"x".repeat(10_001)).is_err_and(|refusal| refusal.message.contains("10,000 characters")));
}
