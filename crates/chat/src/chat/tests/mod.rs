//! Whole instances in one process: one `SQLite` file, one embedded bus that can be cut, conversations instead of sockets.

mod backpressure;
mod delivery;
mod doors;
mod endings;
mod gated;
mod listening;
mod manners;
mod market;
mod presence;
mod requests;
mod storm;
mod support;
mod tellings;
