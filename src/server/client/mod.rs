//! Where a request comes from, and how much may come from one place.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use tertulia_protocol::{Code, Refusal};

use super::state::App;

/// The address of a client: its peer's, or what a trusted proxy says. A header from anybody else is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(pub(crate) Option<IpAddr>);

impl FromRequestParts<App> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let Some(peer) = peer else { return Ok(Self(None)) };
        let forwarded = parts.headers.get_all("x-forwarded-for").iter();
        let hops: Vec<&str> = forwarded.flat_map(|value| value.to_str().unwrap_or("?").split(',')).collect();
        // From the nearest hop outwards: the first that is no proxy of ours is the client. A hop that cannot be
        // read ends the search, since what stands behind it is whatever somebody wrote.
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let (true, Ok(hop)) = (app.places.trusts(client), hop.trim().parse::<IpAddr>()) else { break };
            client = hop.to_canonical();
        }
        Ok(Self(Some(client)))
    }
}

/// Whose budget an address draws on: itself for IPv4, the network of 64 bits that one household is given for IPv6,
/// of whose addresses anybody there may take as many as they like.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Whether an address is one of the host's proxies.
pub type Trusted = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What part of all connections one address may hold, a quarter: it takes four of them to shut everybody out.
const PART: usize = 4;
/// Connections that any address may hold: ten tabs of one browser, six requests each, fit beside their sockets.
const LEAST: usize = 70;

/// Counts the sockets and streams of each address, and its connections, whatever they are for.
pub struct Places {
    most: usize,
    most_connections: usize,
    trusted: Trusted,
    taken: Taken,
    connections: Taken,
    /// Whether this machine itself is not counted: a proxy beside the server that is not configured as trusted would
    /// otherwise share one place among everybody. Always, but for tests, which have no other machine.
    spares_loopback: bool,
}

impl Places {
    /// At most `most` sockets and streams per address, and a quarter of all `connections`; `trusted` names the proxies
    /// whose word counts.
    #[must_use]
    pub fn new(most: usize, connections: usize, trusted: Trusted) -> Self {
        let most_connections = (connections / PART).max(LEAST).max(most);
        let (taken, connections) = (Arc::default(), Arc::default());
        Self { most, most_connections, trusted, taken, connections, spares_loopback: true }
    }

    /// The same, counting this machine as any other.
    #[cfg(test)]
    pub(crate) fn counting_loopback(self) -> Self {
        Self { spares_loopback: false, ..self }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        (self.trusted)(address)
    }

    /// A place for one more socket or stream.
    ///
    /// # Errors
    /// `busy`, when the address has as many as it may.
    pub(crate) fn admit(&self, client: Client) -> Result<Place, Refusal> {
        let full = || Refusal::new(Code::Busy, "Too many sockets from this address.").retry_after(5_000);
        let Client(Some(address)) = client else { return Ok(Place(None)) };
        self.take(&self.taken, self.most, address).ok_or_else(full)
    }

    /// A place for one more connection of this peer, or `None`. Nothing has been read of it yet, so whose connections a
    /// proxy brings is not known: a trusted one is not counted.
    pub(crate) fn connect(&self, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        if self.trusts(peer) { Some(Place(None)) } else { self.take(&self.connections, self.most_connections, peer) }
    }

    /// A place in this table, or `None`.
    fn take(&self, taken: &Taken, most: usize, address: IpAddr) -> Option<Place> {
        if self.spares_loopback && address.is_loopback() {
            return Some(Place(None));
        }
        let address = household(address);
        let mut counts = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place(Some((address, taken.clone()))))
    }
}

/// The table of places, shared with the guards that give them back.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One place, given back when dropped.
pub(crate) struct Place(Option<(IpAddr, Taken)>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some((address, taken)) = self.0.take() else { return };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
