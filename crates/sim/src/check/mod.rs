//! The checks: of the logs and sends when all is over, and of everybody's state while the house is whole.

mod history;
mod state;

pub(crate) use history::history;
pub(crate) use state::{empty, missing, timelines};
