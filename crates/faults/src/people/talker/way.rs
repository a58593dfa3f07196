//! The two ways on which frames travel: a socket; or a stream and requests, each of which meets any instance.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use tertulia_protocol::{BusState, ClientFrame, Position, ServerFrame, UserId};
use tertulia_visitor::live::{Live, Turned, frame};
use tertulia_visitor::socket::Next;
use tertulia_visitor::stream::{self, Stream};
use tertulia_visitor::trouble::{Because, Outcome};
use tertulia_visitor::web::Visitor;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::CLIENT;
use super::pulse::{Beat, Pulse};

/// An open way.
pub(super) struct Way {
    carrier: Carrier,
    pub(super) pulse: Pulse,
}

enum Carrier {
    /// A socket of the instance of this name.
    Socket(Box<Live>, String),
    Requests(Box<Requests>),
}

/// What came.
pub(super) enum Heard {
    /// A frame.
    Said(ServerFrame),
    /// The way is gone: the close code, if one was said, and the rest in words.
    Gone(Option<u16>, String),
}

impl Way {
    /// Opens a socket.
    ///
    /// # Errors
    /// When the instance cannot be reached or does not speak the wire.
    pub(super) async fn socket(door: &(String, Visitor), resume: Vec<Position>) -> Outcome<Result<Self, Turned>> {
        let (name, visitor) = door;
        let live = Live::knock(visitor, CLIENT, resume).await?;
        Ok(live.map(|live| {
            let pulse = Pulse::new(live.ping, Instant::now());
            Self { carrier: Carrier::Socket(Box::new(live), name.clone()), pulse }
        }))
    }

    /// Opens a stream at one of the doors; requests go to all of them.
    ///
    /// # Errors
    /// When the instance cannot be reached or does not speak the wire.
    pub(super) async fn requests(
        doors: &[(String, Visitor)],
        at: usize,
        resume: Vec<Position>,
        last_id: Option<&str>,
        chance: SmallRng,
    ) -> Outcome<Result<Self, Turned>> {
        let stream = Stream::knock(&doors[at].1, CLIENT, resume, last_id).await?;
        Ok(stream.map(|stream| {
            let pulse = Pulse::new(stream.ping, Instant::now());
            let (doors, asked, answers) = (doors.to_vec(), JoinSet::new(), VecDeque::new());
            let requests = Requests { stream, doors, at, chance, asked, answers, pulled: false };
            Self { carrier: Carrier::Requests(Box::new(requests)), pulse }
        }))
    }

    /// As whom it was welcomed.
    pub(super) fn you(&self) -> UserId {
        match &self.carrier {
            Carrier::Socket(live, _) => live.you.id,
            Carrier::Requests(requests) => requests.stream.you.id,
        }
    }

    /// Whether the instances heard each other when it was welcomed.
    pub(super) fn bus(&self) -> BusState {
        match &self.carrier {
            Carrier::Socket(live, _) => live.bus,
            Carrier::Requests(requests) => requests.stream.bus,
        }
    }

    /// The instance that the next word will reach.
    pub(super) fn via(&mut self) -> String {
        match &mut self.carrier {
            Carrier::Socket(_, name) => name.clone(),
            Carrier::Requests(requests) => {
                requests.at = requests.chance.random_range(0..requests.doors.len());
                requests.doors[requests.at].0.clone()
            }
        }
    }

    /// Says a frame.
    ///
    /// # Errors
    /// When the socket cannot be written.
    pub(super) async fn say(&mut self, said: &ClientFrame) -> Outcome<()> {
        match &mut self.carrier {
            Carrier::Socket(live, _) => live.say(said).await,
            Carrier::Requests(requests) => {
                requests.ask(said.clone());
                Ok(())
            }
        }
    }

    /// Waits for the next frame. May be dropped while waiting: nothing is lost by that.
    ///
    /// # Errors
    /// For what is no frame.
    pub(super) async fn hear(&mut self) -> Outcome<Heard> {
        let next = match &mut self.carrier {
            Carrier::Socket(live, _) => live.hear().await?,
            Carrier::Requests(requests) => match requests.hear().await? {
                Came::Streamed(next) => next,
                // It says nothing of whether the stream lives.
                Came::Answered(answer) => return Ok(Heard::Said(answer)),
            },
        };
        match next {
            Next::Said(text) => {
                self.pulse.heard(Instant::now());
                Ok(Heard::Said(frame(&text)?))
            }
            Next::Gone(code, why) => Ok(Heard::Gone(code, why)),
        }
    }

    /// Asks for a sign of life when it is time to; false when the link is dead.
    ///
    /// # Errors
    /// When the socket cannot be written.
    pub(super) async fn beat(&mut self) -> Outcome<bool> {
        match (self.pulse.beat(Instant::now()), &self.carrier) {
            (Beat::Ask, Carrier::Socket(..)) => self.say(&ClientFrame::Ping).await.map(|()| true),
            // A stream gives its signs of life by itself.
            (Beat::Ask, Carrier::Requests(_)) | (Beat::Fine, _) => Ok(true),
            (Beat::Dead, _) => Ok(false),
        }
    }

    /// By which word of the server a stream goes on elsewhere; none when more was heard by request than by the stream.
    pub(super) fn last_id(&self) -> Option<String> {
        match &self.carrier {
            Carrier::Requests(requests) if !requests.pulled => requests.stream.last_id().map(str::to_owned),
            Carrier::Requests(_) | Carrier::Socket(..) => None,
        }
    }

    /// How long nothing has come.
    pub(super) fn silence(&self) -> Duration {
        self.pulse.silence(Instant::now())
    }

    /// The socket and its instance, if it is one.
    pub(super) fn into_socket(self) -> Option<(Box<Live>, String)> {
        match self.carrier {
            Carrier::Socket(live, via) => Some((live, via)),
            Carrier::Requests(_) => None,
        }
    }

    /// Leaves in order.
    pub(super) async fn close(self) {
        // Who drops a stream has left it.
        if let Some((live, _)) = self.into_socket() {
            live.close().await;
        }
    }
}

/// A stream and requests.
struct Requests {
    stream: Stream,
    doors: Vec<(String, Visitor)>,
    /// Where the next request goes.
    at: usize,
    chance: SmallRng,
    /// Requests on their way, each for one frame: one send and one pull for each room.
    asked: JoinSet<Outcome<Vec<ServerFrame>>>,
    /// What they were answered, and nobody has heard.
    answers: VecDeque<ServerFrame>,
    /// Whether entries were asked for.
    pulled: bool,
}

/// On which of the two something came.
enum Came {
    Streamed(Next),
    Answered(ServerFrame),
}

impl Requests {
    fn ask(&mut self, said: ClientFrame) {
        self.pulled |= matches!(said, ClientFrame::Pull(_));
        let visitor = self.doors[self.at].1.clone();
        self.asked.spawn(async move { stream::say(&visitor, &said).await });
    }

    async fn hear(&mut self) -> Outcome<Came> {
        loop {
            if let Some(answer) = self.answers.pop_front() {
                return Ok(Came::Answered(answer));
            }
            tokio::select! {
                // Both safe to cancel: an event stays in the stream, an answer in its task.
                next = self.stream.hear() => return Ok(Came::Streamed(next?)),
                Some(answered) = self.asked.join_next() => match answered.because("a request")? {
                    Ok(frames) => self.answers.extend(frames),
                    // Nobody knows what became of it; whoever comes back asks again.
                    Err(unanswered) => return Ok(Came::Streamed(Next::Gone(None, unanswered.to_string()))),
                },
            }
        }
    }
}
