//! `Idempotency-Key`: the caller's name of one message, in any spelling, as the key that SQL keeps.

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use tertulia_protocol::{Code, Key, Refusal, RoomId};

/// The header.
const HEADER: &str = "idempotency-key";
/// Longest key, in bytes: what others who take such keys allow (255), rounded up.
const BYTES: usize = 256;

/// The key of this request: a new one unless it names its own. The same name in another room or by another program is
/// another key, and so it is from another author, since keys are told apart by author.
///
/// # Errors
/// `bad_field` for a name that is empty, longer than 256 bytes, not visible ASCII, or there twice.
pub(super) fn key_of(headers: &HeaderMap, room: RoomId, keyring: &str) -> Result<Key, Refusal> {
    let mut given = headers.get_all(HEADER).iter();
    let Some(first) = given.next() else { return Ok(Key::mint()) };
    let name = first.to_str().ok().filter(|name| (1..=BYTES).contains(&name.len()) && given.next().is_none());
    let unusable = || {
        let sentence = "The header Idempotency-Key has 1 to 256 characters of ASCII, once.";
        Refusal::new(Code::BadField, sentence).field("idempotency-key").limit(BYTES as u64)
    };
    let name = name.ok_or_else(unusable)?;
    // Neither a program's name nor a key holds the separator.
    let digest = Sha256::new().chain_update(b"publish\0").chain_update(room.0.to_be_bytes());
    let digest = digest.chain_update(keyring).chain_update(b"\0").chain_update(name);
    Ok(Key::derived(digest.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, room: i64) -> Result<Key, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, name.parse().expect("a header's value"));
        key_of(&headers, RoomId(room), "").map_err(|refusal| refusal.code)
    }

    #[test]
    fn programs_have_keys_of_their_own_whoever_they_speak_for() {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, "order-17".parse().expect("a header's value"));
        let of = |keyring| key_of(&headers, RoomId(1), keyring).map_err(|refusal| refusal.code);
        assert_eq!(of("backup"), of("backup"));
        assert_ne!(of("backup"), of("deploy"));
        assert_ne!(of("backup"), of(""));
    }

    #[test]
    fn one_name_is_one_key_in_one_room() {
        assert_eq!(key("order-17", 1), key("order-17", 1));
        assert_ne!(key("order-17", 1), key("order-17", 2));
        assert_ne!(key("order-17", 1), key("order-18", 1));
        let none = HeaderMap::new();
        assert_ne!(
            key_of(&none, RoomId(1), ""),
            key_of(&none, RoomId(1), ""),
            "without a name each request is its own"
        );
    }

    #[test]
    fn a_name_that_cannot_be_one_is_refused() {
        assert!(key(&"x".repeat(BYTES), 1).is_ok());
        for name in ["", &"x".repeat(BYTES + 1)] {
            assert_eq!(key(name, 1), Err(Code::BadField), "{} bytes", name.len());
        }
        let mut twice = HeaderMap::new();
        twice.append(HEADER, "a".parse().expect("a value"));
        twice.append(HEADER, "b".parse().expect("a value"));
        assert!(key_of(&twice, RoomId(1), "").is_err());
    }
}
