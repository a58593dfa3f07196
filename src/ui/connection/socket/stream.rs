//! The way without WebSockets: a stream of events brings the frames, and each frame that is said is a request of its own.

use std::rc::Rc;

use futures::StreamExt as _;
use futures::channel::mpsc;
use tertulia_protocol::{ClientFrame, Close, ServerFrame, codec};

use super::{ABNORMAL, Heard};
use crate::ui::kit::browser;
use crate::ui::kit::stream::{self, Stream};

/// Where the stream is; the greeting stands behind it.
const EVENTS: &str = "/live/events?hello=";
/// Where requests go, with whichever instance they meet.
const REQUESTS: &str = "/live";
/// Events without a name, which all frames are but one.
const FRAME: &str = "message";
/// The event of the last frame.
const BYE: &str = "bye";
/// How long the answer to a request may take, in milliseconds: half more than the server grants the slowest thing it
/// does. A text is kept and sent again under its key, so giving up early costs nothing but another try.
const REQUEST_MS: u32 = 15_000;

/// Whether a frame is said by opening the stream anew: which rooms are followed is said there alone. And a sign of life in
/// a request would prove nothing about the stream; the welcome of a new one does.
pub(super) const fn belongs_to_the_greeting(frame: &ClientFrame) -> bool {
    use ClientFrame::{Hello, Ping, Subscribe, Unsubscribe};
    matches!(frame, Hello(_) | Subscribe(_) | Unsubscribe(_) | Ping)
}

/// Listens and speaks until our side lets go. Requests may overtake each other: what must keep its order waits for the
/// answer before.
pub(super) fn carry(hello: String, mut outgoing: mpsc::Receiver<String>, heard: impl Fn(Heard) + 'static) {
    leptos::task::spawn_local(async move {
        let heard: Rc<dyn Fn(Heard)> = Rc::new(heard);
        // Closed with the end of this task.
        let _listening = listen(&hello, heard.clone());
        while let Some(frame) = outgoing.next().await {
            let there = Rc::downgrade(&heard);
            browser::post(REQUESTS, frame, REQUEST_MS, move |answer| {
                // Who has let go hears nothing more, not even answers.
                if let Some(heard) = there.upgrade() {
                    answered(answer, &*heard);
                }
            });
        }
    });
}

fn listen(hello: &str, heard: Rc<dyn Fn(Heard)>) -> Option<Stream> {
    let path = format!("{EVENTS}{}", browser::escaped(hello));
    Stream::open(&path, &[FRAME, BYE], move |event| match event {
        stream::Heard::Event { name, data } => {
            let code = (name == BYE).then(|| code_of(&data));
            heard(Heard::Text(data));
            if let Some(code) = code {
                heard(Heard::Closed { code });
            }
        }
        // The browser would come back by itself; when to do so is decided by the connection, as with sockets.
        stream::Heard::Lost | stream::Heard::Refused => heard(Heard::Closed { code: ABNORMAL }),
    })
}

fn answered(answer: Option<(u16, String)>, heard: &dyn Fn(Heard)) {
    match answer {
        Some((200, frames)) => {
            for frame in codec::split_server(&frames) {
                heard(Heard::Answer(frame.to_owned()));
            }
        }
        Some((401, _)) => heard(Heard::Closed { code: Close::Revoked.code() }),
        _ => heard(Heard::Closed { code: ABNORMAL }),
    }
}

/// The close code that no Close frame will bring.
fn code_of(bye: &str) -> u16 {
    match codec::decode_server(bye) {
        Ok(ServerFrame::Bye { code, .. }) => code,
        _ => ABNORMAL,
    }
}
