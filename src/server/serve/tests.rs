//! How many connections one address may hold: refused when they are accepted, before anything is read.

use std::net::SocketAddr;
use std::time::Duration;

use axum::routing::get;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// For anything that must happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that one address may hold in a house for a hundred: a browser's worth.
const MOST: usize = 70;

/// What everybody asks.
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

struct House {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl House {
    /// A house for a hundred connections in which these places are granted.
    async fn with(places: Places) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", get(async || "here"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, router, 100, Arc::new(places), stop.clone()));
        Self { address, stop, serving }
    }

    /// A connection that says this, and what it is answered: nothing, when it is hung up on before it has said all.
    async fn visit(&self, words: &[u8]) -> (TcpStream, String) {
        let mut stream = TcpStream::connect(self.address).await.expect("the kernel accepts");
        let _ = stream.write_all(words).await;
        let mut answer = vec![0; 1_024];
        let read = timeout(PATIENCE, stream.read(&mut answer)).await.expect("an answer in time");
        answer.truncate(read.unwrap_or(0));
        (stream, String::from_utf8(answer).expect("text"))
    }

    async fn close(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving).await.expect("it ends").expect("in order");
    }
}

fn places() -> Places {
    Places::new(1, 100, Box::new(|_| false))
}

#[tokio::test]
async fn an_address_that_holds_all_it_may_is_told_to_come_back_until_one_of_them_goes() {
    let house = House::with(places().counting_loopback()).await;
    let mut held = Vec::new();
    for number in 0..MOST {
        let (stream, answer) = house.visit(ASK).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "premise: connection {number} is served, {answer}");
        held.push(stream);
    }
    let (_, refused) = house.visit(b"").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 5\r\n"), "{refused}");
    held.pop();
    let again = async { while !house.visit(ASK).await.1.starts_with("HTTP/1.1 200") {} };
    timeout(PATIENCE, again).await.expect("the place of one who left is free");
    drop(held);
    house.close().await;
}

#[tokio::test]
async fn this_machine_and_trusted_proxies_are_not_counted() {
    let proxies = Places::new(1, 100, Box::new(|peer| peer.is_loopback())).counting_loopback();
    for places in [places(), proxies] {
        let house = House::with(places).await;
        let mut held = Vec::new();
        for _ in 0..=MOST {
            let (stream, answer) = house.visit(ASK).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            held.push(stream);
        }
        drop(held);
        house.close().await;
    }
}
