//! Every route on one screen.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{ACCEPT, ALLOW, REFERER};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use leptos_axum::LeptosRoutes;
use tertulia_protocol::RoomInfo;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyDeadlineLayer;

use super::doors::{events, publish, raw};
use super::error::HttpRefusal;
use super::session::{Viewer, gate};
use super::state::App;
use super::{assets, bare, cluster, feeds, forms, headers, health, live, pages, socket};
use crate::ui::stocks::STOCKS;

/// Largest body of a form, in bytes: 40,000 bytes of text, each written as three (`%F0`), and the other fields.
const FORM_BYTES: usize = 128 * 1024;
/// How long the body of a request may take to come, all of it: a form at 4 KiB/s, slower than any modem.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The whole server.
///
/// # Errors
/// When the configured public URL is no origin.
pub fn router(app: App) -> Result<Router, String> {
    let routes = Router::new()
        // The chat.
        .route("/live", get(socket::open).post(live::post::say))
        .route("/live/events", get(live::events::open))
        .route("/enter", post(forms::enter))
        .route("/leave", post(forms::leave))
        .route("/rooms", post(forms::create_room))
        .route("/rooms.json", get(rooms))
        .route("/r/{slug}/messages", post(forms::send))
        // A room without an SDK.
        .route("/ws/{room}", get(raw::open))
        .route("/events/{room}", get(events::open))
        .route("/publish/{room}", post(publish::publish))
        // The stock market.
        .route(STOCKS, get(pages::stocks))
        .route("/feeds/stocks", get(feeds::stocks))
        // For whoever watches.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        // The cluster one can watch.
        .route("/cluster", get(cluster::page))
        .route("/cluster/bus", post(cluster::switch))
        .route("/feeds/cluster", get(cluster::feed))
        // Files.
        .route("/pkg/{release}/{file}", get(assets::built))
        // Pages: a room, and the others with the functions they call under `/api`.
        .route("/r/{slug}", get(pages::room))
        .leptos_routes_with_context(&app, pages::others(), pages::context(&app), pages::document(&app))
        .fallback(elsewhere);
    let csrf = match &app.origin.public_url {
        Some(url) => CsrfLayer::new().add_trusted_origin(url).map_err(|error| error.to_string())?,
        None => CsrfLayer::new(),
    };
    // Two groups of layers: one deep type would grow to kilobytes and slow the compiler.
    let routes = routes
        .layer(from_fn_with_state(app.clone(), gate))
        .layer(from_fn(for_programs))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(RequestBodyLimitLayer::new(FORM_BYTES))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .layer(csrf)
        .layer(from_fn(bare::in_words));
    // A stream of events must not wait until a block is worth compressing.
    let text_only =
        SizeAbove::new(1_024).and(NotForContentType::const_new("application/wasm")).and(NotForContentType::SSE);
    Ok(routes
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(text_only))
        .layer(CatchPanicLayer::custom(|_| {
            let refusal = tertulia_protocol::Refusal::new(tertulia_protocol::Code::Internal, "Something broke here.");
            HttpRefusal(refusal).into_response()
        }))
        .layer(from_fn_with_state(app.clone(), headers::guard))
        .with_state(app))
}

/// The functions that pages call answer programs only. For a browser that navigates to one, Leptos would redirect to
/// whatever `Referer` says and tell it the outcome (SR-39); without these headers it answers as it answers a program.
async fn for_programs(mut request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        request.headers_mut().remove(ACCEPT);
        request.headers_mut().remove(REFERER);
    }
    next.run(request).await
}

/// A file of `public/`, or the page that says that there is nothing here.
async fn elsewhere(State(app): State<App>, request: Request) -> Response {
    // TRACE would echo what others may not read, and CONNECT is for proxies: its address has no path to look up.
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) || request.uri().path_and_query().is_none() {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    if let Some(file) = assets::public(request.uri().path(), request.headers()) {
        return file;
    }
    pages::nowhere(&app, request).await
}

/// `GET /rooms.json`: the rooms of the sidebar, for programs.
async fn rooms(State(app): State<App>, _viewer: Viewer) -> Result<Json<Vec<RoomInfo>>, HttpRefusal> {
    Ok(Json(app.chat.rooms().await?))
}
