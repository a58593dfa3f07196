//! What pages are rendered from: the server's half of `crate::api`.

use axum::http::StatusCode;
use axum::http::request::Parts;
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use tertulia_protocol::limits::HISTORY_PAGE;
use tertulia_protocol::{Code, Key, Refusal, Seq};

use super::error::status_of;
use super::session::{Viewer, viewer_of};
use super::state::App;
use crate::api::Visit;

/// See [`crate::api::visit`]. Also sets the status of the page.
///
/// # Errors
/// `unauthorized`, `not_found`, `bad_cursor`, `storage_unavailable`.
pub async fn visit(slug: &str, before: i64) -> Result<Visit, Refusal> {
    // Taken before the first await: afterwards the reactive owner that holds them may be another.
    let app: App = expect_context();
    let response = use_context::<ResponseOptions>();
    let parts = use_context::<Parts>();
    let outcome = visit_as(&app, parts, slug, before).await;
    if let (Err(refusal), Some(response)) = (&outcome, response) {
        response.set_status(status_of(refusal.code));
    }
    outcome
}

async fn visit_as(app: &App, parts: Option<Parts>, slug: &str, before: i64) -> Result<Visit, Refusal> {
    let nobody = || Refusal::new(Code::Unauthorized, "Enter first: there is no session that lives.");
    let parts = parts.ok_or_else(nobody)?;
    let viewer = match parts.extensions.get::<Viewer>() {
        Some(viewer) => viewer.clone(),
        None => viewer_of(app, &parts.headers).await?.ok_or_else(nobody)?,
    };
    let member = app.chat.member_by_slug(&viewer.person, slug).await?;
    let older = match before {
        0 => None,
        _ => Some(app.chat.history(&member, Seq(before), i64::try_from(HISTORY_PAGE).unwrap_or(1)).await?),
    };
    Ok(Visit {
        rooms: app.chat.rooms().await?,
        snapshot: app.chat.snapshot(&member).await?,
        older,
        online: app.chat.online(&member),
        bus: *app.chat.bus_state().borrow(),
        instance: app.chat.instance().to_owned(),
        form_key: Key::mint().to_string(),
        you: viewer.person,
    })
}

/// The status a page without a route has.
pub(super) const NO_PAGE: StatusCode = StatusCode::NOT_FOUND;
