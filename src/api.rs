//! What pages ask the server for. The one seam between the views and the server's state.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, JsonEncoding};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::Serialize;
use tertulia_protocol::json::{FromJson, Misread, Value};
use tertulia_protocol::{BusState, Code, Entry, Person, Refusal, RoomInfo, Snapshot};

/// Everything a room's page is rendered from, read at one position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// Who looks.
    pub you: Person,
    /// The rooms of the sidebar, in the order they were made: the newest, and the one that is open.
    pub rooms: Vec<RoomInfo>,
    /// The room with its newest entries: where the socket resumes.
    pub snapshot: Snapshot,
    /// Older entries instead of the newest, when the address asks for them (`?before=`): reading without JavaScript.
    pub older: Option<Vec<Entry>>,
    /// Who is in the room at this moment, the first by name; best effort.
    pub online: Vec<Person>,
    /// How many those are in all.
    pub online_count: u64,
    /// Whether instances hear each other.
    pub bus: BusState,
    /// The name of the instance that answers.
    pub instance: String,
    /// Whether this host has a stock market.
    pub stocks: bool,
    /// Whether whoever looks may watch the cluster.
    pub cluster: bool,
    /// A new key for the plain form, so that sending it twice stores it once.
    pub form_key: String,
}

tertulia_protocol::from_json!(Visit {
    you,
    rooms,
    snapshot,
    older,
    online,
    online_count,
    bus,
    instance,
    stocks,
    cluster,
    form_key
});

/// The picture that the page of the cluster is rendered from, as JSON; in the context of that page on the server.
#[derive(Clone)]
pub struct FirstPicture(pub String);

/// Why a page could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{0}")]
pub struct PageError(pub Refusal);

impl FromJson for PageError {
    fn from_json(value: Value) -> Result<Self, Misread> {
        Refusal::from_json(value).map(Self)
    }
}

tertulia_protocol::deserialize_from_json!(Visit, PageError);

impl FromServerFnError for PageError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        // The transport's own words may name internals, so only the kind of failure is kept.
        let message = match error {
            ServerFnErrorErr::Request(_) => "The server cannot be reached.",
            _ => "The server could not answer.",
        };
        Self(Refusal::new(Code::Internal, message).retry_after(1_000))
    }
}

/// The page of the room with this slug for whoever the session cookie says. `before` above 0 adds the entries
/// before that number.
///
/// # Errors
/// `unauthorized` without a session, `not_found`, `bad_cursor`, `storage_unavailable`.
#[server(name = AskVisit, endpoint = "visit", input = GetUrl)]
pub async fn visit(
    /// The room's place in URLs.
    slug: String,
    /// The number before which to read; 0 for the newest page.
    before: i64,
) -> Result<Visit, PageError> {
    crate::server::pages::visit(&slug, before).await.map_err(PageError)
}
