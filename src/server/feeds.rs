//! `GET /feeds/stocks`: the market as a stream of server-sent events, resumed where it broke off.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use tertulia_chat::market::{Tick, Watch};
use tertulia_chat::{Market, Stay};
use tertulia_protocol::{Close, Code, Refusal};

use super::access::Caller;
use super::client::{Client, Place};
use super::error::HttpRefusal;
use super::session::not_our_page;
use super::sse::{self, Due, Rounds};
use super::state::App;

/// The comment.
const ALIVE: &[u8] = b": alive\n\n";
/// How soon a browser comes back by itself, in milliseconds: two ticks of the market.
const RETRY: &str = "retry: 2000\n\n";
/// Seconds of the past that are told in one piece: of the most stocks 100 KB, a tenth of what may wait for a socket. The
/// whole past of such a market is 2 MB, and would lie there for each who is slow to take it.
const PIECE: usize = 16;

/// The market of this host.
///
/// # Errors
/// `not_found` when the host has none.
pub(crate) fn market(app: &App) -> Result<&Market, Refusal> {
    let off =
        || Refusal::new(Code::NotFound, "There is no stock market here: the settings of this server turn it off.");
    app.chat.market().ok_or_else(off)
}

/// What stands behind the question mark.
#[derive(Deserialize)]
pub(crate) struct Wish {
    /// The `id` of the last event that was heard.
    after: Option<String>,
}

/// Tells what is remembered, or what came after `Last-Event-ID` or `?after=`, and then every second.
pub(crate) async fn stocks(
    State(app): State<App>,
    caller: Result<Caller, HttpRefusal>,
    client: Client,
    wish: Result<Query<Wish>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, HttpRefusal> {
    let caller = match caller {
        Ok(caller) => caller,
        Err(HttpRefusal(refusal)) if refusal.code == Code::Unauthorized && sse::is_listener(&headers) => {
            return Ok(turned_away());
        }
        Err(refusal) => return Err(refusal),
    };
    let market = market(&app)?;
    if !caller.may_open_stream(&app, &headers) {
        return Err(not_our_page().into());
    }
    let Query(wish) =
        wish.map_err(|_| Refusal::new(Code::BadField, "The address may say after, once: the id of an event."))?;
    let said = headers.get(sse::LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let known = match (said.and_then(Position::parse), &wish.after) {
        (Some(position), _) => Some(position),
        (None, Some(after)) => Some(Position::parse(after).ok_or_else(|| {
            let message = "The position must be the id of an event, such as 1763689200 or 1763689200.3.";
            Refusal::new(Code::BadCursor, message).field("after")
        })?),
        (None, None) => None,
    };
    let place = app.places.admit(client)?;
    let watch = market.watch(known.as_ref().map_or(i64::MIN, Position::from));
    let (stay, rounds) = (caller.stay(&app), Rounds::begin(app.time.bell()));
    // Whoever left between the request's look at the session and our listening to its end was not heard.
    if ended(stay.as_ref()).await {
        return Ok(turned_away());
    }
    let watcher = Watcher { opening: RETRY, known, watch, stay, rounds, over: false, _place: place };
    let body = Body::from_stream(stream::unfold(watcher, Watcher::next));
    Ok((sse::HEADERS, [(CONTENT_TYPE, sse::KIND)], body).into_response())
}

/// One stream. Nothing waits for it: hyper asks for more when the last was written, and the market lets go of whoever
/// asks too late; a peer that takes nothing is hung up on (`serve`).
struct Watcher {
    /// What is said first.
    opening: &'static str,
    /// What the client had heard when it came.
    known: Option<Position>,
    watch: Watch,
    /// The session it came with, whose end is its own. A token ends with the server that was told of it.
    stay: Option<Stay>,
    rounds: Rounds,
    /// Whether all is said.
    over: bool,
    _place: Place,
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.over {
            return None;
        }
        let past = self.past();
        if !past.is_empty() {
            return Some((Ok(past.into()), self));
        }
        loop {
            let bytes = tokio::select! {
                // All safe to cancel: a tick stays until it is taken, what is due stays due, and what ended has ended.
                ticks = self.watch.next() => Bytes::from(events(&ticks?, None)),
                due = self.rounds.next() => match due {
                    Due::Word => Bytes::from_static(ALIVE),
                    Due::Look => match self.leave().await {
                        Some(bytes) => bytes,
                        None => continue,
                    },
                },
                // Told also when the instance goes: then the market ends, and the session does not.
                () = told(self.stay.as_ref()) => self.leave().await?,
            };
            self.rounds.said();
            return Some((Ok(bytes), self));
        }
    }

    /// The last word, if the session has ended.
    async fn leave(&mut self) -> Option<Bytes> {
        self.over = ended(self.stay.as_ref()).await;
        self.over.then(|| Bytes::from(farewell()))
    }

    /// The next piece of the past; empty when all is told.
    fn past(&mut self) -> String {
        let count = self.watch.past.len().min(PIECE);
        let piece: Vec<_> = self.watch.past.drain(..count).collect();
        format!("{}{}", std::mem::take(&mut self.opening), events(&piece, self.known.as_ref()))
    }
}

/// The last event, for whose session has ended: a page would otherwise come back for ever, without being told why.
fn farewell() -> String {
    format!("event: bye\nretry: {}\ndata: {}\n\n", sse::RETRY_UNWANTED.as_millis(), Close::Revoked.reason())
}

/// The answer to whoever has no session, where that must be told in a stream.
fn turned_away() -> Response {
    (sse::HEADERS, [(CONTENT_TYPE, sse::KIND)], farewell()).into_response()
}

/// Returns when the session may have ended; never for who came without.
async fn told(stay: Option<&Stay>) {
    match stay {
        Some(stay) => stay.until_told().await,
        None => std::future::pending().await,
    }
}

async fn ended(stay: Option<&Stay>) -> bool {
    match stay {
        Some(stay) => stay.has_ended().await,
        None => false,
    }
}

/// How far a client got: a second, and which of its quotes was the last; without one, all of them.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    second: i64,
    index: Option<usize>,
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let (second, index) = match text.split_once('.') {
            Some((second, index)) => (second, Some(index.parse().ok()?)),
            None => (text, None),
        };
        Some(Self { second: second.parse().ok().filter(|second| *second >= 0)?, index })
    }

    /// The first second that may not be known whole.
    fn from(&self) -> i64 {
        self.second.saturating_add(i64::from(self.index.is_none()))
    }

    fn includes(&self, second: i64, index: usize) -> bool {
        second == self.second && self.index.is_some_and(|last| index <= last)
    }
}

/// Each quote as an event, without those that are known.
fn events(ticks: &[Arc<Tick>], known: Option<&Position>) -> String {
    let mut text = String::new();
    for tick in ticks {
        for (index, quote) in tick.quotes().enumerate() {
            if !known.is_some_and(|known| known.includes(tick.second, index)) {
                // Writing into a String cannot fail.
                let _ = write!(text, "event: quote\nid: {}.{index}\ndata: {quote}\n\n", tick.second);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn a_position_is_an_id_of_an_event_or_a_whole_second() {
        let whole = Position { second: 7, index: None };
        assert_eq!(Position::parse("7"), Some(Position { second: 7, index: None }));
        assert!(whole.from() == 8 && !whole.includes(8, 0));
        let part = Position::parse("7.2").expect("an id");
        assert_eq!(part.from(), 7);
        assert!(part.includes(7, 2) && !part.includes(7, 3) && !part.includes(8, 0));
        assert_eq!(Position::parse(&i64::MAX.to_string()).map(|position| position.from()), Some(i64::MAX));
        for rubbish in ["", ".", "7.", ".2", "-1", "7.-1", "7.2.1", "x", "99999999999999999999"] {
            assert_eq!(Position::parse(rubbish), None, "{rubbish}");
        }
    }
}
