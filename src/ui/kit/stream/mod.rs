//! The only place that opens a browser's `EventSource`. Two twins with one face: `web` listens, `none` (on the
//! server) hears nothing.

#[cfg(not(feature = "hydrate"))]
mod none;
#[cfg(feature = "hydrate")]
mod web;

#[cfg(not(feature = "hydrate"))]
pub use none::Stream;
#[cfg(feature = "hydrate")]
pub use web::Stream;

/// What a stream of events reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// One of the named events.
    Event {
        /// Its name.
        name: String,
        /// Its text.
        data: String,
    },
    /// The link broke; the browser tries again by itself.
    Lost,
    /// The server refused; nothing comes any more unless it is opened anew.
    Refused,
}
