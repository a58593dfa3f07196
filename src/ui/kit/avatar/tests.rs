//! Initials of the names people have.

use super::*;

#[test]
fn initials_are_of_the_first_and_the_last_word() {
    assert_eq!(initials("Ana"), "A");
    assert_eq!(initials("Jordi Puig i Cadafalch"), "JC");
    assert_eq!(initials("élodie"), "É");
    assert_eq!(initials(""), "");
}

#[test]
fn neighbours_have_different_hues_and_every_id_has_one() {
    assert_ne!(hue(UserId(1)), hue(UserId(2)));
    assert_eq!(hue(UserId(i64::MIN)), hue(UserId(i64::MIN)));
    assert_eq!(hue(UserId(0)), "hue-0");
}
