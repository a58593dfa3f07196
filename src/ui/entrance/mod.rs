//! The door: a name is asked for, and the lobby opens. A plain form, alive or not.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::ui::kit::{PageTitle, Refused, TYPED, Table, Wordmark, browser, text};
use crate::ui::stocks::STOCKS;

/// The page behind `/`.
#[component]
pub fn Entrance() -> impl IntoView {
    let query = use_query_map();
    // Nobody stands here with a session: what this browser remembers is of somebody who has gone.
    Effect::new(|| {
        browser::forget_all();
        tertulia_timeline::forget_all(&browser::AllTabs);
    });
    // Only a page of this house: the address may have been written by anybody. The server checks again.
    let ours = |next: &String| next.starts_with("/r/") || next == STOCKS;
    let next = text(move || query.with(|query| query.get("next").filter(ours).unwrap_or_default()));
    let typed = query.with_untracked(|query| query.get(TYPED));
    view! {
        <PageTitle name=String::new() />
        <main class="entrance">
            <div class="door">
                <Table />
                <h1><Wordmark /></h1>
                <p class="welcome">"A circle of people who meet to talk."</p>
                <form method="post" action="/enter">
                    <input type="hidden" name="next" value=next />
                    <label for="name">"Your name"</label>
                    <div class="field-row">
                        <input
                            id="name"
                            name="name"
                            type="text"
                            autocomplete="nickname"
                            autocapitalize="words"
                            spellcheck="false"
                            enterkeyhint="go"
                            value=typed
                            autofocus
                            required
                        />
                        <button type="submit" class="primary">"Enter"</button>
                    </div>
                    <Refused of="refused" />
                </form>
                <p class="hint">"No account, no password. The others see this name."</p>
            </div>
        </main>
    }
}
