//! A stream of events without a library: the bytes of `GET /live/events`, event by event, checked as they come.

use tertulia_protocol::{Entry, RoomId, ServerFrame, codec};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::guest::Guest;
use super::http::encoded;
use super::raw::head;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Empty for the events that have none: those of the wire but the last.
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<u64>,
}

impl Event {
    /// The code and the hint of a goodbye.
    pub(crate) fn bye(&self) -> (u16, Option<u64>) {
        match codec::decode_server(&self.data) {
            Ok(ServerFrame::Bye { code, retry_after_ms, .. }) => (code, retry_after_ms),
            other => panic!("the last word is a bye: {other:?}"),
        }
    }
}

/// An open stream.
pub(crate) struct EventStream {
    stream: BufReader<TcpStream>,
    /// What has come of the body and makes no whole line yet.
    rest: Vec<u8>,
    /// The `id` of the last event that had one.
    pub(crate) last_id: Option<String>,
    /// The last entry of the lobby that was handed on.
    pub(crate) seq: i64,
}

/// The request for a stream: behind the question mark, and further headers that end in CR LF.
pub(crate) fn request(guest: &Guest, query: &str, headers: &str) -> String {
    format!(
        "GET /live/events?{query} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\naccept: text/event-stream\r\n{headers}\r\n",
        guest.door.host, guest.cookie
    )
}

/// The `hello` of an address, with these positions (JSON, without the brackets).
pub(crate) fn hello(resume: &str) -> String {
    format!("hello={}", encoded(&format!(r#"{{"t":"hello","v":1,"client":"it","resume":[{resume}]}}"#)))
}

impl EventStream {
    /// Opens a stream from these positions.
    pub(crate) async fn open(guest: &Guest, resume: &str) -> Self {
        let stream = TcpStream::connect(guest.door.address).await.expect("the server accepts");
        Self::over(stream, &request(guest, &hello(resume), "")).await
    }

    /// Opens one that goes on where another with this last `id` broke off.
    pub(crate) async fn resume(guest: &Guest, last_id: &str, seq: i64) -> Self {
        let stream = TcpStream::connect(guest.door.address).await.expect("the server accepts");
        let header = format!("last-event-id: {last_id}\r\n");
        // The positions of hello are void: what the browser repeats counts.
        let old = hello(r#"{"room":1,"epoch":"","seq":0}"#);
        Self { seq, ..Self::over(stream, &request(guest, &old, &header)).await }
    }

    /// Opens one over this connection.
    pub(crate) async fn over(mut stream: TcpStream, request: &str) -> Self {
        let head = head(&mut stream, request.as_bytes()).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        for header in [
            "content-type: text/event-stream",
            "cache-control: no-store",
            "x-accel-buffering: no",
            "transfer-encoding: chunked",
        ] {
            assert!(head.contains(&format!("\r\n{header}\r\n")), "{header}: {head}");
        }
        assert!(!head.contains("content-encoding"), "{head}");
        Self { stream: BufReader::new(stream), rest: Vec::new(), last_id: None, seq: 0 }
    }

    /// The next event; `None` at the end of the stream, and when the connection broke.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let line = timeout(PATIENCE, self.line()).await.expect("a line comes, or the end")?;
            match line.split_once(": ") {
                _ if line.is_empty() && event == Event::default() => {}
                _ if line.is_empty() => break,
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("data", data)) => event.data = data.to_owned(),
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("retry", ms)) => event.retry = Some(ms.parse().expect("a number")),
                _ => assert!(line.starts_with(':'), "nothing else is said: {line:?}"),
            }
        }
        if event.id.is_some() {
            self.last_id.clone_from(&event.id);
        }
        Some(event)
    }

    /// The next frame; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<ServerFrame> {
        loop {
            let event = self.event().await?;
            if !event.data.is_empty() {
                return Some(codec::decode_server(&event.data).expect("frames of the server decode"));
            }
        }
    }

    /// The next frame for which `pick` has an answer; others are passed over.
    pub(crate) async fn until<T>(&mut self, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = self.next().await.expect("the stream goes on");
            if let Some(found) = pick(frame) {
                return found;
            }
        }
    }

    /// Reads to the end: the last event.
    pub(crate) async fn last(&mut self) -> Event {
        let mut last = None;
        while let Some(event) = self.event().await {
            last = Some(event);
        }
        last.expect("something was said")
    }

    /// The entries of a room that come until (and with) number `last`, each the successor of the one before,
    /// beginning after `self.seq`: a hole or a double fails here.
    pub(crate) async fn entries_until(&mut self, room: RoomId, last: i64) -> Vec<Entry> {
        let mut all = Vec::new();
        while self.seq < last {
            let entries = self
                .until(|frame| match frame {
                    ServerFrame::Entries { room: r, entries } if r == room => Some(entries),
                    ServerFrame::Reset { reason, .. } => panic!("reset: {reason}"),
                    _ => None,
                })
                .await;
            for entry in entries {
                assert_eq!(entry.seq.0, self.seq + 1, "a hole or a double");
                self.seq = entry.seq.0;
                all.push(entry);
            }
        }
        all
    }

    /// Cuts the connection as a dead battery would.
    pub(crate) fn cut(self) {
        let stream = self.stream.into_inner();
        // A reset instead of an orderly end.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
        drop(stream);
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(String::from_utf8(line[..end].to_vec()).expect("events are UTF-8"));
            }
            let chunk = self.chunk().await.ok().filter(|chunk| !chunk.is_empty())?;
            self.rest.extend(chunk);
        }
    }

    /// The next piece of the body (RFC 9112, section 7.1); empty at its end.
    async fn chunk(&mut self) -> std::io::Result<Vec<u8>> {
        let mut size = String::new();
        if self.stream.read_line(&mut size).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a size is hexadecimal");
        let mut bytes = vec![0; size + 2];
        self.stream.read_exact(&mut bytes).await?;
        assert_eq!(&bytes[size..], b"\r\n", "a chunk ends with a line's end");
        bytes.truncate(size);
        Ok(bytes)
    }
}
