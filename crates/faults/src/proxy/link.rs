//! One connection through the proxy: two ways, each treated by what is asked at the moment.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::sleep;

use super::{Control, Mode, resp};

/// Bytes read at once.
const PIECE: usize = 16 * 1024;
/// Longest answer of Redis that is looked at as a whole, in bytes: four times the largest piece of news.
const ANSWER: usize = 1024 * 1024;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

/// Carries a connection until either side ends it or it is cut.
pub(super) async fn carry(mut client: TcpStream, target: SocketAddr, control: Control) {
    let mut cuts = control.0.cuts.subscribe();
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let tuned = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let was_cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            tokio::select! {
                // Whichever way ends first ends the connection; cancelling the other loses what a broken link loses.
                _ = pass(from_client, to_server, Way::ToServer, &control) => {}
                _ = pass(from_server, to_client, Way::ToClient, &control) => {}
            }
        };
        tokio::select! {
            // Cancelled by a cut, which throws away what is on its way, as it should.
            () = both => false,
            cut = cuts.changed() => cut.is_ok() && tuned.is_ok(),
        }
    };
    if was_cut {
        // A reset instead of an orderly end; without it the cut is only a politer one.
        let _ = client.set_zero_linger().and_then(|()| server.set_zero_linger());
    }
}

async fn pass(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, way: Way, control: &Control) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut answers = Answers::default();
    loop {
        let mut modes = control.0.mode.subscribe();
        while *modes.borrow_and_update() == Mode::Stall {
            if modes.changed().await.is_err() {
                return Ok(());
            }
        }
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        // What was read while the way stood still waits here.
        while *modes.borrow_and_update() == Mode::Stall {
            if modes.changed().await.is_err() {
                return Ok(());
            }
        }
        let mode = control.mode();
        let bytes = match way {
            Way::ToServer => piece[..read].to_vec(),
            Way::ToClient => answers.pass(&piece[..read], mode, control),
        };
        match (mode, way) {
            (Mode::BlackHole, _) | (Mode::SwallowAnswers, Way::ToClient) => continue,
            (Mode::Delay(delay), _) => sleep(delay).await,
            _ => {}
        }
        to.write_all(&bytes).await?;
    }
}

/// What a server says, looked at as answers of Redis, so that published messages can be told from the rest. What is
/// none passes as it is.
#[derive(Default)]
struct Answers {
    begun: Vec<u8>,
    published: u32,
    foreign: bool,
}

impl Answers {
    fn pass(&mut self, bytes: &[u8], mode: Mode, control: &Control) -> Vec<u8> {
        if self.foreign {
            return bytes.to_vec();
        }
        self.begun.extend_from_slice(bytes);
        let mut out = Vec::with_capacity(self.begun.len());
        let mut at = 0;
        loop {
            match resp::length(&self.begun[at..]) {
                resp::Length::Whole(length) => {
                    let answer = &self.begun[at..at + length];
                    if !is_dropped(&mut self.published, answer, mode, control) {
                        out.extend_from_slice(answer);
                    }
                    at += length;
                }
                resp::Length::Begun if self.begun.len() - at < ANSWER => break,
                resp::Length::Begun | resp::Length::Foreign => {
                    out.extend_from_slice(&self.begun[at..]);
                    at = self.begun.len();
                    self.foreign = true;
                    break;
                }
            }
        }
        self.begun.drain(..at);
        out
    }
}

/// Counts published messages and says which are to be lost.
fn is_dropped(published: &mut u32, answer: &[u8], mode: Mode, control: &Control) -> bool {
    let Mode::DropEvery(every) = mode else { return false };
    if every == 0 || !resp::is_published(answer) {
        return false;
    }
    *published += 1;
    let is_dropped = published.is_multiple_of(every);
    control.0.dropped.fetch_add(u64::from(is_dropped), Ordering::Relaxed);
    is_dropped
}
