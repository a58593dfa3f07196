//! `GET /feeds/stocks`: the market as a stream of server-sent events, resumed where it broke off.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::stream;
use tertulia_chat::Market;
use tertulia_chat::market::{Tick, Watch};
use tertulia_protocol::{Code, Refusal};
use tokio::time::timeout;

use super::access::Caller;
use super::client::{Client, Place};
use super::error::HttpRefusal;
use super::sse;
use super::state::App;

/// The comment.
const ALIVE: &[u8] = b": alive\n\n";
/// How soon a browser comes back by itself, in milliseconds: two ticks of the market.
const RETRY: &str = "retry: 2000\n\n";

/// The market of this host.
///
/// # Errors
/// `not_found` when the host has none.
pub(crate) fn market(app: &App) -> Result<&Market, Refusal> {
    let off =
        || Refusal::new(Code::NotFound, "There is no stock market here: the settings of this server turn it off.");
    app.chat.market().ok_or_else(off)
}

/// Tells what is remembered, or what came after `Last-Event-ID` or `?after=`, and then every second.
pub(crate) async fn stocks(
    State(app): State<App>,
    caller: Result<Caller, HttpRefusal>,
    client: Client,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, HttpRefusal> {
    let market = market(&app)?;
    caller?;
    let said = headers.get(sse::LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let after = match (said.and_then(Position::parse), query.get("after")) {
        (Some(position), _) => Some(position),
        (None, Some(after)) => Some(Position::parse(after).ok_or_else(|| {
            let message = "The position must be the id of an event, such as 1763689200 or 1763689200.3.";
            Refusal::new(Code::BadCursor, message).field("after")
        })?),
        (None, None) => None,
    };
    let place = app.places.admit(client)?;
    let watch = market.watch(after.as_ref().map_or(i64::MIN, Position::from));
    let first = Bytes::from(format!("{RETRY}{}", events(&watch.past, after.as_ref())));
    let watcher = Watcher { first: Some(first), watch, _place: place };
    let body = Body::from_stream(stream::unfold(watcher, Watcher::next));
    Ok((sse::HEADERS, [(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

/// One stream. Nothing waits for it: hyper asks for more when the last was written, and the market lets go of whoever
/// asks too late; the kernel gives up a peer that takes nothing (`serve`).
struct Watcher {
    first: Option<Bytes>,
    watch: Watch,
    _place: Place,
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        if let Some(first) = self.first.take() {
            self.watch.past = Vec::new();
            return Some((Ok(first), self));
        }
        let bytes = match timeout(sse::KEEP_ALIVE, self.watch.next()).await {
            Ok(ticks) => Bytes::from(events(&ticks?, None)),
            Err(_) => Bytes::from_static(ALIVE),
        };
        Some((Ok(bytes), self))
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
