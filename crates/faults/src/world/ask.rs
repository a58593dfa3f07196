//! The few words of RESP that a fault run says to a Redis; the servers' own client must not be asked about itself.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most of an answer that is read, in bytes: all that is asked here is answered in one line.
const ANSWER_BYTES: usize = 4 * 1024;

/// Asks the Redis on a port of this machine, on a connection of its own; the first line of the answer, with its mark.
///
/// # Errors
/// When it does not answer, or answers with an error.
pub(crate) async fn ask_redis(port: u16, words: &[&str]) -> Outcome<String> {
    let what = words.first().copied().unwrap_or_default();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.because(what)?;
    stream.write_all(command(words).as_bytes()).await.because(what)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        let mut part = [0; 256];
        let read = stream.read(&mut part).await.because(what)?;
        if read == 0 || answer.len() > ANSWER_BYTES {
            return trouble(format!("{what}: Redis hung up"));
        }
        answer.extend_from_slice(&part[..read]);
    }
    let answer = String::from_utf8_lossy(&answer);
    let line = answer.lines().next().unwrap_or_default().to_owned();
    if line.starts_with('-') { trouble(format!("{what}: {line}")) } else { Ok(line) }
}

/// Words as Redis reads them.
pub(super) fn command(words: &[&str]) -> String {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        // Writing to a String cannot fail.
        let _ = write!(command, "${}\r\n{word}\r\n", word.len());
    }
    command
}
