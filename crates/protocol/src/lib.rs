//! What is said: the words that browsers, servers and other clients exchange.
//!
//! `docs/PROTOCOL.md` is the contract in prose; `tests/golden` pins every frame byte for byte.
//! Nothing here knows Leptos, axum, SQL or Redis, so both sides compile the very same rules.

pub mod close;
pub mod cluster;
pub mod codec;
pub mod entry;
pub mod frame;
pub mod ids;
pub mod json;
pub mod limits;
#[cfg(feature = "names")]
pub mod names;
pub mod quote;
pub mod refusal;
pub mod room;
pub mod text;

pub use close::Close;
pub use entry::{Change, Entry, Person};
pub use frame::{BusState, ClientFrame, ServerFrame};
pub use ids::{Epoch, Key, Position, RoomId, Seq, UserId};
pub use quote::Quote;
pub use refusal::{Code, Refusal};
pub use room::{RoomInfo, Snapshot};
pub use text::Body;

#[cfg(test)]
mod tests;
