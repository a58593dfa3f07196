//! Signs of life for whoever watches: `/healthz` (the process answers) and `/readyz` (a send would be stored).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::state::App;

/// `GET /healthz`: alive.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 while the database can be written. The bus is told in words and never makes an instance
/// unready: a balancer would take all of them away at once, and with them a chat that SQL can carry.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let database = app.chat.check_writable().await;
    let bus = app.chat.bus_trouble().map_or_else(|| "live".to_owned(), |reason| format!("degraded: {reason}"));
    let (status, database) = match database {
        Ok(()) => (StatusCode::OK, "writable"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not writable"),
    };
    (status, Json(json!({ "database": database, "bus": bus, "instance": app.chat.instance() }))).into_response()
}
