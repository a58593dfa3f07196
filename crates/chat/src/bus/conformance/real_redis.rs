//! A real redis-server for one test: on a free port, with nothing on disk, dead when dropped. It can be
//! killed, restarted, frozen and asked anything, because that is what will happen to the real one.

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::LOOK;

/// For the server to accept connections; it takes some 50 ms on an idle machine.
const START: Duration = Duration::from_secs(30);

/// Ports are free when chosen and may be taken when used; five tries make that as good as never.
const PORTS: usize = 5;

/// A redis-server of our own.
pub struct RealRedis {
    dir: TempDir,
    port: u16,
    arguments: Vec<String>,
    server: Option<Child>,
}

impl RealRedis {
    /// A running server.
    ///
    /// # Panics
    /// When redis-server is missing or does not start: a skipped test would look like a passed one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A running server with more arguments, as `&["--requirepass", "secret"]`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub async fn start_with(arguments: &[&str]) -> Self {
        let mut tried = String::new();
        for _ in 0..PORTS {
            let mut redis = Self::reserve(arguments).await;
            match redis.try_start().await {
                Ok(()) => return redis,
                Err(why) => drop(writeln!(tried, "{why}")),
            }
        }
        panic!("redis-server did not start:\n{tried}");
    }

    /// A port and a folder, and nothing running yet: see [`restart`](Self::restart).
    ///
    /// # Panics
    /// When the machine has no free port or no place for a folder.
    pub async fn reserve(arguments: &[&str]) -> Self {
        let Ok(dir) = tempfile::tempdir() else { panic!("no place for a temporary folder") };
        let port = match TcpListener::bind("127.0.0.1:0").await.and_then(|socket| socket.local_addr()) {
            Ok(address) => address.port(),
            Err(error) => panic!("no free port: {error}"),
        };
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { dir, port, arguments, server: None }
    }

    /// Its URL, without a password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its URL with this password.
    #[must_use]
    pub fn url_with_password(&self, password: &str) -> String {
        format!("redis://:{password}@127.0.0.1:{}/", self.port)
    }

    /// Starts it on its port: after [`reserve`](Self::reserve) or [`kill`](Self::kill), empty.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.kill();
        if let Err(why) = self.try_start().await {
            panic!("redis-server did not start again: {why}");
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            // An error means it is dead already, which is what was wanted.
            drop(server.kill());
            drop(server.wait());
        }
    }

    /// `kill -STOP`: connections stay open, nothing answers.
    ///
    /// # Panics
    /// When it is not running.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// `kill -CONT`.
    ///
    /// # Panics
    /// When it is not running.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Asks it anything, as a foreign client would, without a password.
    ///
    /// # Errors
    /// Whatever the connection or the server says.
    pub async fn ask(&self, command: &[&[u8]]) -> redis::RedisResult<redis::Value> {
        let mut connection = redis::Client::open(self.url())?.get_multiplexed_async_connection().await?;
        let mut asked = redis::Cmd::new();
        for part in command {
            asked.arg(*part);
        }
        asked.query_async(&mut connection).await
    }

    fn signal(&self, signal: &str) {
        let Some(server) = &self.server else { panic!("premise: the server is running") };
        // The shell's own `kill`: signals need either unsafe code or a program, and every machine has a shell.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", server.id())).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{signal} failed");
    }

    async fn try_start(&mut self) -> Result<(), String> {
        let log = self.dir.path().join("redis.log");
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--port", &self.port.to_string()])
            .arg("--dir")
            .arg(self.dir.path())
            .arg("--logfile")
            .arg(&log)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match server {
            Ok(server) => self.server = Some(server),
            Err(error) => panic!("these tests need redis-server on the PATH (apt install redis-server): {error}"),
        }
        self.until_ready().await.inspect_err(|_| self.kill()).map_err(|why| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            format!("{why}\n{log}")
        })
    }

    /// Ready when it talks to us: an error (a password is asked for) is talk too.
    async fn until_ready(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < START {
            match self.server.as_mut().map(Child::try_wait) {
                Some(Ok(None)) => {}
                ended => return Err(format!("it ended at once: {ended:?}")),
            }
            match self.ask(&[b"PING"]).await {
                Ok(_) => return Ok(()),
                Err(error) if error.code().is_some() => return Ok(()),
                Err(_) => sleep(LOOK).await,
            }
        }
        Err(format!("it does not answer within {START:?}"))
    }
}

impl Drop for RealRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
