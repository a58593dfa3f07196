//! What is measured: servers started for the run (with Redis where it takes two), or servers that are there already.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tertulia_visitor::proc::{self, Memory};
use tertulia_visitor::process::{Child, Launch, free_port};

use crate::trouble::{Because, Outcome, trouble};
use crate::web::Web;

/// Where servers come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Started from this binary, each run with a database of its own under `dir`.
    Binary {
        /// The server.
        server: PathBuf,
        /// The Redis server, for runs of several instances.
        redis: PathBuf,
        /// Where databases go. A real disk, or the cost of fsync is not seen.
        dir: PathBuf,
    },
    /// Running already.
    Urls(Vec<String>),
}

/// A server, and how it is started again.
#[derive(Debug)]
struct Server {
    launch: Launch,
    /// Taken while it is down.
    child: Mutex<Option<Child>>,
}

/// The servers of one run.
#[derive(Debug)]
pub(crate) struct Stage {
    /// One per instance.
    pub(crate) webs: Vec<Web>,
    servers: Vec<Server>,
    redis: Option<Child>,
    /// Dropped last: removes the database.
    dir: Option<TempDir>,
}

impl Stage {
    /// Starts (or finds) so many instances and waits until they are alive.
    ///
    /// # Errors
    /// When one does not start, with its last words.
    pub(crate) async fn set(source: &Source, instances: usize) -> Outcome<Self> {
        match source {
            Source::Urls(urls) if urls.len() < instances => {
                trouble(format!("this needs {instances} instances: give --url {instances} times"))
            }
            Source::Urls(urls) => {
                let webs = urls.iter().take(instances).map(|url| Web::at(url)).collect::<Outcome<Vec<_>>>()?;
                for web in &webs {
                    let health = web.get("/healthz", &[]).await?;
                    if !health.status.is_success() {
                        return trouble(format!("{} /healthz: {}", web.authority(), health.status));
                    }
                }
                Ok(Self { webs, servers: Vec::new(), redis: None, dir: None })
            }
            Source::Binary { server, redis, dir } => Self::start(server, redis, dir, instances).await,
        }
    }

    async fn start(server: &Path, redis: &Path, dir: &Path, instances: usize) -> Outcome<Self> {
        std::fs::create_dir_all(dir).because(dir.display())?;
        warn_of_memory_disk(dir);
        let dir = tempfile::Builder::new().prefix("load-").tempdir_in(dir).because(dir.display())?;
        let mut stage = Self { webs: Vec::new(), servers: Vec::new(), redis: None, dir: None };
        let mut bus: Vec<String> = Vec::new();
        if instances > 1 {
            let port = free_port()?;
            stage.redis = Some(Launch::redis(redis, dir.path(), port, &[]).start().await?);
            bus = vec!["--redis".to_owned(), format!("redis://127.0.0.1:{port}/0")];
        }
        for index in 0..instances {
            let name = char::from(b'a' + u8::try_from(index % 26).unwrap_or(0)).to_string();
            let mut more = bus.clone();
            if instances > 1 {
                more.extend(["--instance".to_owned(), name.clone()]);
            }
            let port = free_port()?;
            let launch = Launch::server(server, dir.path(), &name, port, &more)?;
            let child = Mutex::new(Some(launch.start().await?));
            stage.servers.push(Server { launch, child });
            stage.webs.push(Web::at(&format!("http://127.0.0.1:{port}"))?);
        }
        stage.dir = Some(dir);
        Ok(stage)
    }

    /// Processor time of all servers that run, so far, user and system; `None` for servers that are not ours.
    ///
    /// # Errors
    /// When one of them is gone.
    pub(crate) fn cpu(&self) -> Outcome<Option<Duration>> {
        if self.servers.is_empty() {
            return Ok(None);
        }
        let mut sum = Duration::ZERO;
        for pid in self.servers.iter().filter_map(Server::pid) {
            sum += proc::cpu(pid)?;
        }
        Ok(Some(sum))
    }

    /// Memory of the first server; `None` when it is not ours.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn memory(&self) -> Outcome<Option<Memory>> {
        self.servers.first().and_then(Server::pid).map(proc::memory).transpose()
    }

    /// `kill -9` for the server of this index.
    ///
    /// # Errors
    /// When it is not ours, or cannot be killed.
    pub(crate) async fn kill(&self, index: usize) -> Outcome<()> {
        let child = self.servers.get(index).and_then(|server| server.lock().take());
        match child {
            Some(child) => child.kill().await,
            None => trouble("only servers that were started here can be killed: give --server-bin"),
        }
    }

    /// Starts a killed server again, as it was.
    ///
    /// # Errors
    /// When it does not start, with its last words.
    pub(crate) async fn restart(&self, index: usize) -> Outcome<()> {
        let Some(server) = self.servers.get(index) else { return trouble("there is no such server") };
        let child = server.launch.start().await?;
        *server.lock() = Some(child);
        Ok(())
    }

    /// Stops what was started, by SIGTERM; the database goes too. What did not go well, in words.
    pub(crate) async fn strike(self) -> Vec<String> {
        let mut notes = Vec::new();
        let servers = self.servers.iter().filter_map(|server| server.lock().take());
        for child in servers.chain(self.redis).collect::<Vec<_>>() {
            if let Err(error) = child.stop().await {
                notes.push(error.to_string());
            }
        }
        notes
    }
}

impl Server {
    fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(Child::pid)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says loudly when the database would live in memory, where an fsync costs nothing.
fn warn_of_memory_disk(dir: &Path) {
    /// `TMPFS_MAGIC` of statfs(2).
    const TMPFS: i64 = 0x0102_1994;
    if rustix::fs::statfs(dir).is_ok_and(|stat| stat.f_type == TMPFS) {
        eprintln!("warning: {} is in memory (tmpfs): figures of sends say nothing about a disk", dir.display());
    }
}
