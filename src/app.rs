//! The app: the document around it, its routes, and what every page shares.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, ParamSegment, SsrMode, StaticSegment};

use crate::ui::apart::{Cluster, Stocks};
use crate::ui::connection::Connection;
use crate::ui::entrance::Entrance;
use crate::ui::kit::{Boxed, Clock, PageTitle, Table};
use crate::ui::room::RoomPage;

/// The document that the server writes around the app. No inline style and no script of our own: the
/// content security policy allows neither.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let folder = options.site_pkg_dir.clone();
    let stylesheet = format!("/{folder}/{}.css", options.output_name);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f6f3ed" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#1f1b17" />
                <meta name="referrer" content="same-origin" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <link rel="preload" href="/fonts/fraunces-latin.woff2" r#as="font" type="font/woff2" crossorigin="anonymous" />
                <link rel="stylesheet" href=stylesheet />
                {cfg!(debug_assertions).then(|| view! { <AutoReload options=options.clone() /> })}
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
                <Broken />
            </body>
        </html>
    }
}

/// The line that a panic in the browser shows. A plain form: nothing of ours runs any more when it is needed.
#[component]
fn Broken() -> impl IntoView {
    view! {
        <div id="broken" class="broken" role="alert" hidden>
            <p>"Something broke."</p>
            <form method="get">
                <button type="submit">"Reload"</button>
            </form>
        </div>
    }
}

/// The app, the same on both sides.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Connection::provide();
    Clock::provide();
    view! {
        <Router>
            <FlatRoutes fallback=|| view! { <Nowhere /> }.boxed()>
                <Route path=StaticSegment("") view=|| view! { <Entrance /> }.boxed() ssr=SsrMode::Async />
                <Route path=StaticSegment("cluster") view={Lazy::<Cluster>::new()} ssr=SsrMode::Async />
                <Route
                    path=(StaticSegment("r"), ParamSegment("slug"))
                    view=|| view! { <RoomPage /> }.boxed()
                    ssr=SsrMode::Async
                />
                <Route path=StaticSegment("stocks") view={Lazy::<Stocks>::new()} ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}

/// An address that leads nowhere.
#[component]
fn Nowhere() -> impl IntoView {
    view! {
        <PageTitle name="Nothing here".to_owned() />
        <main class="absent">
            <Table />
            <h1>"Nothing here"</h1>
            <p>"This address leads nowhere in this house."</p>
            <p class="ways">
                <a href="/">"Go to the door"</a>
            </p>
        </main>
    }
}
