//! Tertulia, the app: one crate compiled twice, for the server (`ssr`) and for the browser (`hydrate`).

pub mod api;
pub mod app;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// The browser's entry: turns the HTML that the server sent live, in place.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    ui::kit::browser::report_panics();
    leptos::mount::hydrate_body(app::App);
}
