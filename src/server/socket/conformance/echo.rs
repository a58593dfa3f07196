//! A server whose only route says again what it hears: the accept loop, the handshake and the conversation of the product.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use leptos::config::LeptosOptions;
use tempfile::TempDir;
use tertulia_chat::bus::embedded::EmbeddedHub;
use tertulia_chat::clock::SystemClock;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_chat::store::sqlite::{SqliteOptions, SqliteStore};
use tertulia_chat::{Chat, Options};
use tertulia_protocol::ServerFrame;
use tertulia_protocol::limits::QUEUE_EVENTS;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::play::PATIENCE;
use crate::server::budgets::Doors;
use crate::server::client::Places;
use crate::server::serve::{Seat, serve};
use crate::server::socket::{Conversation, Handshake, Voice, carry};
use crate::server::state::App;
use crate::server::timekeeper::Timekeeper;

/// Connections at once: more than a case ever needs.
const MOST: usize = 1_000;

/// A server that runs.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    app: App,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    time: JoinHandle<()>,
    _folder: TempDir,
}

impl Server {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let app = app(&folder);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("the port is known");
        let stop = CancellationToken::new();
        let time = tokio::spawn(app.time.clone().keep());
        let router = Router::new().route("/echo", get(open)).with_state(app.clone());
        let serving = tokio::spawn(serve(listener, router, MOST, app.places.clone(), stop.clone()));
        Self { address, app, stop, serving, time, _folder: folder }
    }

    /// Ends, when every socket has ended by itself.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.app.sockets.close();
        let ended = async {
            self.serving.await.expect("the accept loop ends");
            self.app.sockets.wait().await;
            self.app.chat.stop().await;
        };
        timeout(PATIENCE, ended).await.expect("every socket is given back");
        self.time.abort();
    }
}

/// The echo needs nothing of it but the keeper of time and the place where sockets are counted.
fn app(folder: &TempDir) -> App {
    let store = SqliteStore::open(&folder.path().join("echo.db"), SqliteOptions::default()).expect("the store opens");
    let options = Options {
        instance: "echo".to_owned(),
        node: "echo".to_owned(),
        presence_grace: Duration::ZERO,
        session_ms: 0,
        rate_limits: false,
        market: None,
    };
    App {
        chat: Chat::start(Arc::new(store), EmbeddedHub::new().connect(), Arc::new(SystemClock), options),
        leptos: LeptosOptions::builder().output_name("echo").build(),
        origin: Arc::default(),
        places: Arc::new(Places::new(MOST, MOST, Box::new(|_| false))),
        probe: Arc::default(),
        doors: Arc::new(Doors::new(false)),
        tokens: Arc::default(),
        time: Timekeeper::new(),
        sockets: TaskTracker::new(),
    }
}

async fn open(State(app): State<App>, Extension(seat): Extension<Seat>, handshake: Handshake) -> Response {
    carry(&app, handshake, seat, || Echo(Arc::default()))
}

/// Says again what it hears.
struct Echo(Arc<Queue>);

impl Conversation for Echo {
    fn queue(&self) -> Arc<Queue> {
        self.0.clone()
    }

    /// The next message is taken when the last one was answered: whatever breaks the rules then comes after the answer.
    fn is_ready(&self) -> bool {
        self.0.fits(QUEUE_EVENTS / 2, 0)
    }

    fn is_greeted(&self) -> bool {
        true
    }

    async fn hear(&mut self, text: &str) -> Result<(), Ended> {
        self.0.push_encoded(Bytes::copy_from_slice(text.as_bytes()));
        Ok(())
    }

    fn hear_control(&mut self) -> Result<(), Ended> {
        Ok(())
    }

    async fn revalidate(&mut self) -> Result<(), Ended> {
        Ok(())
    }

    fn voice(&self) -> Arc<dyn Voice> {
        Arc::new(Verbatim)
    }
}

struct Verbatim;

impl Voice for Verbatim {
    fn say(&self, frames: Vec<Bytes>) -> Vec<Message> {
        let text = |frame| Message::Text(Utf8Bytes::try_from(frame).expect("it was text when it was heard"));
        frames.into_iter().map(text).collect()
    }

    // What comes back is compared to the byte.
    fn goodbye(&self, _: &ServerFrame) -> Option<Message> {
        None
    }
}
