//! One connection through the proxy: one task, two directions, each with a bounded queue of what is under way.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Speech;
use super::control::{Control, Flow, Lane, Settings};
use super::sieve::Sieve;

/// Bytes taken at a time.
const CHUNK: usize = 16 * 1024;
/// Bytes under way in one direction of one connection: one second of a delay at 2 Mbit/s. What is beyond waits at its
/// sender, as it would in any network.
const UNDER_WAY: usize = 256 * 1024;
/// A narrow link takes so many parts of a second's bytes at a time, so that it trickles rather than stutters.
const TRICKLE: u64 = 20;

/// Why a connection must end with a reset.
struct Broken;

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// Carries a client's connection to the target until it ends or is broken.
pub(super) async fn carry(client: TcpStream, control: Control, speech: Speech) {
    // Counted until the sockets are closed: locals are dropped in reverse.
    let _counted = control.enter();
    let mut client = client;
    let mut settings = control.watch();
    let Settings { target, refuse, cuts, .. } = *settings.borrow();
    if refuse {
        return reset(&client);
    }
    let connected = tokio::select! {
        // Safe to cancel: then the client is reset as well.
        connected = TcpStream::connect(target) => connected,
        () = cut(&mut settings, cuts) => return reset(&client),
    };
    let Ok(mut server) = connected else { return reset(&client) };
    let ended = tokio::select! {
        // Safe to cancel: what is under way is lost with the connection, which is what a cut is.
        ended = both_ways(&mut client, &mut server, &control, speech) => ended,
        () = cut(&mut settings, cuts) => Err(Broken),
    };
    if ended.is_err() {
        reset(&client);
        reset(&server);
    }
}

/// Lets a connection end with a reset when it is dropped. One that has lost its peer ends anyhow.
fn reset(stream: &TcpStream) {
    drop(stream.set_zero_linger());
}

async fn cut(settings: &mut watch::Receiver<Settings>, cuts: u64) {
    // An error means that the proxy is gone, and this task with it.
    drop(settings.wait_for(|now| now.cuts != cuts).await);
}

async fn both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    control: &Control,
    speech: Speech,
) -> Result<(), Broken> {
    // The proxy's own delays are those that were asked for.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let carried = AtomicU64::new(0);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let sieve = (speech == Speech::Redis).then(Sieve::default);
    let up = Pump::new(control, &carried, |now| now.up, None);
    let down = Pump::new(control, &carried, |now| now.down, sieve);
    tokio::try_join!(up.run(from_client, to_server), down.run(from_server, to_client))?;
    Ok(())
}

/// One direction.
struct Pump<'a> {
    control: &'a Control,
    settings: watch::Receiver<Settings>,
    lane: fn(&Settings) -> Lane,
    sieve: Option<Sieve>,
    /// Bytes of both directions.
    carried: &'a AtomicU64,
    /// What is under way, and when it arrives at the earliest.
    queue: VecDeque<(Instant, Vec<u8>)>,
    queued: usize,
    /// When a narrow link can carry the next bytes.
    free: Instant,
    /// The sender has said all.
    ended: bool,
    /// Something is missing from the stream.
    holed: bool,
}

/// What to do next.
enum Turn {
    Take(usize),
    Give,
    Look,
}

impl<'a> Pump<'a> {
    fn new(control: &'a Control, carried: &'a AtomicU64, lane: fn(&Settings) -> Lane, sieve: Option<Sieve>) -> Self {
        let (settings, queue, free) = (control.watch(), VecDeque::new(), Instant::now());
        Self { control, settings, lane, sieve, carried, queue, queued: 0, free, ended: false, holed: false }
    }

    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Broken> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let lane = (self.lane)(&self.settings.borrow_and_update());
            if lane.flow == Flow::Swallow {
                // What is under way when the hole opens falls into it.
                self.swallow(self.queued);
                self.queue.clear();
                self.queued = 0;
            } else if self.holed {
                return Err(Broken);
            }
            if self.ended && self.queue.is_empty() && lane.flow == Flow::Pass {
                return Ok(to.shutdown().await?);
            }
            let takes = !self.ended && lane.flow != Flow::Hold && self.queued < UNDER_WAY;
            let due = self.queue.front().map(|(due, _)| (*due).max(self.free));
            let turn = tokio::select! {
                // Safe to cancel: bytes that were not taken stay in the socket.
                taken = from.read(&mut buffer[..portion(lane)]), if takes => Turn::Take(taken?),
                // Safe to cancel, as nothing happens but that time passes.
                () = sleep_until(due.unwrap_or(self.free)), if due.is_some() && lane.flow == Flow::Pass => Turn::Give,
                // Safe to cancel: the next turn begins with the newest settings. An error cannot be, we hold the sender.
                _ = self.settings.changed() => Turn::Look,
            };
            match turn {
                Turn::Take(0) => {
                    self.ended = true;
                    // The end of a stream falls into the hole as well.
                    self.holed |= lane.flow == Flow::Swallow;
                }
                Turn::Take(bytes) => self.take(&buffer[..bytes], lane),
                Turn::Give => self.give(&mut to, lane).await?,
                Turn::Look => {}
            }
        }
    }

    fn take(&mut self, bytes: &[u8], lane: Lane) {
        if lane.flow == Flow::Swallow {
            return self.swallow(bytes.len());
        }
        let kept = match &mut self.sieve {
            Some(sieve) => sieve.sift(bytes, || self.control.drops_this()),
            None => bytes.to_vec(),
        };
        if !kept.is_empty() {
            self.queued += kept.len();
            self.queue.push_back((Instant::now() + lane.delay, kept));
        }
    }

    fn swallow(&mut self, bytes: usize) {
        self.holed |= bytes > 0;
        self.control.count_swallowed(bytes);
    }

    async fn give(&mut self, to: &mut WriteHalf<'_>, lane: Lane) -> Result<(), Broken> {
        let Some((_, bytes)) = self.queue.pop_front() else { return Ok(()) };
        self.queued -= bytes.len();
        let limit = self.settings.borrow().reset_after;
        let before = self.carried.fetch_add(bytes.len() as u64, Relaxed);
        let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(before));
        let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        to.write_all(&bytes[..allowed]).await?;
        if left <= bytes.len() as u64 {
            return Err(Broken);
        }
        if let Some(bandwidth) = lane.bandwidth {
            let takes = Duration::from_secs_f64(bytes.len() as f64 / bandwidth.get() as f64);
            self.free = self.free.max(Instant::now()) + takes;
        }
        Ok(())
    }
}

/// How many bytes a link takes at a time.
fn portion(lane: Lane) -> usize {
    let portion = lane.bandwidth.map(|bandwidth| bandwidth.get() / TRICKLE);
    portion.map_or(CHUNK, |portion| usize::try_from(portion).unwrap_or(CHUNK).clamp(64, CHUNK))
}
