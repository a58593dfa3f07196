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

/// Text for where views cannot write it: between tags, in `<title>`, in an attribute in double quotes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // HTML cannot hold it: browsers show the replacement character, and so do we.
            '\0' => safe.push('\u{FFFD}'),
            _ => safe.push(c),
        }
    }
    safe
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
