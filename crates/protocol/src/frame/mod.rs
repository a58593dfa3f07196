//! Frames: one JSON object each, tagged by `t`. Unknown fields are ignored.

mod client;
mod server;

pub use client::{ClientFrame, Delete, Edit, Hello, History, Pull, React, Read, Send, Subscribe, Typing, Unsubscribe};
pub use server::{AdvertisedLimits, BusState, ServerFrame};

/// The WebSocket subprotocol of this version.
pub const SUBPROTOCOL: &str = "tertulia.v1";
/// The version a `hello` must name.
pub const VERSION: i64 = 1;
