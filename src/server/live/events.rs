//! `GET /live/events`: the frames of a conversation as server-sent events, resumed by `Last-Event-ID` on any instance.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tertulia_chat::Connection;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_protocol::frame::Hello;
use tertulia_protocol::{ClientFrame, Close, Code, Refusal, ServerFrame, codec};

use super::positions::Positions;
use crate::server::client::Client;
use crate::server::error::HttpRefusal;
use crate::server::serve::Seat;
use crate::server::session::{Viewer, is_from_elsewhere, not_our_page};
use crate::server::sse::{self, Audience, Held, Words};
use crate::server::state::App;

/// What stands behind the question mark.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// The frame that opens the conversation, as JSON.
    hello: Option<String>,
    /// The `id` of the last event, by the name under which clients say it that cannot set the header.
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
}

/// Opens the stream for whoever has a session and comes from one of our own pages.
pub(crate) async fn open(
    State(app): State<App>,
    viewer: Result<Viewer, HttpRefusal>,
    client: Client,
    seat: Option<Extension<Seat>>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let opened = greeting(asked, &headers).and_then(|hello| {
        if is_from_elsewhere(&app.origin, &headers) {
            return Err(HttpRefusal(not_our_page()));
        }
        let place = app.places.admit(client)?;
        Ok((hello, viewer?, Held { place, seat: seat.map(|Extension(seat)| seat) }))
    });
    let (hello, viewer, held) = match opened {
        Ok(opened) => opened,
        Err(HttpRefusal(refusal)) => return refused(refusal, &headers),
    };
    let words = Wire(Positions::of(app.chat.epoch(), &hello.resume));
    let connection = Connection::open(app.chat, viewer.person, viewer.token);
    sse::carry(&app.sockets, app.time.bell(), held, Conversation { connection, hello: Some(hello) }, words)
}

/// Refuses by a status, which `EventSource` keeps to itself: a page that has to know why is told in the stream.
fn refused(refusal: Refusal, headers: &HeaderMap) -> Response {
    let close = match (refusal.code, refusal.field.as_deref()) {
        (Code::Unauthorized, _) => Close::Revoked,
        (_, Some("hello.v")) => Close::Version,
        _ => return HttpRefusal(refusal).into_response(),
    };
    if !sse::is_listener(headers) {
        return HttpRefusal(refusal).into_response();
    }
    sse::turn_away(farewell(Ended { close, retry_after_ms: None }))
}

/// The `hello` with the places that were reached last: those of `Last-Event-ID` are newer than those it names itself.
fn greeting(asked: Result<Query<Asked>, QueryRejection>, headers: &HeaderMap) -> Result<Hello, HttpRefusal> {
    let unreadable = |_| Refusal::new(Code::Malformed, "What stands behind the question mark cannot be read.");
    let Query(asked) = asked.map_err(unreadable)?;
    let missing = || Refusal::new(Code::MissingField, "The field hello is missing: a hello frame.").field("hello");
    let mut hello = hello(&asked.hello.ok_or_else(missing)?)?;
    // What a browser repeats may be an older server's: then `hello` counts, whose places are older and as good. A
    // program that says it in the address means it.
    let repeated = headers.get(sse::LAST_EVENT_ID).and_then(|id| id.to_str().ok()).and_then(Positions::read);
    let reached = match (repeated, asked.last_event_id) {
        (Some(reached), _) => Some(reached),
        (None, Some(id)) => Some(Positions::read(&id).ok_or_else(|| {
            let sentence = "The field lastEventId is the id of an event of this stream.";
            Refusal::new(Code::BadCursor, sentence).field("lastEventId")
        })?),
        (None, None) => None,
    };
    hello.resume = reached.unwrap_or(hello.resume);
    Ok(hello)
}

/// Reads the frame of the address as a socket would read its first.
fn hello(text: &str) -> Result<Hello, Refusal> {
    match codec::decode_client(text) {
        Ok(ClientFrame::Hello(hello)) => Ok(hello),
        Ok(_) => Err(Refusal::new(Code::BadField, "The field hello must be a hello frame.").field("hello")),
        Err(undecodable) => {
            let refusal = undecodable.refusal;
            let field = refusal.field.as_deref().map_or_else(|| "hello".to_owned(), |field| format!("hello.{field}"));
            Err(refusal.field(field))
        }
    }
}

/// Somebody who listens here and speaks by requests.
struct Conversation {
    connection: Connection,
    /// Not said yet.
    hello: Option<Hello>,
}

impl Audience for Conversation {
    fn queue(&self) -> Arc<Queue> {
        self.connection.queue()
    }

    async fn begin(&mut self) -> Result<(), Ended> {
        match self.hello.take() {
            Some(hello) => self.connection.greet(hello).await,
            None => Ok(()),
        }
    }

    fn revalidate(&mut self) -> impl Future<Output = Result<(), Ended>> + Send {
        self.connection.revalidate()
    }
}

/// The wire itself: frames as they are.
struct Wire(Positions);

impl Words for Wire {
    fn say(&mut self, frame: &[u8]) -> Vec<Event> {
        // Frames come from our own encoder and are UTF-8; were one not, the peer would get an empty object and ignore it.
        let frame = std::str::from_utf8(frame).unwrap_or("{}");
        let event = Event::default().data(frame);
        vec![match self.0.follow(frame) {
            Some(id) => event.id(id),
            None => event,
        }]
    }

    fn goodbye(&self, ended: Ended) -> Event {
        farewell(ended)
    }

    /// No comment: `EventSource` hides them, and a page could not tell a silent room from a dead link.
    fn alive(&self) -> Event {
        Event::default().data(codec::encode(&ServerFrame::Pong))
    }
}

/// The last frame, under a name of its own: no close code follows that would say the same.
fn farewell(ended: Ended) -> Event {
    let Ended { close, retry_after_ms } = ended;
    let bye = ServerFrame::Bye { code: close.code(), reason: close.reason().to_owned(), retry_after_ms };
    Event::default().event("bye").data(codec::encode(&bye))
}
