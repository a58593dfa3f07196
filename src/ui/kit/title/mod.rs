//! The document's title. `leptos_meta` writes it into the HTML unescaped, and names are user text.

#[cfg(test)]
mod tests;

use leptos::prelude::*;
use leptos_meta::Title;

/// The name of the product, at the end of every title.
const PRODUCT: &str = "Tertulia";

/// A title as the place where it is written needs it: HTML on the server, plain text in the browser,
/// which sets `document.title`.
fn written(title: &str) -> String {
    if cfg!(feature = "ssr") { escaped(title) } else { title.to_owned() }
}

/// Text as the content of `<title>`.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Names the page: `name · Tertulia`, or the product alone.
#[component]
pub fn PageTitle(
    /// The page's own name; empty for none.
    #[prop(into)]
    name: Signal<String>,
) -> impl IntoView {
    let title = |name: &str| if name.is_empty() { PRODUCT.to_owned() } else { format!("{name} · {PRODUCT}") };
    // The server writes the title when the page's signals may be gone already: by then it must be plain text.
    let text = written(&name.with_untracked(|name| title(name)));
    Effect::new(move |drawn: Option<()>| {
        let now = name.with(|name| title(name));
        if drawn.is_some() {
            document().set_title(&now);
        }
    });
    view! { <Title text /> }
}
