//! Three instances under faults, on one thread and by number: whatever a seed does, the promise holds.
//!
//! The real chat and the real memory of a browser meet here over a store, a bus and wires that fail as the dice
//! fall. Time is Tokio's paused clock, so a minute takes milliseconds and the same seed does the same again.

mod browser;
mod bus;
mod check;
mod crowd;
mod dice;
mod door;
mod ear;
mod house;
mod nemesis;
mod plan;
mod record;
mod run;
mod shrink;
mod socket;
mod store;
#[cfg(test)]
mod tests;
mod wire;
mod witness;

pub use bus::SimBus;
pub use plan::{Claim, Deed, How, Lie, Past, Plan, Posts, Sabotage, Script, Timed, Trouble};
pub use record::{Finding, Word};
pub use run::{Report, run};
pub use shrink::shrink;
pub use store::SimStore;
