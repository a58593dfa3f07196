//! Pub/Sub through the proxy: against a server that says what it is told to, and against a real Redis.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::super::{Proxy, Speech};
use super::soon;

/// A client that writes commands in a line and reads replies line by line.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(address).await?) })
    }

    async fn say(&mut self, command: &str) {
        self.stream.write_all(format!("{command}\r\n").as_bytes()).await.expect("it is taken");
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        soon(self.stream.read_line(&mut line)).await.expect("a line");
        line.trim_end().to_owned()
    }

    /// Says something and reads the one line that answers it.
    async fn ask(&mut self, command: &str) -> String {
        self.say(command).await;
        self.line().await
    }

    /// The next message, or the next line that does not begin one.
    async fn message(&mut self) -> Result<String, String> {
        let first = self.line().await;
        if !["*3", ">3"].contains(&first.as_str()) {
            return Err(first);
        }
        let mut parts = Vec::new();
        for _ in 0..6 {
            parts.push(self.line().await);
        }
        assert_eq!(parts[1], "message", "{parts:?}");
        Ok(parts[5].clone())
    }
}

#[tokio::test]
async fn replies_between_dropped_messages_arrive_in_their_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = Proxy::before(listener.local_addr().expect("an address"), Speech::Redis).await.expect("a port");
    let control = proxy.control();
    control.drop_messages(NonZeroU64::new(3));
    let mut client = Client::connect(proxy.address()).await.expect("it accepts");
    let (mut server, _) = soon(listener.accept()).await.expect("it is connected");
    let mut said = String::new();
    for n in 1..=9 {
        let text = format!("no. {n}");
        said += &format!("*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n${}\r\n{text}\r\n:{n}\r\n", text.len());
    }
    server.write_all(said.as_bytes()).await.expect("it is taken");
    for n in 1..=9 {
        if n % 3 != 0 {
            assert_eq!(client.message().await, Ok(format!("no. {n}")));
        }
        assert_eq!(client.message().await, Err(format!(":{n}")));
    }
    assert_eq!(control.dropped(), 3);
    // What a client says is none of the sieve's business.
    client.say("*3").await;
    let mut heard = [0; 4];
    soon(server.read_exact(&mut heard)).await.expect("it arrives");
    assert_eq!(&heard, b"*3\r\n");
}

/// A real server, on a free port, with nothing on disk, dead when dropped.
struct Real {
    address: SocketAddr,
    server: Child,
    _dir: TempDir,
}

impl Real {
    /// # Panics
    /// When redis-server is missing or does not start: a skipped test would look like a passed one.
    async fn start() -> Self {
        for _ in 0..5 {
            // A port that is free now may be taken when the server starts; five tries make that as good as never.
            let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = free.local_addr().expect("an address");
            drop(free);
            let dir = tempfile::tempdir().expect("a folder");
            let server = Command::new("redis-server")
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"])
                .args(["--port", &address.port().to_string()])
                .arg("--dir")
                .arg(dir.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let server = match server {
                Ok(server) => server,
                Err(error) => panic!("these tests need redis-server on the PATH (apt install redis-server): {error}"),
            };
            let mut real = Self { address, server, _dir: dir };
            if real.is_ready().await {
                return real;
            }
        }
        panic!("redis-server did not start");
    }

    async fn is_ready(&mut self) -> bool {
        while matches!(self.server.try_wait(), Ok(None)) {
            match Client::connect(self.address).await {
                Ok(mut client) => return client.ask("PING").await == "+PONG",
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
        false
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // An error means that it is dead already.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

#[tokio::test]
async fn a_real_redis_loses_every_nth_message_and_nothing_else() {
    let redis = Real::start().await;
    let proxy = Proxy::before(redis.address, Speech::Redis).await.expect("a port");
    let control = proxy.control();
    for greeting in ["HELLO 2", "HELLO 3"] {
        let mut subscriber = Client::connect(proxy.address()).await.expect("it accepts");
        subscriber.say(greeting).await;
        subscriber.say("SUBSCRIBE room").await;
        // The greeting's reply is a list or a map of some 50 lines, and of no interest.
        let mut lines = 0;
        while subscriber.line().await != "subscribe" {
            lines += 1;
            assert!(lines < 200, "premise: {greeting} and SUBSCRIBE are answered");
        }
        assert_eq!([subscriber.line().await, subscriber.line().await, subscriber.line().await], ["$4", "room", ":1"]);

        control.drop_messages(NonZeroU64::new(4));
        let dropped = control.dropped();
        let mut publisher = Client::connect(redis.address).await.expect("it accepts");
        for n in 1..=20 {
            assert_eq!(publisher.ask(&format!("PUBLISH room message-{n}")).await, ":1", "premise: somebody listens");
        }
        for n in (1..=20).filter(|n| n % 4 != 0) {
            assert_eq!(subscriber.message().await, Ok(format!("message-{n}")), "{greeting}");
        }
        // The last of the twenty arrives nowhere; it may still be on its way there.
        soon(async {
            while control.dropped() - dropped < 5 {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        control.drop_messages(None);
        assert_eq!(publisher.ask("PUBLISH room the-last").await, ":1");
        assert_eq!(subscriber.message().await, Ok("the-last".to_owned()), "{greeting}");
        assert_eq!(control.dropped() - dropped, 5);
    }
}
