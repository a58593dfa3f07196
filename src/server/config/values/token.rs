//! Tokens for programs: what the settings say of them. The token itself is known to its holder alone.

use std::fmt;
use std::num::NonZeroU32;

use tertulia_chat::store::TokenHash;
use tertulia_protocol::names::{PersonName, slug_from_url};

use super::Reason;

/// Most tokens: each is looked at whenever a program comes.
const TOKENS: usize = 256;
/// Most rooms that one token names.
const ROOMS: usize = 256;

/// The rooms that a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All, also those that are made later.
    Every,
    /// These, by their place in URLs.
    Rooms(Vec<String>),
}

/// One token's row: `name:hash:rooms[:publish[:rate]]`, the rooms joined by `+`, `*` for all.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenGrant {
    /// As whom its holder speaks.
    pub name: String,
    /// The SHA-256 of the token.
    pub hash: TokenHash,
    /// Which rooms it opens.
    pub scope: Scope,
    /// Whether its holder may write there, not only read.
    pub publish: bool,
    /// Messages per second that it may publish; none leaves the ordinary budget of its address.
    pub rate: Option<NonZeroU32>,
}

impl fmt::Debug for TokenGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenGrant({}, {:?}, publish: {})", self.name, self.scope, self.publish)
    }
}

impl TokenGrant {
    /// Reads the rows, separated by commas.
    pub(in super::super) fn parse_list(text: &str) -> Result<Vec<Self>, Reason> {
        let grants: Vec<Self> = text.split(',').map(|row| Self::parse(row.trim())).collect::<Result<_, _>>()?;
        if grants.len() > TOKENS {
            return Err(Some("there are more than 256 tokens"));
        }
        for (at, grant) in grants.iter().enumerate() {
            if grants[..at].iter().any(|other| other.name == grant.name) {
                return Err(Some("two tokens have the same name"));
            }
            // One would be found under it, and the other's rooms stay shut without a word.
            if grants[..at].iter().any(|other| other.hash == grant.hash) {
                return Err(Some("two tokens have the same hash"));
            }
        }
        Ok(grants)
    }

    fn parse(row: &str) -> Result<Self, Reason> {
        let mut fields = row.split(':');
        let mut field = || fields.next().unwrap_or_default();
        let (name, hash, rooms, publish, rate) = (field(), field(), field(), field(), field());
        if fields.next().is_some() {
            return Err(Some("a token has at most five fields: name, hash, rooms, publish, rate"));
        }
        let name = PersonName::parse(name).map_err(|_| Some("a token's name must be one that a person may have"))?;
        Ok(Self {
            name: name.as_str().to_owned(),
            hash: TokenHash::from_hex(hash).ok_or(Some("a token's hash is 64 hexadecimal digits"))?,
            scope: parse_scope(rooms)?,
            publish: match publish {
                "publish" | "true" => true,
                "read" | "false" | "" => false,
                _ => return Err(Some("after the rooms stands publish or read")),
            },
            rate: match rate {
                "" => None,
                digits => Some(digits.parse().map_err(|_| Some("a token's rate is a whole number from 1"))?),
            },
        })
    }
}

fn parse_scope(text: &str) -> Result<Scope, Reason> {
    if text == "*" {
        return Ok(Scope::Every);
    }
    let rooms: Option<Vec<String>> = text.split('+').map(slug_from_url).collect();
    match rooms {
        Some(rooms) if rooms.len() <= ROOMS => Ok(Scope::Rooms(rooms)),
        Some(_) => Err(Some("a token names more than 256 rooms")),
        None => Err(Some("a token's rooms are the names in their addresses, joined by +, or * for all")),
    }
}
