//! `GET /ws/{room}`: a WebSocket of one room that speaks plain lines, or plain objects with `?format=json`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tertulia_chat::Listener;
use tertulia_chat::listener::happened;
use tertulia_chat::queue::{Ended, Queue};
use tertulia_protocol::{Refusal, ServerFrame};
use tokio_tungstenite::tungstenite::Message;

use super::words::Room;
use super::{Format, Visit};
use crate::server::access::{Caller, Deed};
use crate::server::client::Client;
use crate::server::error::HttpRefusal;
use crate::server::serve::Seat;
use crate::server::session::not_our_page;
use crate::server::socket::{Conversation, Handshake, Unfit, Voice, carry};
use crate::server::state::App;

/// Opens the socket. Who may only read hears, and is refused when they say something.
pub(in crate::server) async fn open(
    State(app): State<App>,
    visit: Result<Visit, HttpRefusal>,
    seat: Option<Extension<Seat>>,
    handshake: Result<Handshake, Unfit>,
) -> Result<Response, HttpRefusal> {
    let handshake = match handshake {
        Ok(handshake) => handshake,
        Err(unfit) => return Ok(unfit.into_response()),
    };
    let visit = visit?;
    if !visit.caller.may_open_socket(&app, &visit.headers) {
        return Err(not_our_page().into());
    }
    let place = app.places.admit(visit.client)?;
    let (listener, room) = visit.listen(&app).await?;
    let voice = Arc::new(Plain { room, format: visit.wishes.format });
    let Visit { caller, client, .. } = visit;
    let keeper = app.clone();
    Ok(carry(&keeper, handshake, (place, seat), move || Raw { app, listener, caller, client, voice }))
}

/// One raw socket.
struct Raw {
    app: App,
    listener: Listener,
    caller: Caller,
    client: Client,
    voice: Arc<Plain>,
}

impl Raw {
    /// Says it, as [`publish`](super::publish) would: a person has the budget that they have on the page, whoever is
    /// none draws on the program's or the address's, since many share the name of those without one.
    async fn say(&mut self, text: &str) -> Result<(), Refusal> {
        self.caller.may(&self.voice.room.slug, Deed::Write)?;
        if self.caller.session().is_some() {
            self.listener.say(text).await;
        } else {
            self.caller.pay(&self.app, self.client)?;
            self.listener.post(text).await;
        }
        Ok(())
    }
}

impl Conversation for Raw {
    fn queue(&self) -> Arc<Queue> {
        self.listener.queue()
    }

    fn is_ready(&self) -> bool {
        self.listener.queue().is_roomy()
    }

    fn is_greeted(&self) -> bool {
        true
    }

    async fn hear(&mut self, text: &str) -> Result<(), Ended> {
        self.listener.take_frame()?;
        if let Err(refusal) = self.say(text).await {
            self.listener.refuse(refusal);
        }
        Ok(())
    }

    fn hear_control(&mut self) -> Result<(), Ended> {
        self.listener.take_frame()
    }

    async fn revalidate(&mut self) -> Result<(), Ended> {
        self.listener.revalidate().await
    }

    fn voice(&self) -> Arc<dyn Voice> {
        self.voice.clone()
    }
}

/// Lines or objects.
struct Plain {
    room: Room,
    format: Format,
}

impl Voice for Plain {
    fn say(&self, frames: Vec<Bytes>) -> Vec<Message> {
        let happened = frames.iter().flat_map(|frame| happened(frame));
        let words = happened.filter_map(|happened| match self.format {
            Format::Text => self.room.line(&happened),
            Format::Json => Some(self.room.told(&happened).json),
        });
        words.map(|words| Message::Text(words.into())).collect()
    }

    // The Close frame says all there is to say.
    fn goodbye(&self, _: &ServerFrame) -> Option<Message> {
        None
    }
}
