//! The wire without WebSockets: a stream of events brings what the server says, requests take what the client says.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, ORIGIN};
use tertulia_protocol::frame::{Hello, VERSION};
use tertulia_protocol::{BusState, ClientFrame, Epoch, Person, Position, ServerFrame, codec};
use tokio::time::timeout;

use crate::events::Events;
use crate::live::{Turned, frame};
use crate::socket::{Next, PATIENCE};
use crate::trouble::{Because, Outcome, trouble};
use crate::web::{Visitor, encoded};

/// Where a stream is told how far its reader got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The name of a stream's last event.
const BYE: &str = "bye";

/// An open stream that has been welcomed.
#[derive(Debug)]
pub struct Stream {
    heard: Heard,
    /// The store's identity, as welcomed.
    pub epoch: Epoch,
    /// As whom it was welcomed.
    pub you: Person,
    /// Whether the instances heard each other when it was welcomed.
    pub bus: BusState,
    /// The longest silence that the server promises.
    pub ping: Duration,
}

/// What has come of a stream.
#[derive(Debug)]
struct Heard {
    events: Events,
    last_id: Option<String>,
    /// The code of the goodbye, once it was said.
    code: Option<u16>,
}

impl Stream {
    /// Opens a stream that follows the rooms of `resume`, under the name of this `client`. A `last_id` takes the place
    /// of their positions. Being turned away is an answer.
    ///
    /// # Errors
    /// When no stream comes, or something else than a stream of frames.
    pub async fn knock(
        visitor: &Visitor,
        client: &str,
        resume: Vec<Position>,
        last_id: Option<&str>,
    ) -> Outcome<Result<Self, Turned>> {
        // An epoch that no store has is how one begins without a position.
        let back = resume.iter().any(|position| !position.epoch.0.is_empty());
        let hello = ClientFrame::Hello(Hello { v: VERSION, client: client.to_owned(), back, resume });
        let path = format!("/live/events?hello={}", encoded(&codec::encode(&hello)));
        let headers = [
            (COOKIE, visitor.cookie.as_str()),
            (ACCEPT, "text/event-stream"),
            (LAST_EVENT_ID, last_id.unwrap_or_default()),
        ];
        let events = visitor.web.events(&path, &headers).await?;
        let heard = Heard { events, last_id: last_id.map(str::to_owned), code: None };
        timeout(PATIENCE, Self::welcomed(heard)).await.because("the welcome of a stream")?
    }

    async fn welcomed(mut heard: Heard) -> Outcome<Result<Self, Turned>> {
        let mut retry_after_ms = None;
        loop {
            match heard.next().await? {
                Next::Said(text) => match frame(&text)? {
                    ServerFrame::Welcome { epoch, you, bus, ping_ms, .. } => {
                        let ping = Duration::from_millis(ping_ms);
                        return Ok(Ok(Self { heard, epoch, you, bus, ping }));
                    }
                    ServerFrame::Bye { retry_after_ms: hint, .. } => retry_after_ms = hint,
                    other => return trouble(format!("expected welcome, heard {other:?}")),
                },
                Next::Gone(code, why) => return Ok(Err(Turned { code, why, retry_after_ms })),
            }
        }
    }

    /// Waits for the next frame. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// For what is no stream of events.
    pub async fn hear(&mut self) -> Outcome<Next> {
        self.heard.next().await
    }

    /// How far it got in all its rooms, in the server's own words: by this it goes on elsewhere.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.heard.last_id.as_deref()
    }
}

impl Heard {
    async fn next(&mut self) -> Outcome<Next> {
        let event = match self.events.next().await {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Next::Gone(self.code, "the stream has ended".to_owned())),
            Err(broken) => return Ok(Next::Gone(self.code, broken.to_string())),
        };
        if event.id.is_some() {
            self.last_id = event.id;
        }
        if event.name == BYE
            && let ServerFrame::Bye { code, .. } = frame(&event.data)?
        {
            self.code = Some(code);
        }
        Ok(Next::Said(event.data.into()))
    }
}

/// Says a frame in a request of its own; what it is answered.
///
/// # Errors
/// When no answer comes, or another than frames: then nobody knows whether it was obeyed.
pub async fn say(visitor: &Visitor, said: &ClientFrame) -> Outcome<Vec<ServerFrame>> {
    let origin = format!("http://{}", visitor.web.authority());
    let headers = [(COOKIE, visitor.cookie.as_str()), (ORIGIN, origin.as_str()), (CONTENT_TYPE, "application/json")];
    let answer = visitor.web.send("/live", &headers, codec::encode(said)).await?;
    if answer.status != StatusCode::OK {
        return trouble(format!("POST /live answered {}", answer.status));
    }
    let frames: Vec<serde_json::Value> = serde_json::from_slice(&answer.body).because("POST /live")?;
    frames.iter().map(|said| frame(&said.to_string())).collect()
}
