//! The fake's WebSocket: hello, subscribe, send, ping, resume.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tertulia_protocol::frame::{AdvertisedLimits, SUBPROTOCOL};
use tertulia_protocol::{
    BusState, ClientFrame, Code, Entry, Person, Refusal, RoomId, Seq, ServerFrame, UserId, codec, limits,
};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::{Out, Quirk, State, answer};

pub(super) fn upgrade(mut request: Request<Incoming>, state: Arc<State>) -> Response<Full<Bytes>> {
    let headers = request.headers();
    if headers.get("sec-websocket-protocol").is_none_or(|protocol| protocol != SUBPROTOCOL) {
        return answer(StatusCode::BAD_REQUEST, "wrong subprotocol");
    }
    let accept = derive_accept_key(headers["sec-websocket-key"].as_bytes());
    let mut response = answer(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    headers.insert("connection", HeaderValue::from_static("Upgrade"));
    headers.insert("sec-websocket-accept", HeaderValue::from_str(&accept).unwrap());
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let upgraded = hyper::upgrade::on(&mut request);
    // Ends with the client's socket.
    tokio::spawn(async move {
        let io = TokioIo::new(upgraded.await.unwrap());
        converse(WebSocketStream::from_raw_socket(io, Role::Server, None).await, &state).await;
    });
    response
}

async fn converse<S>(mut socket: WebSocketStream<S>, state: &State)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    state.opened.fetch_add(1, Ordering::SeqCst);
    let (out, mut queue) = mpsc::channel(10_000);
    loop {
        tokio::select! {
            said = socket.next() => {
                let Some(Ok(Message::Text(text))) = said else { return };
                hear(codec::decode_client(&text).unwrap(), state, &out).await;
            }
            Some(next) = queue.recv() => {
                let (message, last) = match next {
                    Out::Say(text) => (Message::text(text), false),
                    Out::Close(code) => {
                        let close = CloseFrame { code: code.into(), reason: "too slow".into() };
                        (Message::Close(Some(close)), true)
                    }
                };
                if socket.send(message).await.is_err() || last {
                    return;
                }
            }
        }
    }
}

async fn hear(frame: ClientFrame, state: &State, out: &mpsc::Sender<Out>) {
    let say = |frame: &ServerFrame| out.try_send(Out::Say(codec::encode(frame))).unwrap();
    match frame {
        ClientFrame::Hello(hello) => {
            assert_eq!(hello.v, 1);
            say(&welcome(state));
            for position in hello.resume {
                assert_eq!(position.epoch, state.epoch);
                follow(state, position.room, Some(position.seq), out);
            }
        }
        ClientFrame::Subscribe(subscribe) => follow(state, subscribe.room, subscribe.after, out),
        ClientFrame::Send(send) if state.quirk == Quirk::Limit => {
            let refusal = Refusal::new(Code::RateLimited, "Too fast.").retry_after(1_000);
            say(&ServerFrame::Nack { key: send.key, refusal });
        }
        ClientFrame::Send(send) => {
            let (room, key) = (send.room, send.key);
            let seq = {
                let mut rooms = state.rooms();
                let room = &mut rooms[room.0 as usize - 1];
                let duplicate = room.keys.contains_key(&key);
                let seq = room.post(state.quirk, key, send.body);
                let ack = ServerFrame::Ack { key, room: room.info.id, seq: Seq(seq), at: 0, duplicate };
                if !matches!(state.quirk, Quirk::Cut(n) if n == seq && !duplicate) {
                    say(&ack);
                }
                seq
            };
            if let Quirk::Stall(n, pause) = state.quirk
                && n == seq
            {
                tokio::time::sleep(pause).await;
            }
        }
        ClientFrame::Ping => say(&ServerFrame::Pong),
        other => panic!("the generator says nothing like {other:?}"),
    }
}

fn welcome(state: &State) -> ServerFrame {
    ServerFrame::Welcome {
        conn: "c".to_owned(),
        epoch: state.epoch.clone(),
        you: Person { id: UserId(1), name: "somebody".to_owned() },
        limits: AdvertisedLimits::default(),
        ping_ms: limits::PING_MS,
        bus: BusState::Live,
        instance: "fake".to_owned(),
    }
}

/// Follows a room under the lock, so that nothing falls between what was missed and what comes.
fn follow(state: &State, id: RoomId, after: Option<Seq>, out: &mpsc::Sender<Out>) {
    let mut rooms = state.rooms();
    let room = &mut rooms[id.0 as usize - 1];
    let seq = Seq(room.log.len() as i64);
    let subscribed = ServerFrame::Subscribed { room: id, epoch: state.epoch.clone(), seq };
    out.try_send(Out::Say(codec::encode(&subscribed))).unwrap();
    let missed: Vec<Entry> = room.log[after.unwrap_or(seq).0 as usize..].to_vec();
    if !missed.is_empty() {
        let entries = ServerFrame::Entries { room: id, entries: missed };
        out.try_send(Out::Say(codec::encode(&entries))).unwrap();
    }
    room.followers.push(out.clone());
}
