//! Starting, stopping, killing and freezing one process, and starting it again as it was.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::trouble::{Because, Outcome, Trouble, trouble};
use crate::web::Web;

/// How long a process may take to answer after its start.
const START: Duration = Duration::from_secs(30);
/// How long a process may take to end after SIGTERM: the server lets its sockets go first.
const STOP: Duration = Duration::from_secs(20);
/// How often to ask whether it answers.
const POLL: Duration = Duration::from_millis(20);
/// How much of a failed process's log is shown, in bytes.
const LAST_WORDS: usize = 2_000;

/// How a process is started: the same each time, so that what was killed comes back as it was.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(&'static str, String)>,
    name: String,
    dir: PathBuf,
    /// Whether a file that may not grow is an error for it, and not its end.
    survives_limits: bool,
    /// What is asked until it answers.
    answers: Answers,
}

/// How a process shows that it is ready.
#[derive(Clone, Debug)]
enum Answers {
    /// `GET /healthz` says 200.
    Health(Web),
    /// `PING` says `PONG`.
    Pong(u16),
}

impl Launch {
    /// An instance of Tertulia on a port, its data and log in `dir`, without limits of rates.
    ///
    /// # Errors
    /// None that a port could cause.
    pub fn server(binary: &Path, dir: &Path, name: &str, port: u16, more: &[String]) -> Outcome<Self> {
        let mut args: Vec<OsString> = ["serve", "--port", &port.to_string(), "--data"].map(OsString::from).to_vec();
        args.push(dir.join("data").into());
        args.extend(more.iter().map(OsString::from));
        let env = vec![("TERTULIA_RATE_LIMITS", "off".to_owned()), ("TERTULIA_MAX_CONNECTIONS", "100000".to_owned())];
        let answers = Answers::Health(Web::at(&format!("http://127.0.0.1:{port}"))?);
        let name = format!("instance-{name}");
        Ok(Self { program: binary.to_owned(), args, env, name, dir: dir.to_owned(), survives_limits: false, answers })
    }

    /// A Redis on a port that stores nothing.
    #[must_use]
    pub fn redis(binary: &Path, dir: &Path, port: u16, more: &[&str]) -> Self {
        let port_word = port.to_string();
        let fixed = ["--bind", "127.0.0.1", "--port", &port_word, "--save", "", "--appendonly", "no", "--dir"];
        let mut args: Vec<OsString> = fixed.map(OsString::from).to_vec();
        args.push(dir.into());
        args.extend(more.iter().map(OsString::from));
        let name = "redis".to_owned();
        Self {
            program: binary.to_owned(),
            args,
            env: Vec::new(),
            name,
            dir: dir.to_owned(),
            survives_limits: false,
            answers: Answers::Pong(port),
        }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.env.push((variable, value.to_owned()));
        self
    }

    /// The same, and [`Child::limit_files`] does not end it by the signal that comes with the error, as a full disk
    /// has none.
    #[must_use]
    pub fn survives_limits(mut self) -> Self {
        self.survives_limits = true;
        self
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it ends or stays silent, with its last words.
    pub async fn start(&self) -> Outcome<Child> {
        let log = self.dir.join(format!("{}.log", self.name));
        // What it said before it was killed is kept.
        let out = File::options().create(true).append(true).open(&log).because(log.display())?;
        let err = out.try_clone().because(log.display())?;
        let mut command = if self.survives_limits {
            // What is ignored stays ignored in the program that takes the shell's place.
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(&self.program);
            shell
        } else {
            Command::new(&self.program)
        };
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        let process = command.spawn().because(format!("starting {}", self.program.display()))?;
        let Some(pid) = process.id() else { return trouble(format!("{} has no process id", self.name)) };
        let mut child = Child { process, pid, name: self.name.clone(), log };
        child.ready(&self.answers).await?;
        Ok(child)
    }
}

/// A process that was started here. Dropped without [`Child::stop`], it is killed.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    pid: u32,
    name: String,
    log: PathBuf,
}

impl Child {
    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks until it answers.
    async fn ready(&mut self, answers: &Answers) -> Outcome<()> {
        let deadline = Instant::now() + START;
        while !answer(answers).await {
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

    /// The end of what it has said.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LAST_WORDS)..]).trim().to_owned()
    }

    /// Ends it by SIGTERM and waits; kills it when that takes too long.
    ///
    /// # Errors
    /// When it had to be killed, or ended otherwise than by itself or by the signal.
    pub async fn stop(self) -> Outcome<()> {
        use std::os::unix::process::ExitStatusExt;
        let name = self.name.clone();
        let status = self.terminate().await?;
        let gracefully = status.success() || status.signal() == Some(Signal::TERM.as_raw());
        if gracefully { Ok(()) } else { trouble(format!("{name} ended with {status}")) }
    }

    /// Ends it by SIGTERM and says how it ended.
    ///
    /// # Errors
    /// When it had ended before, or had to be killed.
    pub async fn terminate(mut self) -> Outcome<ExitStatus> {
        if let Some(status) = self.process.try_wait().because(&self.name)? {
            return trouble(format!("{} had ended before ({status}): {}", self.name, self.last_words()));
        }
        self.signal(Signal::TERM)?;
        match timeout(STOP, self.process.wait()).await {
            Ok(status) => status.because(&self.name),
            Err(_still_there) => {
                self.process.kill().await.because(format!("killing {}", self.name))?;
                trouble(format!("{} did not end within {} s of SIGTERM and was killed", self.name, STOP.as_secs()))
            }
        }
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(mut self) -> Outcome<()> {
        self.process.kill().await.because(format!("killing {}", self.name))
    }

    /// `kill -STOP`: its connections stay open and nothing answers.
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> Outcome<()> {
        self.signal(Signal::STOP)
    }

    /// `kill -CONT`.
    ///
    /// # Errors
    /// When it is gone.
    pub fn thaw(&self) -> Outcome<()> {
        self.signal(Signal::CONT)
    }

    /// Lets none of its files grow beyond so many bytes, or lifts that again. Nothing of what it writes is kept then,
    /// neither data nor log.
    ///
    /// # Errors
    /// When it is gone, or the system refuses.
    pub fn limit_files(&self, bytes: Option<u64>) -> Outcome<()> {
        // Its own upper limit is ours, which it was started with.
        let limit = Rlimit { current: bytes, ..getrlimit(Resource::Fsize) };
        prlimit(Some(self.process_id()?), Resource::Fsize, limit).map(drop).because(format!("limiting {}", self.name))
    }

    fn process_id(&self) -> Outcome<Pid> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        pid.ok_or_else(|| Trouble(format!("{} has no process id", self.name)))
    }

    fn signal(&self, signal: Signal) -> Outcome<()> {
        kill_process(self.process_id()?, signal).because(format!("signalling {}", self.name))
    }
}

async fn answer(answers: &Answers) -> bool {
    match answers {
        Answers::Health(web) => web.get("/healthz", &[]).await.is_ok_and(|health| health.status.is_success()),
        Answers::Pong(port) => pong(*port).await.unwrap_or(false),
    }
}

async fn pong(port: u16) -> std::io::Result<bool> {
    let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"+PONG")
}

/// A port that is free now. Somebody may take it before the child does; it then says so and the run ends.
///
/// # Errors
/// When the machine has none.
pub fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).because("finding a free port")?;
    Ok(listener.local_addr().because("finding a free port")?.port())
}
