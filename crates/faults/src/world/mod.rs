//! What is broken: instances of Tertulia on one database, each with a link of its own to one Redis.

mod ask;
mod ears;
mod lock;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;
use tertulia_visitor::process::{Child, Launch, free_port};
use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tertulia_visitor::web::Web;

use crate::journal::{How, Process, What, Writer};
use crate::proxy::{Proxy, Speech};

pub(crate) use ask::ask_redis;
pub(crate) use ears::Ears;
pub(crate) use lock::Lock;

/// What is started.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// The server's binary.
    pub(crate) server: PathBuf,
    /// The Redis server's.
    pub(crate) redis: PathBuf,
    /// Instances.
    pub(crate) instances: usize,
    /// The promise that the servers are asked to break, by its name.
    pub(crate) sabotage: Option<String>,
}

/// Everything that can be broken.
pub(crate) struct World {
    /// The instances.
    pub(crate) instances: Vec<Instance>,
    /// Their Redis.
    pub(crate) redis: Redis,
    /// Where what happens to processes is noted.
    pub(crate) journal: Writer,
    /// Dropped last: removes the database.
    dir: TempDir,
}

/// One instance.
pub(crate) struct Instance {
    /// Its name.
    pub(crate) name: String,
    /// How it is reached.
    pub(crate) web: Web,
    /// Its link to Redis.
    pub(crate) link: Proxy,
    launch: Launch,
    child: Option<Child>,
}

/// The Redis.
pub(crate) struct Redis {
    /// Its own port, behind all links.
    pub(crate) port: u16,
    launch: Launch,
    child: Option<Child>,
}

impl World {
    /// Starts everything, its files under `dir`.
    ///
    /// # Errors
    /// When something does not start, with its last words.
    pub(crate) async fn start(cast: &Cast, dir: &Path, journal: Writer) -> Outcome<Self> {
        std::fs::create_dir_all(dir).because(dir.display())?;
        let dir = tempfile::Builder::new().prefix("faults-").tempdir_in(dir).because(dir.display())?;
        let port = free_port()?;
        let launch = Launch::redis(&cast.redis, dir.path(), port, &[]);
        let mut redis = Redis { port, launch, child: None };
        redis.start(&journal).await?;
        let mut instances = Vec::new();
        for index in 0..cast.instances {
            let name = char::from(b'a' + u8::try_from(index % 26).unwrap_or(0)).to_string();
            let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let link = Proxy::before(target, Speech::Redis).await.because("the link to Redis")?;
            let url = format!("redis://{}/0", link.address());
            let more = ["--redis", &url, "--instance", &name].map(str::to_owned);
            let own = free_port()?;
            let mut launch = Launch::server(&cast.server, dir.path(), &name, own, &more)?.survives_limits();
            if let Some(sabotage) = &cast.sabotage {
                launch = launch.with("SABOTAGE", sabotage);
            }
            let web = Web::at(&format!("http://127.0.0.1:{own}"))?;
            let mut instance = Instance { name, web, link, launch, child: None };
            instance.start(&journal).await?;
            instances.push(instance);
        }
        Ok(Self { instances, redis, journal, dir })
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("data").join("tertulia.db")
    }

    /// Ends everything in order.
    ///
    /// # Errors
    /// When an instance does not end by itself, or not well.
    pub(crate) async fn strike(mut self) -> Outcome<()> {
        for instance in &mut self.instances {
            instance.terminate(&self.journal).await?;
        }
        self.redis.kill(&self.journal).await
    }
}

impl Instance {
    /// Starts it, as it was.
    ///
    /// # Errors
    /// When it does not answer, with its last words.
    pub(crate) async fn start(&mut self, journal: &Writer) -> Outcome<()> {
        self.child = Some(self.launch.start().await?);
        note(journal, Process::Up { name: self.name.clone() })
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub(crate) async fn kill(&mut self, journal: &Writer) -> Outcome<()> {
        kill(&mut self.child, &self.name, journal).await
    }

    /// SIGTERM; it must end well by itself.
    ///
    /// # Errors
    /// When it had ended before, had to be killed, or says that it failed.
    pub(crate) async fn terminate(&mut self, journal: &Writer) -> Outcome<()> {
        let Some(child) = self.child.take() else { return Ok(()) };
        let since = Instant::now();
        let status = child.terminate().await?;
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        note(journal, Process::Down { name: self.name.clone(), how: How::Term, code: status.code(), ms })?;
        if status.success() { Ok(()) } else { trouble(format!("instance {} ended with {status}", self.name)) }
    }

    /// The process, while it runs.
    pub(crate) const fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }
}

impl Redis {
    /// Starts it, empty.
    ///
    /// # Errors
    /// When it does not answer, with its last words.
    pub(crate) async fn start(&mut self, journal: &Writer) -> Outcome<()> {
        self.child = Some(self.launch.start().await?);
        note(journal, Process::Up { name: "redis".to_owned() })
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub(crate) async fn kill(&mut self, journal: &Writer) -> Outcome<()> {
        kill(&mut self.child, "redis", journal).await
    }

    /// The process, while it runs.
    pub(crate) const fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    /// Asks it something.
    ///
    /// # Errors
    /// When it does not answer, or answers with an error.
    pub(crate) async fn ask(&self, words: &[&str]) -> Outcome<String> {
        ask_redis(self.port, words).await
    }
}

async fn kill(child: &mut Option<Child>, name: &str, journal: &Writer) -> Outcome<()> {
    let Some(child) = child.take() else { return Ok(()) };
    child.kill().await?;
    note(journal, Process::Down { name: name.to_owned(), how: How::Kill, code: None, ms: 0 })
}

fn note(journal: &Writer, process: Process) -> Outcome<()> {
    journal.note(What::Process(process)).because("the world's journal")
}
