//! A subscription to a channel of Redis, as `redis-cli SUBSCRIBE` has it.

use std::net::Ipv4Addr;

use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::ask::command;

/// Longest part of a push that is taken, in bytes: as long as the longest payload that a server looks at, which is four
/// times the longest message of a run.
const PART_BYTES: usize = 64 * 1024;
/// A push about a channel: what it is about, the channel, and the payload or a count.
const PARTS: usize = 3;

/// The subscription; dropping it ends it.
pub(crate) struct Ears(BufReader<TcpStream>);

impl Ears {
    /// Subscribed when this returns.
    ///
    /// # Errors
    /// When Redis does not answer, or answers with something else.
    pub(crate) async fn open(port: u16, channel: &str) -> Outcome<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.because("SUBSCRIBE")?;
        let mut ears = Self(BufReader::new(stream));
        ears.0.get_mut().write_all(command(&["SUBSCRIBE", channel]).as_bytes()).await.because("SUBSCRIBE")?;
        let [kind, ..] = ears.push().await?;
        if kind == "subscribe" { Ok(ears) } else { trouble(format!("SUBSCRIBE: {kind}")) }
    }

    /// The payload of the next message. Cancelling it loses what was read of it, and all after it.
    ///
    /// # Errors
    /// When the connection ends.
    pub(crate) async fn next(&mut self) -> Outcome<String> {
        loop {
            let [kind, _, payload] = self.push().await?;
            if kind == "message" {
                return Ok(payload);
            }
        }
    }

    async fn push(&mut self) -> Outcome<[String; PARTS]> {
        let head = self.line().await?;
        if head != format!("*{PARTS}") {
            return trouble(format!("a channel says {head}"));
        }
        Ok([self.part().await?, self.part().await?, self.part().await?])
    }

    /// A text, or a number as it stands.
    async fn part(&mut self) -> Outcome<String> {
        let head = self.line().await?;
        let Some(length) = head.strip_prefix('$') else { return Ok(head) };
        let length = length.parse().ok().filter(|length| *length <= PART_BYTES);
        let Some(length) = length else { return trouble(format!("a channel says {head}")) };
        // The line's end belongs to it.
        let mut part = vec![0; length + 2];
        self.0.read_exact(&mut part).await.because("a channel")?;
        part.truncate(length);
        Ok(String::from_utf8_lossy(&part).into_owned())
    }

    async fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        let limit = u64::try_from(PART_BYTES).unwrap_or(u64::MAX);
        let read = (&mut self.0).take(limit).read_line(&mut line).await.because("a channel")?;
        if read == 0 { trouble("Redis hung up") } else { Ok(line.trim_end().to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A Redis that says this to whoever comes, and hangs up.
    async fn says(text: &'static str) -> u16 {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = door.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = door.accept().await.unwrap();
            let expected = b"*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nlobby\r\n";
            let mut asked = [0; 30];
            stream.read_exact(&mut asked).await.unwrap();
            assert_eq!(&asked, expected);
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        port
    }

    const CONFIRMED: &str = "*3\r\n$9\r\nsubscribe\r\n$5\r\nlobby\r\n:1\r\n";

    #[tokio::test]
    async fn messages_are_told_from_confirmations_and_the_end_is_an_error() {
        let hola = "*3\r\n$7\r\nmessage\r\n$5\r\nlobby\r\n$7\r\nho\r\nla!\r\n";
        let port = says(Box::leak(format!("{CONFIRMED}{CONFIRMED}{hola}").into_boxed_str())).await;
        let mut ears = Ears::open(port, "lobby").await.unwrap();
        assert_eq!(ears.next().await.unwrap(), "ho\r\nla!");
        assert!(ears.next().await.is_err(), "Redis hung up");
    }

    #[tokio::test]
    async fn what_is_no_subscription_is_refused() {
        let errors = ["-NOAUTH Authentication required.\r\n", "*3\r\n$999999\r\n", "*3\r\n$x\r\n", ""];
        for said in errors {
            assert!(Ears::open(says(said).await, "lobby").await.is_err(), "{said:?}");
        }
    }
}
