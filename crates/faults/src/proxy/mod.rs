//! A TCP proxy that breaks what goes through it, on command: slow, cut, silent in one direction, deaf to newcomers, or
//! losing Pub/Sub messages. Between an instance and Redis, or a client and an instance.
//!
//! It needs neither root nor network namespaces. What waits in it is bounded, and every task of it ends with it.

mod control;
mod link;
mod sieve;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub use self::control::{Control, Flow};

/// Most connections at a time: a storm of 10,000 clients, twice. Those beyond wait in the listener's backlog.
const LINKS: usize = 20_000;

/// Pause after a connection could not be accepted: open files have run out, and come back.
const RETRY: Duration = Duration::from_millis(10);

/// What is said on the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// Bytes.
    Any,
    /// The protocol of Redis: Pub/Sub messages can be told from other replies.
    Redis,
}

/// A proxy, alive until it is dropped or stopped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    control: Control,
    /// The loop that accepts, and through it all connections.
    tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback, in front of `target`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn before(target: SocketAddr, speech: Speech) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, control) = (listener.local_addr()?, Control::new(target));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, control.clone(), speech));
        Ok(Self { address, control, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle to break it and to mend it; clones steer the same proxy.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Ends it and every connection, and waits until they have.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn accept(listener: TcpListener, control: Control, speech: Speech) {
    let mut links = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // Safe to cancel: a connection that was not accepted stays with the listener.
            accepted = listener.accept(), if links.len() < LINKS => accepted,
            // Safe to cancel: a task that has ended is still there the next time.
            Some(_) = links.join_next() => continue,
        };
        match accepted {
            Ok((client, _)) => drop(links.spawn(link::carry(client, control.clone(), speech))),
            Err(_) => sleep(RETRY).await,
        }
    }
}
