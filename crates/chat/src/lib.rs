//! What the server decides: who may do what in which room, what is written, who is told, and when.
//!
//! Knows neither Leptos nor axum. `Store` is the truth, `Bus` only carries; see ARCHITECTURE.md.

pub mod bus;
pub mod store;
