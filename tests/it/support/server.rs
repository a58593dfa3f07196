//! A server in this process, on a port of its own, with its data in a folder that goes away with it.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use tempfile::TempDir;
use tertulia::server::config::{Command, Settings, Surroundings, parse};
use tertulia::server::start::Server;
use tertulia_chat::bridge::Totals;
use tertulia_chat::{Chat, Token};
use tokio::time::timeout;

use super::guest::Guest;
use super::http::{Answer, Door, Request};
use super::{PATIENCE, eventually};

/// A folder for data, shared by the servers that are started on it.
pub(crate) type Folder = Arc<TempDir>;

/// A new folder.
pub(crate) fn folder() -> Folder {
    Arc::new(tempfile::tempdir().expect("a temporary folder"))
}

/// What a server is told before it starts.
pub(crate) struct Setup {
    args: Vec<OsString>,
    folder: Folder,
    public_url: Option<String>,
}

impl Setup {
    /// A server that needs nobody.
    pub(crate) fn new() -> Self {
        Self { args: Vec::new(), folder: folder(), public_url: None }
    }

    /// On data that others use too.
    pub(crate) fn on(mut self, folder: &Folder) -> Self {
        self.folder = folder.clone();
        self
    }

    pub(crate) fn redis(self, url: &str) -> Self {
        self.flag("--redis", url)
    }

    pub(crate) fn named(self, name: &str) -> Self {
        self.flag("--instance", name)
    }

    pub(crate) fn without_limits(self) -> Self {
        self.flag("--rate-limits", "off")
    }

    pub(crate) fn most_connections(self, most: usize) -> Self {
        self.flag("--max-connections", &most.to_string())
    }

    pub(crate) fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.to_owned());
        self.flag("--public-url", url)
    }

    pub(crate) fn tokens(self, rows: &str) -> Self {
        self.flag("--tokens", rows)
    }

    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.args.extend([name.into(), value.into()]);
        self
    }

    fn settings(&self) -> Settings {
        let mut args: Vec<OsString> = ["tertulia", "serve", "--port", "0", "--data"].map(OsString::from).to_vec();
        args.push(self.folder.path().into());
        args.extend(self.args.iter().cloned());
        let read_file = |_: &std::path::Path| Err(io::Error::from(io::ErrorKind::NotFound));
        let surroundings = Surroundings { args, env: Vec::new(), read_file: &read_file, host: None, pid: 1 };
        match parse(&surroundings) {
            Ok(Command::Serve(settings)) => *settings,
            other => panic!("settings that a server starts with: {other:?}"),
        }
    }

    pub(crate) async fn start(self) -> TestServer {
        let server = Server::start(&self.settings()).await.expect("the server starts");
        let address = server.address();
        let origin = self.public_url.unwrap_or_else(|| format!("http://{address}"));
        let host = origin.split_once("://").expect("a URL has a scheme").1.to_owned();
        TestServer { server, door: Door { address, host, origin }, folder: self.folder }
    }
}

/// A token's hash, as it stands in the settings.
pub(crate) fn hashed(token: &Token) -> String {
    Token::hash_of(token.reveal()).expect("a token has a hash").to_hex()
}

/// A server that runs.
pub(crate) struct TestServer {
    server: Server,
    pub(crate) door: Door,
    pub(crate) folder: Folder,
}

impl TestServer {
    /// One that needs nobody.
    pub(crate) async fn alone() -> Self {
        Setup::new().start().await
    }

    /// Two on one Redis and one database, which hear each other. Nobody is slowed down there.
    pub(crate) async fn pair(redis: &str) -> (Self, Self) {
        let folder = folder();
        let a = Setup::new().on(&folder).redis(redis).named("a").without_limits().start().await;
        let b = Setup::new().on(&folder).redis(redis).named("b").without_limits().start().await;
        a.until_bus("live").await;
        b.until_bus("live").await;
        (a, b)
    }

    pub(crate) async fn guest(&self, name: &str) -> Guest {
        Guest::enter(&self.door, name).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Request::get(path).send(&self.door).await
    }

    /// Publishes a text, as any program would.
    pub(crate) async fn publish(&self, room: &str, text: &str) -> Answer {
        let request = Request::new("POST", &format!("/publish/{room}")).header("content-type", "text/plain");
        request.body(text.as_bytes().to_vec()).send(&self.door).await
    }

    pub(crate) fn chat(&self) -> &Arc<Chat> {
        self.server.chat()
    }

    pub(crate) fn connections(&self) -> usize {
        self.server.chat().connections()
    }

    /// What went through each bridge.
    pub(crate) fn bridges(&self) -> Vec<Totals> {
        self.server.bridges().map(|bridges| bridges.totals().map(|(_, totals)| totals).collect()).unwrap_or_default()
    }

    /// Waits until `/readyz` says this of the bus; returns all that it says. The server is ready all the while.
    pub(crate) async fn until_bus(&self, words: &str) -> String {
        let what = format!("/readyz says that the bus is {words}");
        eventually(&what, async || {
            let ready = self.get("/readyz").await;
            assert_eq!(ready.status, 200, "the bus never makes an instance unready: {ready:?}");
            let bus = ready.json()["bus"].as_str().expect("the bus in words").to_owned();
            bus.starts_with(words).then_some(bus)
        })
        .await
    }

    /// Stops in order. Servers that are dropped instead end with the runtime of their test.
    pub(crate) async fn stop(self) {
        timeout(PATIENCE, self.server.stop()).await.expect("the server stops");
    }
}
