//! What the server decides: who may do what in which room, what is written, who is told, and when.
//!
//! Knows neither Leptos nor axum. `Store` is the truth, `Bus` only carries; see ARCHITECTURE.md.

mod admission;
pub mod bridge;
pub mod bus;
pub mod chat;
pub mod clock;
pub mod cluster;
pub mod connection;
pub mod encoded;
pub mod fanout;
pub mod listener;
pub mod market;
pub mod member;
mod news;
pub mod presence;
pub mod queue;
mod refuse;
pub mod room_log;
pub mod sabotage;
mod seldom;
mod stay;
pub mod store;
mod throttle;
pub mod token;

pub use chat::{Chat, Options};
pub use connection::Connection;
pub use fanout::Start;
pub use listener::Listener;
pub use market::{Market, MarketOptions};
pub use member::Member;
pub use stay::Stay;
pub use token::Token;
