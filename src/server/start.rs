//! From settings to a running server, and back to nothing: what is opened here is closed here, in reverse.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use leptos::config::{Env, LeptosOptions};
use tertulia_chat::bridge::Bridges;
use tertulia_chat::bus::Connected;
use tertulia_chat::bus::embedded::EmbeddedHub;
use tertulia_chat::bus::redis::{RedisBus, RedisSettings};
use tertulia_chat::bus::switchable::Switchable;
use tertulia_chat::clock::SystemClock;
use tertulia_chat::store::sqlite::{SqliteOptions, SqliteStore, Synchronous as SqliteSynchronous};
use tertulia_chat::{Chat, MarketOptions, Options};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Tokens;
use super::budgets::Doors;
use super::client::Places;
use super::config::{Database, RateLimits, Settings, Stocks, Synchronous};
use super::shutdown::Signals;
use super::state::{App, Origin};
use super::timekeeper::Timekeeper;
use super::{assets, router, serve};

/// Over how long clients are told to come back when an instance stops: a tenth of a storm's minute, and well
/// within the presence grace of 12 s, so that nobody is said to have left.
const DISMISS_SPREAD: Duration = Duration::from_secs(5);

/// Why instances do not hear each other when the Redis is one that anybody can read.
const REDIS_REFUSED: &str = "the Redis is on another machine and asks for no password, so it is not used; \
    give it one, or say --redis-without-password allow";

/// Why the server could not start, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// Runs the server until it is asked to end.
///
/// # Errors
/// When the database cannot be opened or the port cannot be had. An unreachable Redis is no error: the
/// chat is served without it, visibly degraded.
pub async fn run(settings: Settings) -> Result<(), StartError> {
    // Heard from here on: a signal that comes while the database is opened must not cut it off.
    let mut signals = Signals::listen().map_err(|error| StartError(format!("No signal can be heard: {error}.")))?;
    let server = Server::start(&settings).await?;
    greet(&settings, server.address());
    let signal = signals.requested().await;
    let sockets = server.chat().connections();
    tracing::info!(signal, sockets, "stopping: no new connections, everybody is told to come back");
    server.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// A server that runs, in this process; [`Server::stop`] closes what [`Server::start`] opened, in reverse.
pub struct Server {
    address: SocketAddr,
    chat: Arc<Chat>,
    store: Arc<SqliteStore>,
    sockets: TaskTracker,
    /// Keeps time for the sockets, and so outlives them.
    time: JoinHandle<()>,
    serving: JoinHandle<()>,
    bridges: Option<Bridges>,
    stop: CancellationToken,
    /// How long stopping waits for what is under way.
    patience: Duration,
}

impl Server {
    /// Opens the port, the database and the bus, and serves.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        // The port first: it is what most often cannot be had, and nothing has to be undone then.
        let listener = TcpListener::bind(settings.address()).await.map_err(|error| {
            StartError(format!("The address {} cannot be listened on: {error}. Choose another with --port (TERTULIA_PORT) or --listen.", settings.address()))
        })?;
        let address = listener.local_addr().map_err(|error| StartError(format!("The port is unknown: {error}.")))?;
        let store = Arc::new(open_store(settings)?);
        let node = node_name(&settings.instance);
        let (connected, redis) = connect_bus(settings, &node)?;
        let options = Options {
            instance: settings.instance.clone(),
            node,
            presence_grace: settings.presence_grace,
            session_ms: i64::try_from(settings.session.as_millis()).unwrap_or(i64::MAX),
            rate_limits: settings.rate_limits == RateLimits::On,
            market: (settings.stocks == Stocks::On)
                .then(|| MarketOptions { seed: settings.stock_seed, more: settings.stock_symbols.clone() }),
        };
        let chat = Chat::start(store.clone(), connected, Arc::new(SystemClock), options);
        let bridges = start_bridges(settings, &chat, redis.as_deref())?;
        let app = App {
            chat: chat.clone(),
            leptos: leptos_options(address),
            origin: Arc::new(Origin { public_url: settings.public_url.as_ref().map(ToString::to_string) }),
            time: Timekeeper::new(),
            sockets: TaskTracker::new(),
            places: Arc::new(places(settings)),
            probe: Arc::default(),
            doors: Arc::new(Doors::new(settings.rate_limits == RateLimits::On)),
            tokens: Arc::new(Tokens::new(&settings.tokens, settings.rate_limits == RateLimits::On)),
        };
        let (sockets, places) = (app.sockets.clone(), app.places.clone());
        let time = tokio::spawn(app.time.clone().keep());
        let router = router::router(app).map_err(StartError)?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve::serve(listener, router, settings.max_connections, places, stop.clone()));
        Ok(Self { address, chat, store, sockets, time, serving, bridges, stop, patience: settings.shutdown })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it serves.
    #[must_use]
    pub const fn chat(&self) -> &Arc<Chat> {
        &self.chat
    }

    /// The rooms that are joined to Redis channels, if any are.
    #[must_use]
    pub const fn bridges(&self) -> Option<&Bridges> {
        self.bridges.as_ref()
    }

    /// Ends: no new connections, everybody is told to come back, what was begun is finished, the database is closed.
    pub async fn stop(self) {
        self.stop.cancel();
        self.chat.dismiss_all(DISMISS_SPREAD);
        self.sockets.close();
        let drained = async {
            // Requests first: a form that is still posting commits before the chat says that it goes. A panic of
            // the accept loop was logged by the runtime; there is nothing left to stop then.
            let _ = self.serving.await;
            self.sockets.wait().await;
            if let Some(bridges) = &self.bridges {
                bridges.stop().await;
            }
            self.chat.stop().await;
        };
        if tokio::time::timeout(self.patience, drained).await.is_err() {
            tracing::warn!("some connections did not end in time; they are cut");
        }
        self.time.abort();
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the database was not closed in order");
        }
    }
}

fn open_store(settings: &Settings) -> Result<SqliteStore, StartError> {
    let Database::Sqlite { path } = &settings.database;
    let options = SqliteOptions {
        readers: settings.sqlite_readers,
        synchronous: match settings.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        },
        // With a bus there are others, and on one host they share the file.
        shared: settings.redis.is_some(),
        ..SqliteOptions::default()
    };
    let cannot = |error| StartError(format!("The database {} cannot be opened: {error}.", path.display()));
    SqliteStore::open(Path::new(path), options).map_err(cannot)
}

/// The bus, and the same once more for those who speak to Redis beside it.
fn connect_bus(settings: &Settings, node: &str) -> Result<(Connected, Option<Arc<RedisBus>>), StartError> {
    let Some(url) = &settings.redis else { return Ok((EmbeddedHub::new().connect(), None)) };
    if settings.redis_refused() {
        return Ok((EmbeddedHub::new().severed(REDIS_REFUSED), None));
    }
    let redis = RedisSettings {
        url: url.url().expose().to_owned(),
        prefix: settings.redis_prefix.clone(),
        instance: node.to_owned(),
    };
    let (bus, heard) =
        RedisBus::open(&redis).map_err(|error| StartError(format!("The Redis settings cannot be used: {error}.")))?;
    let connected = Connected { bus: bus.clone(), heard };
    // The switch of the lesson is only where everybody may come in anyway.
    let connected = if settings.open_access() { Switchable::wrap(connected) } else { connected };
    Ok((connected, Some(bus)))
}

fn start_bridges(
    settings: &Settings,
    chat: &Arc<Chat>,
    redis: Option<&RedisBus>,
) -> Result<Option<Bridges>, StartError> {
    let wanted = settings.bridges();
    match redis {
        Some(redis) if !wanted.pairs().is_empty() => Bridges::start(chat, redis, wanted.pairs())
            .map(Some)
            .map_err(|error| StartError(format!("The bridges cannot be used: {error}."))),
        None if !wanted.pairs().is_empty() => {
            tracing::warn!("bridges are configured and no Redis: there is nothing to join the rooms to");
            Ok(None)
        }
        Some(_) | None => Ok(None),
    }
}

/// A name on the bus that no other instance has, even where the host gave two the same name.
fn node_name(instance: &str) -> String {
    // An instance's name has at most 64 bytes and so has a node's: nine are needed for the suffix.
    let short: String = instance.chars().take(48).collect();
    format!("{short}.{:08x}", rand::random::<u32>())
}

fn places(settings: &Settings) -> Places {
    let trusted = settings.trusted_proxies.clone();
    let is_trusted = move |address| trusted.iter().any(|range| range.contains(address));
    Places::new(settings.max_sockets_per_address, settings.max_connections, Box::new(is_trusted))
}

/// Where the browser's build is. Nothing is read from the environment: the binary knows what it carries.
fn leptos_options(address: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("tertulia")
        .site_pkg_dir(assets::pkg_dir())
        .site_addr(address)
        .reload_port(3010_u32)
        .env(if cfg!(debug_assertions) { Env::DEV } else { Env::PROD })
        .build()
}

/// What somebody who just typed the command wants to know.
fn greet(settings: &Settings, address: SocketAddr) {
    let host = if address.ip().is_unspecified() || address.ip().is_loopback() {
        "localhost".to_owned()
    } else {
        address.ip().to_string()
    };
    let local = format!("http://{host}:{}", address.port());
    let open = settings.public_url.as_ref().map_or(local, ToString::to_string);
    let Database::Sqlite { path } = &settings.database;
    let bus = settings.redis.as_ref().map_or_else(|| "in-process".to_owned(), ToString::to_string);
    tracing::info!(database = %path.display(), bus, instance = settings.instance, "Tertulia is open: {open}");
    if settings.open_access() {
        tracing::warn!("access is open to everybody who reaches this address; cookies travel over plain http");
    }
    if settings.redis_refused() {
        tracing::error!("{REDIS_REFUSED}");
    } else if settings.redis_exposed() {
        tracing::warn!("the Redis can be reached from other machines and asks for no password");
    }
    if settings.synchronous == Synchronous::Normal {
        tracing::warn!("synchronous = normal: a power cut may lose the last messages that were acknowledged");
    }
}
