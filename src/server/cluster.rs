//! The cluster one can watch: the page, its feed, and the switch of the lesson.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::Stream;
use futures::stream::unfold;
use serde::Deserialize;
use tertulia_chat::cluster::Watching;
use tertulia_protocol::{Code, Refusal, codec};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::access::may_oversee;
use super::client::{Client, Place};
use super::error::HttpRefusal;
use super::pages;
use super::session::{is_from_elsewhere, is_from_our_pages, not_our_page};
use super::sse;
use super::state::App;
use crate::api::FirstPicture;

/// Between two pictures of the feed.
const PICTURE_EVERY: Duration = Duration::from_secs(1);
/// How long a browser waits before it asks for the feed again.
const RETRY: Duration = Duration::from_secs(2);
/// Where the switch leads back to.
const PAGE: &str = "/cluster";

/// What makes a browser ask for the token, once: as a password, under any name.
const ASK: &str = "Basic realm=\"Tertulia: the token is the password\", charset=\"UTF-8\"";

/// `GET /cluster`: the page.
pub(super) async fn page(State(app): State<App>, request: Request) -> Response {
    if let Err(refusal) = may_oversee(&app, request.headers()) {
        return refused(refusal);
    }
    let first = FirstPicture(codec::encode(&app.chat.look_around().await));
    pages::render_with(&app, request, first).await
}

/// `GET /feeds/cluster`: the picture every second as `state`, and each message that travels as `message`.
pub(super) async fn feed(State(app): State<App>, client: Client, headers: HeaderMap) -> Response {
    if let Err(refusal) = may_oversee(&app, &headers) {
        return refused(refusal);
    }
    if is_from_elsewhere(&app.origin, &headers) {
        return HttpRefusal(not_our_page()).into_response();
    }
    let place = match app.places.admit(client) {
        Ok(place) => place,
        Err(refusal) => return HttpRefusal(refusal).into_response(),
    };
    let Some(watching) = app.chat.watch_cluster() else {
        let refusal = Refusal::new(Code::Busy, "Too many watch the cluster here.").retry_after(5_000);
        return HttpRefusal(refusal).into_response();
    };
    (sse::HEADERS, Sse::new(events(Feed { app, watching, tick: ticks(), place }))).into_response()
}

fn refused(refusal: Refusal) -> Response {
    let ask = refusal.code == Code::Unauthorized;
    let mut response = HttpRefusal(refusal).into_response();
    if ask {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(ASK));
    }
    response
}

/// What a feed holds while it lasts. Nobody is looked at again meanwhile: whoever may watch is anybody, or has a token of
/// the settings, and those hold until the server is started anew.
struct Feed {
    app: App,
    watching: Watching,
    tick: Interval,
    #[expect(dead_code, reason = "held for its drop")]
    place: Place,
}

/// A picture at once, and then every second; it also keeps the connection alive. Ends when the instance goes.
fn events(feed: Feed) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(feed, |mut feed| async move {
        let event = tokio::select! {
            // Both safe to cancel: a message stays in its channel, a tick that nobody took comes again.
            sent = feed.watching.sent() => Event::default().event("message").data(codec::encode(&sent?)),
            _ = feed.tick.tick() => {
                let picture = codec::encode(&feed.app.chat.picture());
                Event::default().event("state").retry(RETRY).data(picture)
            }
        };
        Some((Ok(event), feed))
    })
}

fn ticks() -> Interval {
    let mut tick = interval(PICTURE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// The form of the switch.
#[derive(Deserialize)]
pub(super) struct Switch {
    cut: OnOff,
    /// Whether the cut instance goes on comparing with SQL.
    #[serde(default)]
    sql: Option<OnOff>,
}

/// A choice of two.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum OnOff {
    On,
    Off,
}

/// `POST /cluster/bus`: cuts the bus of this instance, or heals it.
pub(super) async fn switch(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Form<Switch>, FormRejection>,
) -> Response {
    if !app.origin.is_open() {
        let refusal = Refusal::new(Code::NotFound, "Where a public URL is configured nobody cuts a bus.");
        return HttpRefusal(refusal).into_response();
    }
    // Nobody has to be signed in here, so the form must be one of ours: a page elsewhere shall not cut a class off.
    if !is_from_our_pages(&app.origin, &headers) {
        return HttpRefusal(not_our_page()).into_response();
    }
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return rejection.into_response(),
    };
    match form.cut {
        OnOff::Off => app.chat.heal_bus(),
        OnOff::On => {
            if !app.chat.cut_bus(form.sql == Some(OnOff::Off)) {
                let refusal = Refusal::new(Code::NotFound, "There is no bus here that could be cut.");
                return HttpRefusal(refusal).into_response();
            }
        }
    }
    Redirect::to(PAGE).into_response()
}
