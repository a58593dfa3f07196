//! Programs of others that meet the server as their users would: curl, Python, redis-cli.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::PATIENCE;

/// A program that runs, line by line. It is killed when dropped.
pub(crate) struct Program {
    name: String,
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub(crate) fn start(name: &str, args: &[&str]) -> Self {
        let mut command = Command::new(name);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{name} is installed by bin/setup test: {error}"));
        let input = child.stdin.take().expect("its input is ours");
        let lines = BufReader::new(child.stdout.take().expect("its output is ours")).lines();
        Self { name: name.to_owned(), _child: child, input, lines }
    }

    /// Its next line.
    pub(crate) async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing", self.name)).expect("its lines are text");
        line.unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// Waits for its end, whatever it says until then.
    pub(crate) async fn until_it_ends(&mut self) {
        let ended = async { while let Ok(Some(_)) = self.lines.next_line().await {} };
        // Twice: some ends come with the deadline that is as long.
        assert!(timeout(PATIENCE * 2, ended).await.is_ok(), "{} goes on", self.name);
    }

    /// A line for it.
    pub(crate) async fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.input.write_all(line.as_bytes()).await.expect("it reads");
    }
}

/// Runs a program to its end: what it printed.
pub(crate) async fn output(name: &str, args: &[&str]) -> String {
    let run = Command::new(name).args(args).stdin(Stdio::null()).output();
    let output = timeout(PATIENCE, run).await.expect("it ends").expect("it is installed by bin/setup test");
    String::from_utf8(output.stdout).expect("it prints text")
}
