//! The plain doors: a room without an SDK. A raw WebSocket, a stream of events, one request that publishes.

pub(super) mod events;
mod idempotency;
pub(super) mod publish;
pub(super) mod raw;
mod words;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use serde::Deserialize;
use tertulia_chat::listener::resume;
use tertulia_chat::presence::Visibility;
use tertulia_chat::{Listener, Start};
use tertulia_protocol::{Code, Refusal};

use self::words::Room;
use super::access::{Caller, Deed};
use super::client::Client;
use super::error::HttpRefusal;
use super::sse;
use super::state::App;

/// Most entries that come first: as many as one page of the log has.
const HISTORY: u32 = 500;

/// Somebody who wants to listen to a room, and how.
pub(super) struct Visit {
    room: String,
    wishes: Wishes,
    caller: Caller,
    client: Client,
    method: Method,
    headers: HeaderMap,
}

/// What stands behind the question mark.
#[derive(Debug, Default, Deserialize)]
struct Wishes {
    /// As whom, for who is not signed in.
    name: Option<String>,
    /// How many of the newest entries come first, at most [`HISTORY`].
    #[serde(default)]
    history: u32,
    /// The `id` of the last message that was heard: what came after it follows.
    after: Option<String>,
    /// Lines or objects; raw sockets only.
    #[serde(default)]
    format: Format,
}

/// How a raw socket speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Text,
    Json,
}

impl FromRequestParts<App> for Visit {
    type Rejection = HttpRefusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, HttpRefusal> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let Ok(client) = Client::from_request_parts(parts, app).await;
        let Query(wishes) = Query::from_request_parts(parts, app).await.map_err(|_| {
            let sentence = "The address may say name, history (a number), after (an id) and format (text or json).";
            Refusal::new(Code::BadField, sentence)
        })?;
        let Ok(RoomName(room)) = RoomName::from_request_parts(parts, app).await;
        let (method, headers) = (parts.method.clone(), parts.headers.clone());
        Ok(Self { room, wishes, caller, client, method, headers })
    }
}

/// The room's name in the address; what cannot be decoded names none.
pub(super) struct RoomName(String);

impl FromRequestParts<App> for RoomName {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let room = Path::<String>::from_request_parts(parts, app).await;
        Ok(Self(room.map_or_else(|_| String::new(), |Path(room)| room)))
    }
}

impl Visit {
    /// Looks whether there is something to listen to, and leaves no trace.
    ///
    /// # Errors
    /// As [`Caller::member`].
    async fn look(&self, app: &App) -> Result<(), Refusal> {
        self.caller.member(app, &self.room, Deed::Look, None, self.client).await.map(drop)
    }

    /// Begins to listen: with what was missed, or with so many of the newest, or with what comes.
    async fn listen(&self, app: &App) -> Result<(Listener, Room), Refusal> {
        let wishes = &self.wishes;
        // Where perhaps no page of ours asked they listen to what there is, and nobody is told.
        let meant = self.caller.may_leave_traces(app, &self.headers);
        let (deed, name) = if meant { (Deed::Read, wishes.name.as_deref()) } else { (Deed::Look, None) };
        let member = self.caller.member(app, &self.room, deed, name, self.client).await?;
        let room = Room { id: member.room_id(), slug: member.room().slug.clone(), epoch: app.chat.epoch() };
        let heard = self.headers.get(sse::LAST_EVENT_ID).and_then(|id| id.to_str().ok());
        // Whoever names what they heard was here before.
        let returns = heard.is_some() || wishes.after.is_some();
        let start = match (heard, &wishes.after, wishes.history) {
            // A place that is none of this room's is what another store's is: void.
            (Some(id), _, _) => {
                room.read_place(id).map_or(Start::OtherEpoch, |(epoch, seq)| resume(&app.chat, &epoch, seq))
            }
            (None, Some(id), _) => {
                let sentence = "The field after is the id of a message of this room.";
                let unreadable = || Refusal::new(Code::BadCursor, sentence).field("after");
                let (epoch, seq) = room.read_place(id).ok_or_else(unreadable)?;
                resume(&app.chat, &epoch, seq)
            }
            (None, None, 0) => Start::Now,
            (None, None, count) => Start::Last(count.min(HISTORY)),
        };
        let visibility = match meant && self.caller.is_named(name) {
            true if returns => Visibility::Returning,
            true => Visibility::Shown,
            false => Visibility::Hidden,
        };
        let listener = Listener::open(app.chat.clone(), member, self.caller.session(), start, visibility).await?;
        Ok((listener, room))
    }
}
