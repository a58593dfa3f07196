//! The only place that opens a browser WebSocket. Two twins with one face: `web` speaks, `none` (on the
//! server) stays silent.

#[cfg(not(feature = "hydrate"))]
mod none;
#[cfg(feature = "hydrate")]
mod web;

#[cfg(not(feature = "hydrate"))]
pub(super) use none::Socket;
#[cfg(feature = "hydrate")]
pub(super) use web::Socket;

/// What a socket reports. Nothing comes after `Closed`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only the browser's twin hears anything"))]
pub(super) enum Heard {
    /// A text frame.
    Text(String),
    /// The connection is gone, or never was: 1006 when the other side gave no code.
    Closed {
        /// The close code.
        code: u16,
    },
}
