//! Session tokens: 256 random bits that the browser alone keeps; the store has their SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::store::TokenHash;

/// Bytes of randomness in a token: 256 bits, twice what OWASP ASVS 7.2.3 asks for.
const TOKEN_BYTES: usize = 32;

/// A session's secret, as it stands in the cookie: 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new token from the system's source of randomness.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn mint() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The hash of what a cookie holds; `None` when that cannot be a token.
    #[must_use]
    pub fn hash_of(cookie: &str) -> Option<TokenHash> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok().filter(|bytes| bytes.len() == TOKEN_BYTES)?;
        Some(TokenHash(Sha256::digest(bytes).into()))
    }

    /// The secret, for the cookie alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}
