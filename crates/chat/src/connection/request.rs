//! Frames that come in a request of their own: answered there and then, on whichever instance the request met.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tertulia_protocol::{ClientFrame, Code, Person, Refusal, ServerFrame, codec};

use super::Connection;
use super::budget::Budget;
use crate::chat::Chat;
use crate::queue::{Ended, Queue};
use crate::store::TokenHash;

impl Connection {
    /// Obeys the frames of one request in their order, and returns the answers once the last is there. Sends are
    /// stored in that order; an answer may come before that of an earlier frame, as on a socket. What would end a
    /// conversation ends the request: its last answer is then a `bye`, and later frames were not looked at.
    ///
    /// Safe to cancel: a send is then stored whole or not at all, and sending it again under its key tells which.
    pub async fn answer(chat: Arc<Chat>, person: Person, token: TokenHash, frames: &[&str]) -> Vec<Bytes> {
        let mut request = Self::of_request(chat, person, token);
        let (queue, lane) = (request.queue.clone(), request.lane.clone());
        let mut answers = Vec::new();
        let mut over = None;
        for frame in frames {
            over = collecting(request.hear(frame), &queue, &mut answers).await.err();
            if over.is_some() {
                break;
            }
        }
        let rest = async {
            lane.rest().await;
            Ok(())
        };
        over = collecting(rest, &queue, &mut answers).await.err().or(over);
        if let Some(Ended { close, retry_after_ms }) = over {
            let bye = ServerFrame::Bye { code: close.code(), reason: close.reason().to_owned(), retry_after_ms };
            answers.push(Bytes::from(codec::encode(&bye)));
        }
        answers
    }

    /// Greeted by its session alone, in no room, and unknown to the instance: nobody tells it anything unasked, and a
    /// stop waits for its answer instead of breaking it off.
    fn of_request(chat: Arc<Chat>, person: Person, token: TokenHash) -> Self {
        let id = chat.next_conn();
        let mut request = Self::with(chat, id, person, token, Arc::new(Queue::default()), Budget::OfPerson);
        request.greeted = true;
        request
    }
}

/// Waits for the end of `work`, and takes what is answered meanwhile: a page waits for room in the queue.
async fn collecting(
    work: impl Future<Output = Result<(), Ended>> + Send,
    queue: &Queue,
    answers: &mut Vec<Bytes>,
) -> Result<(), Ended> {
    let mut work = pin!(work);
    let done = loop {
        tokio::select! {
            // Safe to cancel: `ready` takes nothing, and the work is borrowed and goes on where it was.
            biased;
            done = &mut work => break done,
            () = queue.ready() => answers.extend(queue.take()?),
        }
    };
    answers.extend(queue.take()?);
    done
}

/// Whether a frame asks for what only lasts as long as somebody listens.
pub(super) const fn needs_a_conversation(frame: &ClientFrame) -> bool {
    matches!(frame, ClientFrame::Hello(_) | ClientFrame::Subscribe(_) | ClientFrame::Unsubscribe(_))
}

/// What whoever asks for that in a request is told.
pub(super) fn open_a_stream() -> Refusal {
    let sentence = "A request follows no room. Open GET /live/events?hello=… with the rooms you want; \
                    to follow others, open it anew.";
    Refusal::new(Code::Unsupported, sentence).field("t")
}
