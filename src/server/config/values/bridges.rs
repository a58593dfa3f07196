//! Which rooms are joined to which channels of Redis.

use tertulia_chat::bridge::Pair;
use tertulia_protocol::names::slug_from_url;

use super::Reason;

/// Most bridges; each has a connection of its own to Redis.
const MOST: usize = 16;

/// Longest name of a channel, in bytes; it stands in keys and log lines.
const CHANNEL_BYTES: usize = 128;

/// The lobby and its channel.
const LOBBY: &str = "chat";

/// Rooms and their channels, each once, at most 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridges(Vec<Pair>);

impl Bridges {
    /// The lobby, joined to the channel of its name.
    #[must_use]
    pub fn lobby() -> Self {
        Self(vec![Pair { room: LOBBY.to_owned(), channel: LOBBY.to_owned() }])
    }

    /// The pairs.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.0
    }

    /// `none`, or pairs separated by commas.
    pub(in super::super) fn parse(text: &str) -> Result<Self, Reason> {
        if text.trim() == "none" {
            return Ok(Self::default());
        }
        let pairs = text.split(',').map(|pair| parse_pair(pair.trim())).collect::<Result<Vec<_>, _>>()?;
        if pairs.len() > MOST {
            return Err(Some("there are too many"));
        }
        for (at, pair) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|other| other.room == pair.room || other.channel == pair.channel) {
                return Err(Some("a room or a channel stands there twice"));
            }
        }
        Ok(Self(pairs))
    }
}

fn parse_pair(text: &str) -> Result<Pair, Reason> {
    let (room, channel) = text.split_once('=').ok_or(Some("each pair is room=channel"))?;
    let room = slug_from_url(room.trim()).ok_or(Some("no room can have this name in its URL"))?;
    let channel = channel.trim();
    let visible = channel.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=');
    if channel.is_empty() || channel.len() > CHANNEL_BYTES || !visible {
        return Err(Some("no channel can have this name"));
    }
    Ok(Pair { room, channel: channel.to_owned() })
}
