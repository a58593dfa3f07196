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
    wasm_bindgen_futures::spawn_local(async {
        let path = leptos::prelude::location().pathname().unwrap_or_default();
        // Without its part the page stays as the server wrote it, and that works too.
        if ui::apart::fetch(&path).await {
            leptos::mount::hydrate_body(app::App);
        }
    });
}
