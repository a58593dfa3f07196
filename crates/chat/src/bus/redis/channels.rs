//! The names of channels, in both directions, and of keys; built from internal ids only, never from what people type.

use tertulia_protocol::RoomId;

use crate::bus::Topic;

/// The channels of one deployment and one instance.
pub(super) struct Channels {
    prefix: String,
    instance: String,
    everyone: String,
    heartbeat: String,
    vacant: String,
}

/// What a channel's name means to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Subject {
    News(Topic),
    Heartbeat,
    /// Some office was given up.
    Vacant,
}

impl Channels {
    pub(super) fn new(prefix: &str, instance: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            instance: instance.to_owned(),
            everyone: format!("{prefix}:all"),
            heartbeat: format!("{prefix}:hb:{instance}"),
            vacant: format!("{prefix}:vacant"),
        }
    }

    /// What every connection subscribes to before any room.
    pub(super) fn always(&self) -> Vec<String> {
        vec![self.everyone.clone(), self.heartbeat.clone(), self.vacant.clone()]
    }

    pub(super) fn heartbeat(&self) -> &str {
        &self.heartbeat
    }

    /// Where it is said that an office was given up.
    pub(super) fn vacant(&self) -> &str {
        &self.vacant
    }

    /// This instance, as leases name their holder.
    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// The key of an office's lease.
    pub(super) fn office(&self, name: &str) -> String {
        format!("{}:office:{name}", self.prefix)
    }

    /// The key of what is remembered beside an office.
    pub(super) fn mark(&self, office: &str) -> String {
        format!("{}:{office}", self.prefix)
    }

    /// Whether a channel of this name is for the instances alone.
    pub(super) fn is_ours(&self, channel: &str) -> bool {
        channel.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with(':'))
    }

    pub(super) fn topic(&self, topic: Topic) -> String {
        match topic {
            Topic::Everyone => self.everyone.clone(),
            Topic::Room(room) => self.room(room),
        }
    }

    /// The braces are literal: in a Redis Cluster they keep all of a room's channels in one slot.
    pub(super) fn room(&self, room: RoomId) -> String {
        format!("{}:{{r{room}}}:log", self.prefix)
    }

    /// `None` for a channel that we would not have built ourselves.
    pub(super) fn subject(&self, channel: &str) -> Option<Subject> {
        if channel == self.everyone {
            return Some(Subject::News(Topic::Everyone));
        }
        if channel == self.heartbeat {
            return Some(Subject::Heartbeat);
        }
        if channel == self.vacant {
            return Some(Subject::Vacant);
        }
        let id = channel.strip_prefix(&self.prefix)?.strip_prefix(":{r")?.strip_suffix("}:log")?;
        let room = RoomId(id.parse().ok()?);
        // One spelling per room: "+1" and "01" parse too.
        (self.room(room) == channel).then_some(Subject::News(Topic::Room(room)))
    }
}
