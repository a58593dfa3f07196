//! Real sockets through the proxy: what it breaks is broken, and what it leaves alone arrives as it was.

mod messages;
mod sieve;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{Control, Flow, Proxy, Speech};

/// Until something that must happen has failed to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends a test that would hang, and says so.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it happens in time")
}

/// A server that says back what it hears, and tells how each of its connections ended and how much it heard.
struct Echo {
    address: SocketAddr,
    heard: mpsc::Receiver<Heard>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Bytes(Vec<u8>),
    End,
    Reset,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tell, heard) = mpsc::channel(10_000);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut links = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                links.spawn(echo(stream, tell.clone()));
            }
        });
        Self { address, heard, _tasks: tasks }
    }

    async fn heard(&mut self) -> Heard {
        soon(self.heard.recv()).await.expect("the server lives")
    }
}

async fn echo(mut stream: TcpStream, tell: mpsc::Sender<Heard>) {
    let mut buffer = vec![0; 4096];
    loop {
        let heard = match stream.read(&mut buffer).await {
            Ok(0) => Heard::End,
            Ok(bytes) => Heard::Bytes(buffer[..bytes].to_vec()),
            Err(_) => Heard::Reset,
        };
        if let Heard::Bytes(bytes) = &heard {
            // A client that has gone is seen at the next read.
            drop(stream.write_all(bytes).await);
        }
        let over = !matches!(heard, Heard::Bytes(_));
        if tell.try_send(heard).is_err() || over {
            return;
        }
    }
}

/// An echo server behind a proxy, and one client.
async fn stage() -> (Echo, Proxy, Control, TcpStream) {
    let echo = Echo::start().await;
    let proxy = Proxy::before(echo.address, Speech::Any).await.expect("a port");
    let control = proxy.control();
    let client = TcpStream::connect(proxy.address()).await.expect("it accepts");
    (echo, proxy, control, client)
}

async fn says_back(client: &mut TcpStream, text: &[u8]) {
    client.write_all(text).await.expect("it is taken");
    let mut back = vec![0; text.len()];
    soon(client.read_exact(&mut back)).await.expect("it comes back");
    assert_eq!(back, text);
}

/// The connection ends with a reset, after so many bytes.
async fn is_reset(client: &mut TcpStream) -> usize {
    let (mut bytes, mut buffer) = (0, vec![0; 4096]);
    loop {
        match soon(client.read(&mut buffer)).await {
            Ok(0) => panic!("it ended as if all was well, after {bytes} bytes"),
            Ok(more) => bytes += more,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                return bytes;
            }
        }
    }
}

fn rate(bytes: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(bytes)
}

#[tokio::test]
async fn bytes_pass_both_ways_and_an_end_is_an_end() {
    let (mut echo, _proxy, control, client) = stage().await;
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let (mut from, mut to) = client.into_split();
    let all = sent.clone();
    let saying = tokio::spawn(async move {
        to.write_all(&all).await.expect("it is taken");
        to.shutdown().await.expect("it ends");
    });
    let mut back = Vec::new();
    soon(from.read_to_end(&mut back)).await.expect("an end, not a reset");
    saying.await.expect("all was said");
    assert!(back == sent, "{} of {} bytes came back, or others", back.len(), sent.len());
    let mut heard = Vec::new();
    while let Heard::Bytes(bytes) = echo.heard().await {
        heard.extend(bytes);
    }
    assert!(heard == sent);
    drop(from);
    soon(control.until_links(0)).await;
}

#[tokio::test]
async fn a_delay_is_waited_for_in_both_directions() {
    let (_echo, _proxy, control, mut client) = stage().await;
    says_back(&mut client, b"a link").await;
    control.delay(Duration::from_millis(60), Duration::from_millis(40));
    let began = Instant::now();
    says_back(&mut client, b"slowly").await;
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_narrow_link_takes_its_time_and_loses_nothing() {
    let (_echo, _proxy, control, mut client) = stage().await;
    control.bandwidth(rate(100_000));
    let began = Instant::now();
    says_back(&mut client, &[7; 20_000]).await;
    // All but the last twentieth of a second's bytes must be paid for.
    assert!(began.elapsed() >= Duration::from_millis(140), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_black_hole_keeps_connections_and_swallows_what_is_said() {
    let (mut echo, proxy, control, mut client) = stage().await;
    says_back(&mut client, b"before").await;
    assert_eq!(echo.heard().await, Heard::Bytes(b"before".to_vec()));
    control.black_hole();
    client.write_all(b"into the hole").await.expect("it is taken");
    let mut other = TcpStream::connect(proxy.address()).await.expect("it accepts");
    other.write_all(b"as well").await.expect("it is taken");
    soon(async {
        while control.swallowed() < 20 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!((control.links(), control.swallowed()), (2, 20));
    control.pass();
    // No stream goes on with a hole in it.
    assert_eq!(is_reset(&mut client).await, 0);
    assert_eq!(is_reset(&mut other).await, 0);
    assert_eq!(echo.heard().await, Heard::Reset);
    let mut fresh = TcpStream::connect(proxy.address()).await.expect("it accepts");
    says_back(&mut fresh, b"after").await;
}

#[tokio::test]
async fn a_link_may_be_silent_in_one_direction() {
    let (mut echo, _proxy, control, mut client) = stage().await;
    control.flow(Flow::Pass, Flow::Swallow);
    client.write_all(b"heard").await.expect("it is taken");
    assert_eq!(echo.heard().await, Heard::Bytes(b"heard".to_vec()));
    soon(async {
        while control.swallowed() < 5 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    control.pass();
    assert_eq!(is_reset(&mut client).await, 0, "the answer is gone");
}

#[tokio::test]
async fn what_is_held_arrives_whole_when_it_may() {
    let (mut echo, _proxy, control, client) = stage().await;
    let (mut from, mut to) = client.into_split();
    control.flow(Flow::Hold, Flow::Pass);
    to.write_all(b"late").await.expect("it is taken");
    let reading = tokio::spawn(async move {
        let mut back = [0; 4];
        from.read_exact(&mut back).await.expect("it comes back");
        (Instant::now(), back)
    });
    // Long enough that it would have come, if it could: it takes less than a millisecond.
    let held = timeout(Duration::from_millis(50), echo.heard.recv()).await;
    assert!(held.is_err(), "{held:?}");
    let released = Instant::now();
    control.pass();
    let (came, back) = soon(reading).await.expect("it is read");
    assert!(came >= released && &back == b"late");
    assert_eq!(echo.heard().await, Heard::Bytes(b"late".to_vec()));
}

#[tokio::test]
async fn a_cut_resets_both_sides_and_spares_newcomers() {
    let (mut echo, proxy, control, mut client) = stage().await;
    says_back(&mut client, b"alive").await;
    assert_eq!(echo.heard().await, Heard::Bytes(b"alive".to_vec()));
    control.cut();
    soon(control.until_links(0)).await;
    assert_eq!(is_reset(&mut client).await, 0);
    assert_eq!(echo.heard().await, Heard::Reset);
    let mut fresh = TcpStream::connect(proxy.address()).await.expect("it accepts");
    says_back(&mut fresh, b"alive again").await;
}

#[tokio::test]
async fn a_cut_ends_connections_that_are_held_or_swallowed_too() {
    for flow in [Flow::Hold, Flow::Swallow] {
        let (_echo, _proxy, control, mut client) = stage().await;
        says_back(&mut client, b"alive").await;
        control.flow(flow, flow);
        client.write_all(b"?").await.expect("it is taken");
        control.cut();
        assert_eq!(is_reset(&mut client).await, 0, "{flow:?}");
    }
}

#[tokio::test]
async fn newcomers_are_refused_and_others_stay() {
    let (_echo, proxy, control, mut client) = stage().await;
    says_back(&mut client, b"in time").await;
    control.refuse(true);
    let mut late = TcpStream::connect(proxy.address()).await.expect("the listener is there");
    assert_eq!(is_reset(&mut late).await, 0);
    says_back(&mut client, b"still here").await;
    control.pass();
    let mut later = TcpStream::connect(proxy.address()).await.expect("it accepts");
    says_back(&mut later, b"welcome").await;
}

#[tokio::test]
async fn a_connection_is_reset_after_so_many_bytes_of_both_directions() {
    let (mut echo, _proxy, control, mut client) = stage().await;
    control.reset_after(Some(1_000));
    client.write_all(&[1; 900]).await.expect("it is taken");
    let came = is_reset(&mut client).await;
    assert!(came <= 100, "{came} of the hundred bytes that were left");
    assert!(matches!(echo.heard().await, Heard::Bytes(_)), "premise: the first bytes passed");
}

#[tokio::test]
async fn the_target_may_move_and_may_be_gone() {
    let (mut first, proxy, control, mut client) = stage().await;
    says_back(&mut client, b"one").await;
    assert_eq!(first.heard().await, Heard::Bytes(b"one".to_vec()));
    let mut second = Echo::start().await;
    control.lead_to(second.address);
    let mut other = TcpStream::connect(proxy.address()).await.expect("it accepts");
    says_back(&mut other, b"two").await;
    assert_eq!(second.heard().await, Heard::Bytes(b"two".to_vec()));
    says_back(&mut client, b"three").await;
    assert_eq!(first.heard().await, Heard::Bytes(b"three".to_vec()), "who is connected stays");

    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    control.lead_to(gone);
    let mut nobody = TcpStream::connect(proxy.address()).await.expect("it accepts");
    assert_eq!(is_reset(&mut nobody).await, 0);
}

#[tokio::test]
async fn a_server_that_resets_is_seen_to_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = Proxy::before(listener.local_addr().expect("an address"), Speech::Any).await.expect("a port");
    let mut client = TcpStream::connect(proxy.address()).await.expect("it accepts");
    let (server, _) = soon(listener.accept()).await.expect("it is connected");
    server.set_zero_linger().expect("an option");
    drop(server);
    assert_eq!(is_reset(&mut client).await, 0);
}

#[tokio::test]
async fn a_stopped_proxy_leaves_nothing_behind() {
    for drops in [false, true] {
        let (mut echo, proxy, control, mut client) = stage().await;
        says_back(&mut client, b"alive").await;
        assert_eq!(echo.heard().await, Heard::Bytes(b"alive".to_vec()));
        let address = proxy.address();
        if drops {
            drop(proxy);
        } else {
            soon(proxy.stop()).await;
            assert_eq!(control.links(), 0, "stopping waits for the end");
        }
        soon(control.until_links(0)).await;
        assert_eq!(echo.heard().await, Heard::End);
        // A dropped listener is closed by its task, which the runtime ends when it next looks at it.
        soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    }
}
