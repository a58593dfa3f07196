//! Signs of life for whoever watches: `/healthz` (the process answers) and `/readyz` (a send would be stored).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tertulia_chat::Chat;
use tertulia_protocol::BusState;
use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};

use super::state::App;

/// How long an answer of the database counts: whoever asks more often shares it, since each asking is a durable write.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The last proof that a send would be stored.
#[derive(Default)]
pub struct Probe(Mutex<Option<(Instant, bool)>>);

impl Probe {
    /// Whether the database could be written within the last second; one write at a time finds out.
    async fn check(&self, chat: &Chat) -> bool {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, writable)) if at.elapsed() < PROBE_EVERY => writable,
            _ => {
                let writable = chat.check_writable().await.is_ok();
                *last = Some((Instant::now(), writable));
                writable
            }
        }
    }
}

/// `GET /healthz`: alive.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 while the database can be written. The bus is told in words and never makes an instance
/// unready: a balancer would take all of them away at once, and with them a chat that SQL can carry.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let database = app.probe.check(&app.chat).await;
    let bus = match (*app.chat.bus_state().borrow(), app.chat.bus_trouble()) {
        (BusState::Live, _) => "live".to_owned(),
        (BusState::Degraded, Some(reason)) => format!("degraded: {reason}"),
        (BusState::Degraded, None) => "degraded: catching up".to_owned(),
    };
    let (status, database) = match database {
        true => (StatusCode::OK, "writable"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not writable"),
    };
    (status, Json(json!({ "database": database, "bus": bus, "instance": app.chat.instance() }))).into_response()
}
