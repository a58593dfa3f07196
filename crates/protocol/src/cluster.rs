//! The picture of the cluster: what `/cluster` draws and `GET /feeds/cluster` tells, once a second.
//!
//! Whole numbers only, so that the smallest reader can read it; names are shown as they are, never as markup.

use serde::Serialize;

use crate::json::{FromJson, Misread, Value};

/// Everything that one instance knows of the cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The instances, by name; the one that answers among them.
    pub instances: Vec<Instance>,
    /// Whether instances speak through Redis; without, there is one instance and nothing to draw between.
    pub redis: bool,
    /// Whether the bus of the instance that answers can be cut by the switch.
    pub switch: bool,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// Its name on the bus, unlike any other's: what [`Sent`] speaks of.
    pub id: String,
    /// Its name for people; the host may have given two the same.
    pub name: String,
    /// Whether it is the one that answers.
    pub here: bool,
    /// How it stands.
    pub standing: Standing,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Open WebSockets.
    pub sockets: u64,
    /// Rooms that somebody there follows, or followed a moment ago.
    pub rooms: u64,
    /// Messages stored through it, in tenths per second, over the last 3 s.
    pub in_tenths: u64,
    /// Messages delivered to its sockets, in tenths per second, over the last 3 s.
    pub out_tenths: u64,
    /// The way to Redis and back, in microseconds; none without Redis, or while it does not answer.
    pub echo_us: Option<u64>,
    /// Seconds until a cut heals by itself, while its bus is cut by the switch.
    pub cut_s: Option<u64>,
    /// Whether it reads nothing from SQL for comparison either, while it is cut.
    pub island: bool,
}

/// How an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It hears the others, and has missed nothing.
    Live,
    /// Its bus is away; it reads from SQL what it misses.
    Degraded,
    /// Its bus was cut by the switch.
    Cut,
    /// It has not been heard of for a moment.
    Silent,
}

/// A message that travels, as far as this instance knows: from a browser over `from` to the instances of `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The instance that stored it.
    pub from: String,
    /// The other instances with somebody in that room, as they last said.
    pub to: Vec<String>,
    /// Whether it reaches the bus at all: not from an instance that is cut off.
    pub carried: bool,
}

impl FromJson for Standing {
    fn from_json(value: Value) -> Result<Self, Misread> {
        match value.as_str() {
            Some("live") => Ok(Self::Live),
            Some("degraded") => Ok(Self::Degraded),
            Some("cut") => Ok(Self::Cut),
            Some("silent") => Ok(Self::Silent),
            _ => Err(Misread("standing")),
        }
    }
}

crate::from_json!(Picture { instances, redis, switch });
crate::from_json!(Instance {
    id,
    name,
    here,
    standing,
    uptime_s,
    sockets,
    rooms,
    in_tenths,
    out_tenths,
    echo_us,
    cut_s,
    island,
});
crate::from_json!(Sent { from, to, carried });

#[cfg(test)]
mod tests {
    use super::{Instance, Picture, Sent, Standing};
    use crate::codec;

    #[test]
    fn a_picture_survives_its_way() {
        for standing in [Standing::Live, Standing::Degraded, Standing::Cut, Standing::Silent] {
            let instance = Instance {
                id: "one.1".to_owned(),
                name: "<one>".to_owned(),
                here: true,
                standing,
                uptime_s: 61,
                sockets: 3,
                rooms: 2,
                in_tenths: 13,
                out_tenths: 39,
                echo_us: Some(412),
                cut_s: None,
                island: false,
            };
            let picture = Picture { instances: vec![instance], redis: true, switch: true };
            assert_eq!(codec::decode::<Picture>(&codec::encode(&picture)), Ok(picture));
        }
        let sent = Sent { from: "one.1".to_owned(), to: vec!["two.2".to_owned()], carried: true };
        assert_eq!(codec::decode::<Sent>(&codec::encode(&sent)), Ok(sent));
    }
}
