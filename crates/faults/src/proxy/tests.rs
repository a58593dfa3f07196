//! The proxy against an echo and against something that speaks like a Redis.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::resp::{Length, is_published, length};
use super::{Mode, Proxy};

/// How long anything may take before a test says that it never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that says everything back.
async fn echo() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
            });
        }
    });
    (address, serving)
}

async fn say(stream: &mut TcpStream, words: &[u8]) {
    stream.write_all(words).await.expect("it can be written");
}

async fn hear(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut heard = vec![0; count];
    timeout(PATIENCE, stream.read_exact(&mut heard)).await.expect("in time").expect("it can be read");
    heard
}

const PUBLISHED: &[u8] = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
const SUBSCRIBED: &[u8] = b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";

#[tokio::test]
async fn what_is_swallowed_never_arrives_and_what_comes_after_it_does() {
    let (target, _serving) = echo().await;
    let proxy = Proxy::start(target).await.expect("it starts");
    let mut client = TcpStream::connect(proxy.address()).await.expect("it answers");
    say(&mut client, b"+one\r\n").await;
    assert_eq!(hear(&mut client, 6).await, b"+one\r\n");
    for mode in [Mode::BlackHole, Mode::SwallowAnswers] {
        proxy.control().set(mode);
        say(&mut client, b"+two\r\n").await;
        // The way back is silent; only after it the next is said, on another connection, to know that it passed.
        let silent = timeout(Duration::from_millis(100), client.read_u8()).await;
        assert!(silent.is_err(), "{mode:?}");
    }
    proxy.control().set(Mode::Pass);
    say(&mut client, b"+six\r\n").await;
    assert_eq!(hear(&mut client, 6).await, b"+six\r\n");
}

#[tokio::test]
async fn a_cut_ends_every_connection_and_new_ones_can_be_made() {
    let (target, _serving) = echo().await;
    let proxy = Proxy::start(target).await.expect("it starts");
    let mut client = TcpStream::connect(proxy.address()).await.expect("it answers");
    say(&mut client, b":1\r\n").await;
    assert_eq!(hear(&mut client, 4).await, b":1\r\n");
    proxy.control().cut();
    let ended = timeout(PATIENCE, client.read_u8()).await.expect("in time");
    assert!(ended.is_err(), "the connection is gone");
    let mut again = TcpStream::connect(proxy.address()).await.expect("it answers");
    say(&mut again, b":2\r\n").await;
    assert_eq!(hear(&mut again, 4).await, b":2\r\n");
}

#[tokio::test]
async fn every_nth_message_is_lost_and_no_other_answer() {
    let (target, _serving) = echo().await;
    let proxy = Proxy::start(target).await.expect("it starts");
    proxy.control().set(Mode::DropEvery(3));
    let mut client = TcpStream::connect(proxy.address()).await.expect("it answers");
    let all = [SUBSCRIBED, PUBLISHED, PUBLISHED, PUBLISHED, SUBSCRIBED, PUBLISHED].concat();
    // In pieces that end anywhere.
    for piece in all.chunks(5) {
        say(&mut client, piece).await;
    }
    let left = [SUBSCRIBED, PUBLISHED, PUBLISHED, SUBSCRIBED, PUBLISHED].concat();
    assert_eq!(hear(&mut client, left.len()).await, left);
    assert_eq!(proxy.control().dropped(), 1);
}

#[tokio::test]
async fn nobody_new_is_let_in_while_connections_are_refused() {
    let (target, _serving) = echo().await;
    let proxy = Proxy::start(target).await.expect("it starts");
    proxy.control().set(Mode::Refuse);
    let mut client = TcpStream::connect(proxy.address()).await.expect("the kernel answers");
    assert!(timeout(PATIENCE, client.read_u8()).await.expect("in time").is_err());
}

#[test]
fn answers_are_measured_wherever_they_are_torn() {
    let answers: [&[u8]; 9] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":42\r\n",
        b"$-1\r\n",
        b"$5\r\nab\r\nc\r\n",
        b"*-1\r\n",
        b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n",
        b"%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n",
        PUBLISHED,
    ];
    for answer in answers {
        assert_eq!(length(answer), Length::Whole(answer.len()), "{answer:?}");
        for end in 1..answer.len() {
            assert_eq!(length(&answer[..end]), Length::Begun, "{:?}", &answer[..end]);
        }
    }
    assert_eq!(length(b"HTTP/1.1"), Length::Foreign);
    assert!(is_published(PUBLISHED) && !is_published(SUBSCRIBED) && !is_published(b"+message\r\n"));
}
