//! The server: an axum adapter around `tertulia_chat`. It reads requests, hands them to the chat, and says
//! what the chat answered; it decides nothing itself.

pub mod access;
pub mod assets;
mod bare;
mod body;
pub mod budgets;
pub mod client;
mod cluster;
pub mod config;
mod doors;
mod error;
mod feeds;
mod forms;
mod headers;
pub mod health;
mod live;
pub mod logging;
mod notice;
pub mod pages;
mod restored;
pub mod router;
pub mod serve;
mod session;
mod shutdown;
mod socket;
mod sse;
pub mod start;
pub mod state;
pub mod timekeeper;
mod unsent;

pub use restored::restored;
pub use start::run;
