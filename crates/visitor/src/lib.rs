//! Visits a Tertulia from outside: starts its processes, enters over HTTP, speaks the wire over a socket.
//!
//! What the load generator and the fault runs share. An independent client: it knows the words of the protocol and
//! none of the server's decisions.

pub mod events;
pub mod live;
pub mod proc;
pub mod process;
pub mod socket;
pub mod stream;
pub mod trouble;
pub mod web;
