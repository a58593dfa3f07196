//! What every handler shares.

use std::sync::Arc;

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tertulia_chat::Chat;
use tokio_util::task::TaskTracker;

use super::access::Tokens;
use super::budgets::Doors;
use super::client::Places;
use super::health::Probe;
use super::timekeeper::Timekeeper;

/// The parts of the running server that handlers need. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct App {
    /// The chat itself.
    pub chat: Arc<Chat>,
    /// Where the browser's build is, for the page's links to it.
    pub leptos: LeptosOptions,
    /// How this server is reached from outside.
    pub origin: Arc<Origin>,
    /// How many sockets each address may open.
    pub places: Arc<Places>,
    /// The last proof that the database can be written.
    pub probe: Arc<Probe>,
    /// How often somebody may come in, and make rooms.
    pub doors: Arc<Doors>,
    /// The tokens of programs.
    pub tokens: Arc<Tokens>,
    /// Tells the sockets when their deadlines have come.
    pub time: Arc<Timekeeper>,
    /// The sockets' tasks: shutting down waits for them to say goodbye.
    pub sockets: TaskTracker,
}

/// How this server is reached from outside, as far as the host has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `https://chat.example.org`, without a path. None: access is open, and whatever `Host` says is believed.
    pub public_url: Option<String>,
}

impl Origin {
    /// Whether everybody who reaches the server may come in.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.public_url.is_none()
    }

    /// Whether cookies must travel over TLS only.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether a request that carries a cookie comes from our own pages: the browser's `Origin` must be the public
    /// URL, or agree with `Host` where none is configured. An absent or `null` origin is refused, since a
    /// cookie proves nothing about who wrote the request.
    #[must_use]
    pub fn is_ours(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return false };
        match &self.public_url {
            Some(public_url) => origin == public_url,
            None => {
                let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
                authority.is_some() && authority == host
            }
        }
    }
}
