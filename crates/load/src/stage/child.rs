//! Starting and stopping one process of the stage.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::trouble::{Because, Outcome, trouble};
use crate::web::Web;

/// How long a process may take to answer after its start.
const START: Duration = Duration::from_secs(30);
/// How long a process may take to end after SIGTERM: the server lets its sockets go first.
const STOP: Duration = Duration::from_secs(20);
/// How often to ask whether it answers.
const POLL: Duration = Duration::from_millis(20);
/// How much of a failed process's log is shown, in bytes.
const LAST_WORDS: usize = 2_000;

/// A process that was started here. Dropped without [`Child::stop`], it is killed.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    pid: u32,
    name: String,
    log: PathBuf,
}

impl Child {
    fn start(mut command: Command, name: &str, dir: &Path) -> Outcome<Self> {
        let log = dir.join(format!("{name}.log"));
        let out = File::create(&log).because(log.display())?;
        let err = out.try_clone().because(log.display())?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        let process = command.spawn().because(format!("starting {}", command.as_std().get_program().display()))?;
        let Some(pid) = process.id() else { return trouble(format!("{name} has no process id")) };
        Ok(Self { process, pid, name: name.to_owned(), log })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks until `answers` says yes.
    async fn ready(&mut self, answers: impl AsyncFn() -> bool) -> Outcome<()> {
        let deadline = Instant::now() + START;
        while !answers().await {
            if let Some(status) = self.process.try_wait().because(&self.name)? {
                return trouble(format!("{} ended at its start ({status}): {}", self.name, self.last_words()));
            }
            if Instant::now() > deadline {
                let seconds = START.as_secs();
                return trouble(format!("{} does not answer after {seconds} s: {}", self.name, self.last_words()));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LAST_WORDS)..]).trim().to_owned()
    }

    /// Ends it by SIGTERM and waits; kills it when that takes too long.
    ///
    /// # Errors
    /// When it had to be killed, or ended otherwise than by itself or by the signal.
    pub(super) async fn stop(mut self) -> Outcome<()> {
        use std::os::unix::process::ExitStatusExt;
        if let Some(status) = self.process.try_wait().because(&self.name)? {
            return trouble(format!("{} had ended before ({status}): {}", self.name, self.last_words()));
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else { return trouble(format!("{} has no process id", self.name)) };
        kill_process(pid, Signal::TERM).because(format!("stopping {}", self.name))?;
        match timeout(STOP, self.process.wait()).await {
            Ok(status) => {
                let status = status.because(&self.name)?;
                let gracefully = status.success() || status.signal() == Some(Signal::TERM.as_raw());
                if gracefully { Ok(()) } else { trouble(format!("{} ended with {status}", self.name)) }
            }
            Err(_still_there) => {
                self.process.kill().await.because(format!("killing {}", self.name))?;
                trouble(format!("{} did not end within {} s of SIGTERM and was killed", self.name, STOP.as_secs()))
            }
        }
    }
}

/// Starts an instance of Tertulia and waits for `/healthz`.
///
/// # Errors
/// When it ends or stays silent, with its last words.
pub(super) async fn server(binary: &Path, dir: &Path, name: &str, more: &[String]) -> Outcome<(Child, Web)> {
    let port = free_port()?;
    let mut command = Command::new(binary);
    command.args(["serve", "--port", &port.to_string(), "--data"]).arg(dir.join("data")).args(more);
    command.env("TERTULIA_RATE_LIMITS", "off").env("TERTULIA_MAX_CONNECTIONS", "100000");
    let mut child = Child::start(command, &format!("instance-{name}"), dir)?;
    let web = Web::at(&format!("http://127.0.0.1:{port}"))?;
    child.ready(async || web.get("/healthz", &[]).await.is_ok_and(|health| health.status.is_success())).await?;
    Ok((child, web))
}

/// Starts a Redis that stores nothing and waits for its `PONG`. Its port comes too.
///
/// # Errors
/// When it ends or stays silent, with its last words.
pub(super) async fn redis(binary: &Path, dir: &Path) -> Outcome<(Child, u16)> {
    let port = free_port()?;
    let mut command = Command::new(binary);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(dir);
    let mut child = Child::start(command, "redis", dir)?;
    child.ready(async || pong(port).await.unwrap_or(false)).await?;
    Ok((child, port))
}

async fn pong(port: u16) -> std::io::Result<bool> {
    let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"+PONG")
}

/// A port that is free now. Somebody may take it before the child does; it then says so and the run ends.
fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).because("finding a free port")?;
    Ok(listener.local_addr().because("finding a free port")?.port())
}
