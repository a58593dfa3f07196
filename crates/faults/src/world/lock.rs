//! Somebody else who works on the database: holds its lock and writes nothing, by SQLite's own program.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long to wait for the lock: writers have it for some milliseconds at a time.
const PATIENCE: Duration = Duration::from_secs(20);
/// Begins to write, says so, and waits for more to do.
const TAKE: &[u8] = b".bail on\n.timeout 15000\nBEGIN IMMEDIATE;\n.print held\n";
/// What it says then.
const HELD: &str = "held";

/// The lock, until it is released or dropped.
pub(crate) struct Lock(Child);

impl Lock {
    /// Takes the lock of a database.
    ///
    /// # Errors
    /// When `sqlite3` cannot be started, or does not get the lock.
    pub(crate) async fn take(database: &Path) -> Outcome<Self> {
        let mut command = Command::new("sqlite3");
        command.arg(database).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().because("starting sqlite3")?;
        let (Some(input), Some(output)) = (&mut child.stdin, &mut child.stdout) else {
            return trouble("sqlite3 has no standard streams");
        };
        input.write_all(TAKE).await.because("asking sqlite3 for the lock")?;
        let mut said = String::new();
        let mut lines = BufReader::new(output);
        let heard = timeout(PATIENCE, lines.read_line(&mut said)).await;
        heard.because("waiting for the lock")?.because("waiting for the lock")?;
        if said.trim() == HELD { Ok(Self(child)) } else { trouble(format!("sqlite3 did not get the lock: {said}")) }
    }

    /// Gives it back; nothing was written.
    ///
    /// # Errors
    /// When `sqlite3` does not end well.
    pub(crate) async fn release(mut self) -> Outcome<()> {
        // Its input ends, and with it the transaction.
        drop(self.0.stdin.take());
        let ended = timeout(PATIENCE, self.0.wait()).await;
        let status = ended.because("releasing the lock")?.because("releasing the lock")?;
        if status.success() { Ok(()) } else { trouble(format!("sqlite3 ended with {status}")) }
    }
}
