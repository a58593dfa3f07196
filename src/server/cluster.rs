//! The cluster one can watch: the page, its feed, and the switch of the lesson.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Request, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::Stream;
use futures::stream::unfold;
use serde::Deserialize;
use tertulia_chat::cluster::Watching;
use tertulia_protocol::{Code, Refusal, codec};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::client::{Client, Place};
use super::error::HttpRefusal;
use super::pages;
use super::session::is_from_our_pages;
use super::state::App;
use crate::api::FirstPicture;

/// Between two pictures of the feed.
const PICTURE_EVERY: Duration = Duration::from_secs(1);
/// How long a browser waits before it asks for the feed again.
const RETRY: Duration = Duration::from_secs(2);
/// Where the switch leads back to.
const PAGE: &str = "/cluster";

/// Whether the cluster may be watched by whoever asks, and its bus be cut: while access is open.
///
/// # Errors
/// `not_found` as soon as a public URL is configured: then a class has become a host.
pub(super) fn may_watch(app: &App) -> Result<(), Refusal> {
    match app.origin.public_url {
        None => Ok(()),
        Some(_) => Err(Refusal::new(Code::NotFound, "The cluster is not to be watched here.")),
    }
}

/// `GET /cluster`: the page.
pub(super) async fn page(State(app): State<App>, request: Request) -> Response {
    if may_watch(&app).is_err() {
        return pages::nowhere(&app, request).await;
    }
    let first = FirstPicture(codec::encode(&app.chat.look_around().await));
    pages::render_with(&app, request, first).await
}

/// `GET /feeds/cluster`: the picture every second as `state`, and each message that travels as `message`.
pub(super) async fn feed(State(app): State<App>, client: Client) -> Response {
    if let Err(refusal) = may_watch(&app) {
        return HttpRefusal(refusal).into_response();
    }
    let (Some(place), Some(watching)) = (app.places.take(client), app.chat.watch_cluster()) else {
        let refusal = Refusal::new(Code::Busy, "Too many watch the cluster here.").retry_after(5_000);
        return HttpRefusal(refusal).into_response();
    };
    Sse::new(events(Feed { app, watching, tick: ticks(), place })).into_response()
}

/// What a feed holds while it lasts.
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
    if let Err(refusal) = may_watch(&app) {
        return HttpRefusal(refusal).into_response();
    }
    // Nobody has to be signed in here, so the form must be one of ours: a page elsewhere shall not cut a class off.
    if !is_from_our_pages(&app.origin, &headers) {
        let refusal = Refusal::new(Code::Forbidden, "The Origin of this request is not this server.").field("origin");
        return HttpRefusal(refusal).into_response();
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
