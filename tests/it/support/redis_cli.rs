//! The real `redis-cli`, as somebody at a terminal uses it.

use std::process::Stdio;
use std::time::Duration;

use tertulia_chat::bus::conformance::RealRedis;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::PATIENCE;

/// Messages between two pauses of a stream.
const BURST: usize = 25;

fn redis_cli(redis: &RealRedis, args: &[&str]) -> Command {
    let port = redis.url().trim_end_matches('/').rsplit(':').next().expect("a URL with a port").to_owned();
    let mut command = Command::new("redis-cli");
    command.arg("-p").arg(port).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// `redis-cli PUBLISH channel text`, by a terminal's argument or, for any bytes, by standard input.
pub(crate) async fn publish(redis: &RealRedis, channel: &str, payload: impl AsRef<[u8]>) {
    let mut child = redis_cli(redis, &["-x", "PUBLISH", channel]).spawn().expect("redis-cli is on the PATH");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(payload.as_ref()).await.expect("it reads");
    drop(stdin);
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("it can be waited for");
    assert!(output.status.success(), "{output:?}");
}

/// `redis-cli --pipe`, fed with so many messages a second.
pub(crate) async fn stream(redis: &RealRedis, channel: &str, texts: &[String], per_second: u32) {
    let mut child = redis_cli(redis, &["--pipe"]).spawn().expect("redis-cli is on the PATH");
    let mut stdin = child.stdin.take().expect("a pipe");
    let pause = Duration::from_secs(1) * u32::try_from(BURST).expect("a few") / per_second;
    let mut pace = interval(pause);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for burst in texts.chunks(BURST) {
        pace.tick().await;
        let mut commands = String::new();
        for text in burst {
            let (channel_len, len) = (channel.len(), text.len());
            commands += &format!("*3\r\n$7\r\nPUBLISH\r\n${channel_len}\r\n{channel}\r\n${len}\r\n{text}\r\n");
        }
        stdin.write_all(commands.as_bytes()).await.expect("it reads");
    }
    drop(stdin);
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("it can be waited for");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("errors: 0, replies: {}", texts.len())), "{said}");
}

/// `redis-cli SUBSCRIBE channel`.
pub(crate) struct Subscriber {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Subscriber {
    /// Subscribed when this returns.
    pub(crate) async fn open(redis: &RealRedis, channel: &str) -> Self {
        let mut child = redis_cli(redis, &["SUBSCRIBE", channel]).spawn().expect("redis-cli is on the PATH");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut subscriber = Self { _child: child, lines };
        for expected in ["subscribe", channel, "1"] {
            assert_eq!(subscriber.line().await, expected);
        }
        subscriber
    }

    /// The payload of the next message; who comes and goes is passed over.
    pub(crate) async fn next(&mut self) -> String {
        loop {
            let payload = self.payload().await;
            if moved(&payload).is_none() {
                return payload;
            }
        }
    }

    /// Who comes or goes next, and what they do; messages are passed over.
    pub(crate) async fn next_moved(&mut self) -> (String, String) {
        loop {
            if let Some(moved) = moved(&self.payload().await) {
                return moved;
            }
        }
    }

    async fn payload(&mut self) -> String {
        assert_eq!(self.line().await, "message");
        self.line().await;
        self.line().await
    }

    /// The next message that is JSON; whatever else was published is passed over.
    pub(crate) async fn next_json(&mut self) -> serde_json::Value {
        loop {
            if let Ok(json @ serde_json::Value::Object(_)) = serde_json::from_str(&self.next().await) {
                return json;
            }
        }
    }

    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("redis-cli says something");
        line.expect("redis-cli can be read").expect("redis-cli goes on")
    }
}

/// Who a payload says comes or goes, and what they do.
fn moved(payload: &str) -> Option<(String, String)> {
    let said: serde_json::Value = serde_json::from_str(payload).ok()?;
    let word = |name: &str| said[name].as_str().map(str::to_owned);
    Some((word("who")?, word("event")?))
}
