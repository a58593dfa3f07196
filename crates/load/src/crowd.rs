//! Letting many in, a bounded number at a time, and waiting until their arrival has died down.

use std::future::Future;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use tertulia_protocol::RoomInfo;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::stamp::Run;
use crate::trouble::{Because, Outcome};
use crate::web::{Visitor, Web};

/// Handshakes under way at once: enough to keep a server busy, too few to fill its accept queue (128 by habit).
const AT_ONCE: usize = 64;

/// Nothing said for so long counts as quiet: longer than a batch of presence, shorter than a ping.
const SILENCE: Duration = Duration::from_millis(500);
/// How long arrivals may be noisy before the run starts all the same.
const NOISE: Duration = Duration::from_secs(20);

/// Something with a socket that can be heard.
pub(crate) trait Hears: Send + 'static {
    /// Hears and digests one frame. Whoever waits for it may stop waiting between frames.
    ///
    /// # Errors
    /// When it cannot go on.
    fn hear_once(&mut self) -> impl Future<Output = Outcome<()>> + Send;
}

/// Lets so many in with `enter`, reads every socket as a browser would while the others arrive (greetings that
/// nobody reads would pile up in the server and be measured), and waits for silence everywhere. In order.
///
/// # Errors
/// The first that is not let in or cannot go on.
pub(crate) async fn arrive<T, F>(count: usize, enter: impl Fn(usize) -> F) -> Outcome<Vec<T>>
where
    T: Hears,
    F: Future<Output = Outcome<T>>,
{
    let (all_in, wanted) = watch::channel(false);
    let readers = each(count, |index| {
        let (entering, wanted) = (enter(index), wanted.clone());
        async move {
            // One task per set: dropped unfinished, it is aborted.
            let mut reader = JoinSet::new();
            reader.spawn(read_until_quiet(entering.await?, wanted));
            Ok(reader)
        }
    })
    .await?;
    all_in.send_replace(true);
    let mut quiet = Vec::with_capacity(count);
    for mut reader in readers {
        while let Some(ended) = reader.join_next().await {
            quiet.push(ended.because("a socket")??);
        }
    }
    Ok(quiet)
}

async fn read_until_quiet<T: Hears>(mut socket: T, mut all_in: watch::Receiver<bool>) -> Outcome<T> {
    while !*all_in.borrow_and_update() {
        // Both may be dropped while waiting: a watch keeps its value, a socket the frame that has begun.
        tokio::select! {
            changed = all_in.changed() => changed.because("the run ended early")?,
            heard = socket.hear_once() => heard?,
        }
    }
    let deadline = Instant::now() + NOISE;
    while Instant::now() < deadline {
        match timeout(SILENCE, socket.hear_once()).await {
            Ok(heard) => heard?,
            Err(_silent) => break,
        }
    }
    Ok(socket)
}

/// Does `task` for 0, 1, … `count` - 1 and gives the results in that order.
///
/// # Errors
/// The first that fails.
pub(crate) async fn each<T, F>(count: usize, task: impl Fn(usize) -> F) -> Outcome<Vec<T>>
where
    F: Future<Output = Outcome<T>>,
{
    stream::iter((0..count).map(task)).buffered(AT_ONCE).try_collect().await
}

/// So many people with a session each.
///
/// # Errors
/// When one is not let in.
pub(crate) async fn visitors(web: &Web, run: Run, count: usize) -> Outcome<Vec<Visitor>> {
    each(count, |index| async move { web.enter(&format!("load {} {index}", run.word())).await }).await
}

/// So many new rooms.
///
/// # Errors
/// When one is not made.
pub(crate) async fn rooms(maker: &Visitor, run: Run, count: usize) -> Outcome<Vec<RoomInfo>> {
    each(count, |index| async move { maker.room(&format!("load {} {index}", run.word())).await }).await
}
