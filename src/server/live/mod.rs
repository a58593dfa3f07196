//! The frames of `GET /live` where WebSockets do not get through: a stream of events for what the server says, requests
//! for what the client says. Neither needs the other on the same instance.

pub(super) mod events;
mod positions;
pub(super) mod post;
