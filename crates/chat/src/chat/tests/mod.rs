//! Whole instances in one process: one `SQLite` file, one embedded bus that can be cut, conversations instead of sockets.

mod backpressure;
mod delivery;
mod gated;
mod manners;
mod market;
mod presence;
mod support;
