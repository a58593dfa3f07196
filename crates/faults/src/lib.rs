//! The parts of a fault run that decide nothing about chats: what is recorded, what must hold, how links are broken.
//!
//! An independent client like `crates/load`: it shares the words of the protocol, never the decisions of the server.

pub mod checker;
pub mod journal;
pub mod proxy;
