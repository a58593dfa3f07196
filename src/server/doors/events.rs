//! `GET /events/{room}`: what happens in a room as server-sent events, resumed by `Last-Event-ID` without a gap.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use tertulia_chat::Listener;
use tertulia_chat::listener::happened;
use tertulia_chat::queue::Ended;

use super::Visit;
use super::words::{Room, Told};
use crate::server::client::Place;
use crate::server::error::HttpRefusal;
use crate::server::session::not_our_page;
use crate::server::sse::{self, Rounds};
use crate::server::state::App;

/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);

/// Opens the stream.
pub(in crate::server) async fn open(State(app): State<App>, visit: Visit) -> Result<Response, HttpRefusal> {
    if !visit.caller.may_open_stream(&app, &visit.headers) {
        return Err(not_our_page().into());
    }
    let place = app.places.admit(visit.client)?;
    let (listener, room) = visit.listen(&app).await?;
    let listening = Listening {
        listener,
        room,
        // The first words: how soon to come back. Sent at once, so that the client knows that it is heard.
        waiting: VecDeque::from([Event::default().retry(RETRY).comment("listening")]),
        over: false,
        rounds: Rounds::begin(),
        _place: place,
    };
    let keep_alive = KeepAlive::new().interval(sse::KEEP_ALIVE);
    Ok((sse::HEADERS, Sse::new(listening.events()).keep_alive(keep_alive)).into_response())
}

/// One stream.
struct Listening {
    listener: Listener,
    room: Room,
    waiting: VecDeque<Event>,
    over: bool,
    rounds: Rounds,
    _place: Place,
}

impl Listening {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut this| async move { Some((Ok(this.next().await?), this)) })
    }

    /// The next event; `None` when the stream is over. Dropped with the stream, and only then.
    async fn next(&mut self) -> Option<Event> {
        let queue = self.listener.queue();
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let due = tokio::select! {
                // Both safe to cancel: nothing is taken here, and what is due stays due.
                () = queue.ready() => false,
                () = self.rounds.next() => true,
            };
            let step = if due { self.listener.revalidate().await } else { self.take() };
            if let Err(ended) = step {
                self.say_goodbye(ended);
            }
        }
    }

    fn take(&mut self) -> Result<(), Ended> {
        for frame in self.listener.queue().take()? {
            let told = happened(&frame).into_iter().map(|happened| event_of(self.room.told(&happened)));
            self.waiting.extend(told);
        }
        Ok(())
    }

    /// Why the stream ends, and when to come back; a browser does so by itself.
    fn say_goodbye(&mut self, ended: Ended) {
        let retry = ended.retry_after_ms.map_or(RETRY, |ms| RETRY.max(Duration::from_millis(ms)));
        self.waiting.push_back(Event::default().event("bye").retry(retry).data(ended.close.reason()));
        self.over = true;
    }
}

fn event_of(told: Told) -> Event {
    let event = Event::default().event(told.event).data(told.json);
    match told.id {
        Some(id) => event.id(id),
        None => event,
    }
}
