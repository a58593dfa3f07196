//! What the others said of themselves, bounded and forgotten in time. Pure state with the time passed in.

use std::collections::HashMap;
use std::time::Duration;

use tertulia_protocol::RoomId;
use tertulia_protocol::cluster::{Instance, Standing};
use tokio::time::Instant;

use super::vital::{Vital, is_name};

/// Most other instances that are kept; what comes over the bus is untrusted, and ten are a large cluster.
pub(crate) const OTHERS: usize = 63;
/// After this long without a word an instance is shown as silent: two words missed and one late.
const SILENT_AFTER: Duration = Duration::from_millis(3_500);
/// After this long it is forgotten; but for one that said it is cut: it will not speak before it is healed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5);

/// The other instances, as far as they were heard.
#[derive(Default)]
pub(crate) struct Others(HashMap<String, (Instant, Vital)>);

impl Others {
    /// An instance says how it is; `false` when it is not believed.
    pub(crate) fn hear(&mut self, from: &str, vital: Vital, now: Instant) -> bool {
        let Some(vital) = vital.bounded().filter(|_| is_name(from)) else { return false };
        if !self.0.contains_key(from) {
            self.forget(now);
            if self.0.len() >= OTHERS {
                return false;
            }
        }
        self.0.insert(from.to_owned(), (now, vital));
        true
    }

    /// An instance says goodbye.
    pub(crate) fn gone(&mut self, from: &str) {
        self.0.remove(from);
    }

    /// Forgets whoever was not heard for long.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.0.retain(|_, (heard, vital)| now.saturating_duration_since(*heard) <= believed_for(vital));
    }

    /// Whether this instance has been heard of.
    #[must_use]
    pub(crate) fn knows(&self, node: &str) -> bool {
        self.0.contains_key(node)
    }

    /// Those who follow a room, as far as they named it.
    pub(crate) fn following(&self, room: RoomId) -> impl Iterator<Item = &str> {
        let follows = move |(_, vital): &(Instant, Vital)| vital.cut_s.is_none() && vital.following.contains(&room);
        self.0.iter().filter(move |(_, heard)| follows(heard)).map(|(node, _)| node.as_str())
    }

    /// All of them as they are shown.
    pub(crate) fn instances(&self, now: Instant) -> impl Iterator<Item = Instance> {
        self.0.iter().map(move |(node, (heard, vital))| {
            let silent_for = now.saturating_duration_since(*heard);
            let mut shown = shown(node, vital, false);
            if let Some(left) = vital.cut_s {
                shown.cut_s = Some(left.saturating_sub(silent_for.as_secs()));
                shown.uptime_s = vital.up_s + silent_for.as_secs();
            } else if silent_for > SILENT_AFTER {
                shown.standing = Standing::Silent;
            }
            shown
        })
    }
}

fn believed_for(vital: &Vital) -> Duration {
    FORGOTTEN_AFTER + Duration::from_secs(vital.cut_s.unwrap_or(0))
}

/// An instance as it is shown.
pub(crate) fn shown(node: &str, vital: &Vital, here: bool) -> Instance {
    let standing = match vital {
        Vital { cut_s: Some(_), .. } => Standing::Cut,
        Vital { degraded: true, .. } => Standing::Degraded,
        _ => Standing::Live,
    };
    Instance {
        id: node.to_owned(),
        name: vital.name.clone(),
        here,
        standing,
        uptime_s: vital.up_s,
        sockets: vital.sockets,
        rooms: vital.rooms,
        in_tenths: vital.said,
        out_tenths: vital.told,
        echo_us: vital.echo_us,
        cut_s: vital.cut_s,
        island: vital.island,
    }
}
