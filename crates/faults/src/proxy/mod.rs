//! A TCP proxy that breaks links on purpose: between an instance and its Redis, or anywhere else.

mod link;
mod resp;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What is done to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Pass,
    /// Each piece is held back for so long, in both directions.
    Delay(Duration),
    /// Everything is swallowed, in both directions; connections stay open.
    BlackHole,
    /// What the server says is swallowed; what the client says arrives.
    SwallowAnswers,
    /// Nothing is read, so that it piles up at both ends.
    Stall,
    /// Every so many-th published message on its way to a subscriber is swallowed; other answers of Redis are not.
    DropEvery(u32),
    /// New connections are refused; those that are there stay.
    Refuse,
}

/// A proxy on a port of its own. Dropping it ends all of its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    control: Control,
    accepting: JoinHandle<()>,
}

/// The hand on a proxy.
#[derive(Clone, Debug)]
pub struct Control(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mode: watch::Sender<Mode>,
    /// Goes up with every cut.
    cuts: watch::Sender<u64>,
    dropped: AtomicU64,
}

impl Proxy {
    /// Listens on a free port of this machine and forwards to `target`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared =
            Shared { mode: watch::Sender::new(Mode::Pass), cuts: watch::Sender::new(0), dropped: AtomicU64::new(0) };
        let control = Control(Arc::new(shared));
        let accepting = tokio::spawn(accept(listener, target, control.clone()));
        Ok(Self { address, control, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The hand on it.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Control {
    /// Does this from now on, to all connections.
    pub fn set(&self, mode: Mode) {
        self.0.mode.send_replace(mode);
    }

    /// Breaks all connections there are, with a reset.
    pub fn cut(&self) {
        self.0.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Published messages swallowed so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    fn mode(&self) -> Mode {
        *self.0.mode.borrow()
    }
}

/// Owns every connection: they end with it.
async fn accept(listener: TcpListener, target: SocketAddr, control: Control) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            // Both safe to cancel: a connection not yet accepted stays with the kernel, an ended one in the set.
            accepted = listener.accept() => match accepted {
                Ok((client, _)) if control.mode() != Mode::Refuse => {
                    links.spawn(link::carry(client, target, control.clone()));
                }
                // Dropped, which the client sees as closed.
                Ok(_) => {}
                Err(_) => return,
            },
            Some(_) = links.join_next() => {}
        }
    }
}
