//! The pages, and what they are rendered from: the server's half of `crate::api`.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use leptos::nonce::use_nonce;
use leptos::prelude::{AnyView, IntoAny, expect_context, provide_context, use_context};
use leptos_axum::{
    AxumRouteListing, ResponseOptions, generate_route_list_with_exclusions, render_app_async_with_context,
};
use tertulia_protocol::limits::HISTORY_PAGE;
use tertulia_protocol::{Key, Refusal, Seq};

use super::error::status_of;
use super::notice;
use super::session::{Viewer, nobody, viewer_of};
use super::state::App;
use super::{feeds, headers};
use crate::api::Visit;
use crate::app::{App as Page, shell};
use crate::ui::stocks::{self, STOCKS, market::Market};

/// What a room's page is rendered from, read before the rendering begins.
///
/// Nothing is waited for during it: a resource that another thread loads while this one renders is not always
/// seen (<https://github.com/leptos-rs/leptos/issues/4851>), and the page would be drawn once more.
#[derive(Clone)]
struct Prefetched(Result<Visit, Refusal>);

/// `GET /r/{slug}`: the page of a room.
pub(super) async fn room(
    State(app): State<App>,
    slug: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What cannot be decoded names no room; the page says so.
    let slug = slug.map_or_else(|_| String::new(), |Path(slug)| slug);
    if matches!(slug.as_str(), "." | "..") {
        // As in a browser, the page's router takes these for other addresses, and would draw what is there.
        return (StatusCode::NOT_FOUND, "There is no room of this name.\n").into_response();
    }
    let (parts, body) = request.into_parts();
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).unwrap_or_default();
    let before = query.get("before").and_then(|number| number.parse().ok()).unwrap_or(0);
    let found = Prefetched(visit_as(&app, &parts, &slug, before).await);
    render_with(&app, Request::from_parts(parts, body), found).await
}

/// A page with what it is rendered from, read before.
pub(super) async fn render_with<T: Clone + Send + Sync + 'static>(app: &App, request: Request, found: T) -> Response {
    let in_page = context(app);
    let context = move || {
        provide_context(found.clone());
        in_page();
    };
    render_app_async_with_context(context, document(app))(request).await
}

/// `GET /stocks`: the stock market. Who may not see it goes to the door.
pub(super) async fn stocks(State(app): State<App>, request: Request) -> Response {
    let viewer = match viewer_of(&app, request.headers()).await {
        Ok(viewer) => viewer,
        Err(refusal) => return notice::refused(&refusal),
    };
    if viewer.is_none() && !app.origin.is_open() {
        return Redirect::to(stocks::ENTRANCE).into_response();
    }
    let (status, shown) = match feeds::market(&app) {
        Ok(market) => {
            let mut shown = Market::default();
            market.watch(0).past.iter().flat_map(|tick| tick.quotes()).for_each(|quote| shown.hear(&quote));
            (StatusCode::OK, shown)
        }
        Err(_) => (StatusCode::NOT_FOUND, Market { off: true, ..Market::default() }),
    };
    let mut response = render_with(&app, request, shown).await;
    *response.status_mut() = status;
    response
}

/// The page of an address that leads nowhere.
pub(super) async fn nowhere(app: &App, request: Request) -> Response {
    let mut response = render_app_async_with_context(context(app), document(app))(request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The pages that need nothing read before they are rendered. Asked of the app once per process: while it is asked,
/// leptos lets no resource load anywhere, and a page that another server of this process renders would never end.
pub(super) fn others() -> Vec<AxumRouteListing> {
    static OTHERS: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| {
        let own = ["/r/{slug}", STOCKS, "/cluster"].map(str::to_owned).to_vec();
        generate_route_list_with_exclusions(Page, Some(own))
    });
    OTHERS.clone()
}

/// What a page may ask for while it is rendered; also sets its policy.
pub(super) fn context(app: &App) -> impl Fn() + Clone + Send + Sync + 'static {
    let app = app.clone();
    move || {
        provide_context(app.clone());
        let policy = use_nonce().and_then(|nonce| {
            let reload = cfg!(debug_assertions).then_some(app.leptos.reload_port);
            headers::page_policy(&nonce, reload)
        });
        if let Some(policy) = policy {
            let response: ResponseOptions = expect_context();
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// The document around the app.
pub(super) fn document(app: &App) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static {
    let options = app.leptos.clone();
    move || shell(options.clone()).into_any()
}

/// See [`crate::api::visit`]. Also sets the status of the page.
///
/// # Errors
/// `unauthorized`, `not_found`, `bad_cursor`, `storage_unavailable`.
pub async fn visit(slug: &str, before: i64) -> Result<Visit, Refusal> {
    // Taken before the first await: afterwards the reactive owner that holds them may be another.
    let response = use_context::<ResponseOptions>();
    let outcome = match (use_context::<Prefetched>(), use_context::<Parts>()) {
        (Some(Prefetched(found)), _) => found,
        (None, Some(parts)) => {
            let app: App = expect_context();
            visit_as(&app, &parts, slug, before).await
        }
        (None, None) => Err(nobody()),
    };
    if let (Err(refusal), Some(response)) = (&outcome, response) {
        response.set_status(status_of(refusal.code));
    }
    outcome
}

async fn visit_as(app: &App, parts: &Parts, slug: &str, before: i64) -> Result<Visit, Refusal> {
    let viewer = match parts.extensions.get::<Viewer>() {
        Some(viewer) => viewer.clone(),
        None => viewer_of(app, &parts.headers).await?.ok_or_else(nobody)?,
    };
    let member = app.chat.member_by_slug(&viewer.person, slug).await?;
    let older = match before {
        0 => None,
        _ => Some(app.chat.history(&member, Seq(before), i64::try_from(HISTORY_PAGE).unwrap_or(1)).await?),
    };
    let (online, online_count) = app.chat.online(&member);
    Ok(Visit {
        rooms: app.chat.rooms_around(&member).await?,
        snapshot: app.chat.snapshot(&member).await?,
        older,
        online,
        online_count,
        bus: *app.chat.bus_state().borrow(),
        instance: app.chat.instance().to_owned(),
        stocks: app.chat.market().is_some(),
        cluster: app.origin.is_open(),
        form_key: Key::mint().to_string(),
        you: viewer.person,
    })
}
