//! What the tests of this crate share.

use tertulia_protocol::Key;

/// The key with this number, of which 48 bits count.
pub(crate) fn key(number: i64) -> Key {
    Key::parse(&format!("00000000-0000-7000-8000-{:012x}", number & 0xFFFF_FFFF_FFFF)).unwrap()
}
