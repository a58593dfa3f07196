//! The real binary as a process of its own.

use std::net::SocketAddr;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::http::Door;
use super::server::Folder;
use super::{PATIENCE, eventually};

/// Where cargo put it.
const BINARY: &str = env!("CARGO_BIN_EXE_tertulia");

/// A server that runs as a process. Dropping it kills it.
pub(crate) struct Binary {
    child: Child,
    pub(crate) door: Door,
    log: Arc<Mutex<String>>,
}

/// The command, with nothing of this process's surroundings but what is named.
fn command(folder: &Folder, args: &[&str], env: &[(&str, &str)]) -> Command {
    // A shell first, which ignores the signal of a file that may not grow: a full disk must be an error, not a death.
    let mut command = Command::new("sh");
    command.arg("-c").arg("trap '' XFSZ; exec \"$0\" \"$@\"").arg(BINARY).args(args);
    command.current_dir(folder.path()).env_clear().envs(env.iter().copied());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs it to its end: for everything that is not a server.
pub(crate) async fn run(folder: &Folder, args: &[&str], env: &[(&str, &str)]) -> Output {
    let ran = timeout(PATIENCE, command(folder, args, env).output()).await;
    ran.expect("it comes to an end").expect("it can be started")
}

impl Binary {
    /// A server on a free port, with its data in the folder, and what else is said.
    pub(crate) async fn serve(folder: &Folder, args: &[&str], env: &[(&str, &str)]) -> Self {
        let args = [&["serve", "--port", "0", "--rate-limits", "off"], args].concat();
        let mut child = command(folder, &args, env).spawn().expect("it can be started");
        let log = Arc::new(Mutex::new(String::new()));
        let (mut lines, written) = (BufReader::new(child.stderr.take().expect("a pipe")).lines(), log.clone());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = written.lock().expect("nobody panics here");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let port = eventually("the server says where it is open", async || {
            let log = log.lock().expect("nobody panics here").clone();
            let ended = child.try_wait().expect("it can be looked at");
            assert!(ended.is_none(), "it ended at once with {ended:?}: {log}");
            let (_, rest) = log.split_once("Tertulia is open: http://localhost:")?;
            rest.split_once(|c: char| !c.is_ascii_digit())?.0.parse::<u16>().ok()
        })
        .await;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let door = Door { address, host: address.to_string(), origin: format!("http://{address}") };
        Self { child, door, log }
    }

    /// A server on this port whose log goes to a disk without space, and so nowhere.
    pub(crate) async fn without_a_log(folder: &Folder, port: u16) -> Self {
        let args = ["serve", "--port", &port.to_string(), "--rate-limits", "off"];
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let child = command(folder, &args, &[]).stderr(full).spawn().expect("it can be started");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let door = Door { address, host: address.to_string(), origin: format!("http://{address}") };
        let server = Self { child, door, log: Arc::default() };
        eventually("it is open", async || TcpStream::connect(address).await.ok()).await;
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// What it has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("nobody panics here").clone()
    }

    /// Sends it a signal by its name.
    pub(crate) async fn signal(&self, name: &str) {
        shell(&format!("kill -{name} {}", self.pid())).await;
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it can be waited for")
    }
}

/// Runs a line of shell that must succeed: signals and limits need either unsafe code or a program.
pub(crate) async fn shell(line: &str) {
    let status = Command::new("sh").arg("-c").arg(line).status().await;
    assert!(status.is_ok_and(|status| status.success()), "{line}");
}
