//! The table against the codes that exist.

use super::*;
use tertulia_protocol::Code;

#[test]
fn every_code_a_form_can_get_has_its_sentence() {
    for code in [
        Code::Empty,
        Code::TooLong,
        Code::BadChar,
        Code::BadName,
        Code::NameReserved,
        Code::NotFound,
        Code::Forbidden,
        Code::Unauthorized,
        Code::RateLimited,
        Code::Busy,
        Code::StorageUnavailable,
        Code::Uncertain,
        Code::Internal,
    ] {
        assert!(sentence(code.as_str()).is_some(), "{}", code.as_str());
    }
}

#[test]
fn words_of_the_address_are_never_echoed() {
    assert_eq!(sentence("<script>alert(1)</script>"), None);
    assert_eq!(sentence(""), None);
}
