//! The pages that few open: a release keeps each in a WASM of its own, which a browser fetches when the page is opened.
//! A debug build has one WASM for all, so that `bin/dev` need not cut it anew after every change.

use leptos::prelude::*;
use leptos::wasm_split::SplitLoaderError;
#[cfg(not(debug_assertions))]
use leptos::wasm_split::wasm_split;
use leptos_router::LazyRoute;

use super::cluster::ClusterPage;
use super::kit::{Boxed, browser};
use super::stocks::{STOCKS, StocksPage};

/// Where the page of the cluster is.
const CLUSTER: &str = "/cluster";

/// Defines `$page()`, which fetches the page's part of the program before it draws the page, and `$fetch()`, which
/// only fetches. The server has all its parts, and so has a debug build.
macro_rules! apart {
    ($page:ident, $fetch:ident, $view:ident) => {
        #[cfg(not(debug_assertions))]
        #[wasm_split($page, fallible, wasm_split_path = leptos::wasm_split, preload($fetch))]
        fn $page() -> Result<AnyView, SplitLoaderError> {
            Ok(view! { <$view /> }.boxed())
        }

        #[cfg(debug_assertions)]
        async fn $page() -> Result<AnyView, SplitLoaderError> {
            Ok(view! { <$view /> }.boxed())
        }

        #[cfg(debug_assertions)]
        async fn $fetch() -> Result<(), SplitLoaderError> {
            Ok(())
        }
    };
}

apart!(stocks, fetch_stocks, StocksPage);
apart!(cluster, fetch_cluster, ClusterPage);

/// The page behind `/stocks`.
pub struct Stocks;

impl LazyRoute for Stocks {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        or_afresh(stocks().await, STOCKS)
    }
}

/// The page behind `/cluster`.
pub struct Cluster;

impl LazyRoute for Cluster {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        or_afresh(cluster().await, CLUSTER)
    }
}

/// A part that cannot be fetched is most often one of an older release than the server's: the page is asked for whole.
fn or_afresh(page: Result<AnyView, SplitLoaderError>, path: &str) -> AnyView {
    page.unwrap_or_else(|_| {
        browser::open(path);
        ().boxed()
    })
}

/// Fetches what the page at a path needs, so that it can come alive in one go. Whether all of it is here now.
pub async fn fetch(path: &str) -> bool {
    match path.trim_end_matches('/') {
        STOCKS => fetch_stocks().await.is_ok(),
        CLUSTER => fetch_cluster().await.is_ok(),
        _ => true,
    }
}
