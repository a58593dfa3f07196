//! The only place that opens a browser WebSocket. Two twins with one face: `web` speaks, `none` (on the
//! server) stays silent.

#[cfg(not(feature = "hydrate"))]
mod none;
#[cfg(feature = "hydrate")]
mod web;

#[cfg(not(feature = "hydrate"))]
pub use none::Socket;
#[cfg(feature = "hydrate")]
pub use web::Socket;

/// What a socket reports. Nothing comes after `Closed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A text frame.
    Text(String),
    /// The connection is gone, or never was: 1006 when the other side gave no code.
    Closed {
        /// The close code.
        code: u16,
    },
}
