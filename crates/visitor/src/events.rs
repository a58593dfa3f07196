//! A stream of server-sent events, read as browsers read it (HTML standard, section 9.2.6).

use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::trouble::{Because, Outcome, trouble};

/// Most that one event may be, in bytes: far above the longest frame, so that more is a stream that is none.
const EVENT_BYTES: usize = 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty for one without.
    pub name: String,
    /// The place it stands for, if it names one.
    pub id: Option<String>,
    /// What it says.
    pub data: String,
    /// When to come back after the stream's end, in milliseconds, if it says so.
    pub retry: Option<u64>,
}

/// An open stream.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    waiting: Vec<u8>,
}

impl Events {
    /// Reads the body of an answer.
    pub(crate) const fn of(body: Incoming) -> Self {
        Self { body, waiting: Vec::new() }
    }

    /// The next event; `None` when the stream has ended. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no stream of events.
    pub async fn next(&mut self) -> Outcome<Option<Event>> {
        loop {
            while let Some(end) = self.waiting.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.waiting.drain(..end + 2).collect();
                let block = String::from_utf8(block).because("an event")?;
                if let Some(event) = read(&block) {
                    return Ok(Some(event));
                }
            }
            if self.waiting.len() > EVENT_BYTES {
                return trouble("an event without an end");
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    let frame = frame.because("a stream of events")?;
                    self.waiting.extend_from_slice(frame.data_ref().map_or(&[][..], |bytes| &bytes[..]));
                }
            }
        }
    }
}

/// An event of its lines; `None` for a comment and for what only sets the pause.
fn read(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut says = false;
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.name),
            "id" => event.id = Some(value.to_owned()),
            "retry" => event.retry = value.parse().ok(),
            "data" => {
                if says {
                    event.data.push('\n');
                }
                event.data.push_str(value);
                says = true;
            }
            _ => {}
        }
    }
    says.then_some(event)
}

#[cfg(test)]
mod tests {
    use super::{Event, read};

    #[test]
    fn fields_are_read_as_browsers_read_them() {
        let event = read("event: message\nid: e-1-2\ndata: one\ndata:two\nretry: 500\n\n");
        let wanted =
            Event { name: "message".into(), id: Some("e-1-2".into()), data: "one\ntwo".into(), retry: Some(500) };
        assert_eq!(event, Some(wanted));
    }

    #[test]
    fn comments_and_pauses_are_no_events() {
        assert_eq!(read(": alive\n\n"), None);
        assert_eq!(read("retry: 1000\n\n"), None);
    }
}
