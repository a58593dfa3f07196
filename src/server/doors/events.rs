//! `GET /events/{room}`: what happens in a room as server-sent events, resumed by `Last-Event-ID` without a gap.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::response::sse::Event;
use tertulia_chat::Listener;
use tertulia_chat::listener::happened;
use tertulia_chat::queue::{Ended, Queue};

use super::Visit;
use super::words::{Room, Told};
use crate::server::error::HttpRefusal;
use crate::server::serve::Seat;
use crate::server::session::not_our_page;
use crate::server::sse::{self, Audience, Held, Words};
use crate::server::state::App;

/// Opens the stream.
pub(in crate::server) async fn open(
    State(app): State<App>,
    visit: Visit,
    seat: Option<Extension<Seat>>,
) -> Result<Response, HttpRefusal> {
    if !visit.caller.may_open_stream(&app, &visit.headers) {
        return Err(not_our_page().into());
    }
    if visit.method == Method::HEAD {
        visit.look(&app).await?;
        return Ok(sse::described());
    }
    let held = Held { place: app.places.admit(visit.client)?, seat: seat.map(|Extension(seat)| seat) };
    let (listener, room) = visit.listen(&app).await?;
    Ok(sse::carry(&app.sockets, app.time.bell(), held, listener, room))
}

impl Audience for Listener {
    fn queue(&self) -> Arc<Queue> {
        self.queue()
    }

    fn revalidate(&mut self) -> impl Future<Output = Result<(), Ended>> + Send {
        self.revalidate()
    }
}

impl Words for Room {
    fn say(&mut self, frame: &[u8]) -> Vec<Event> {
        happened(frame).iter().map(|happened| event_of(self.told(happened))).collect()
    }

    fn goodbye(&self, ended: Ended) -> Event {
        Event::default().event("bye").data(ended.close.reason())
    }
}

fn event_of(told: Told) -> Event {
    let event = Event::default().event(told.event).data(told.json);
    match told.id {
        Some(id) => event.id(id),
        None => event,
    }
}
