//! The whole server as others meet it: real sockets, the real router, a real database file, a real Redis, and
//! in `process.rs` the real binary. What needs none of these is tested beside the code (crates/*/src/**/tests).
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says why and ends")]
#![allow(unused_crate_dependencies, reason = "the package's dependencies are the server's")]

mod access;
mod bridge;
mod cluster;
mod doors;
mod forms;
mod frames;
mod html;
mod limits;
mod listeners;
mod one_sided;
mod process;
mod publish;
mod readme;
mod redis;
mod refusals;
mod stocks;
mod support;
mod sync;
mod transport;
mod upgrade;
