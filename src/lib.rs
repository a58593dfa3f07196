//! Tertulia, the app: one crate compiled twice, for the server (`ssr`) and for the browser (`hydrate`).

pub mod api;
pub mod app;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;
