//! A server that keeps everything in memory and breaks its promises on request: the generator must notice each.
//!
//! Two addresses share one state, as two instances share a database.

mod socket;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tertulia_protocol::{Change, Entry, Epoch, Key, Person, RoomId, RoomInfo, Seq, UserId, codec};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::web::Web;

/// What the fake does wrong, with the number of the entry it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// Nothing.
    Honest,
    /// Entry n is delivered to nobody.
    Lose(i64),
    /// Entry n is delivered twice.
    Double(i64),
    /// Entry n is delivered after entry n + 1.
    Swap(i64),
    /// Entry n has another text.
    Alter(i64),
    /// After entry n every socket of the room is closed once, as too slow.
    Cut(i64),
    /// The answer to entry n and all that follows waits.
    Stall(i64, Duration),
    /// Every send is refused for its rate.
    Limit,
    /// The page of a room lacks its newest message.
    ShortPage,
}

/// What goes to one socket.
#[derive(Clone, Debug)]
pub(crate) enum Out {
    Say(String),
    Close(u16),
}

pub(crate) struct Room {
    pub(crate) info: RoomInfo,
    pub(crate) log: Vec<Entry>,
    pub(crate) keys: HashMap<Key, i64>,
    pub(crate) followers: Vec<mpsc::Sender<Out>>,
    withheld: Option<Entry>,
    cut: bool,
}

pub(crate) struct State {
    pub(crate) quirk: Quirk,
    pub(crate) epoch: Epoch,
    rooms: Mutex<Vec<Room>>,
    /// Sockets that have been opened.
    pub(crate) opened: AtomicUsize,
}

/// The fake, alive until dropped.
pub(crate) struct Fake {
    pub(crate) urls: Vec<String>,
    pub(crate) state: Arc<State>,
    _listeners: JoinSet<()>,
}

impl Fake {
    pub(crate) async fn start(quirk: Quirk) -> Self {
        let state = Arc::new(State {
            quirk,
            epoch: Epoch::fresh(),
            rooms: Mutex::new(Vec::new()),
            opened: AtomicUsize::new(0),
        });
        let (mut urls, mut listeners) = (Vec::new(), JoinSet::new());
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            urls.push(format!("http://{}", listener.local_addr().unwrap()));
            listeners.spawn(accept(listener, Arc::clone(&state)));
        }
        Self { urls, state, _listeners: listeners }
    }

    pub(crate) fn web(&self) -> Web {
        Web::at(&self.urls[0]).unwrap()
    }

    pub(crate) fn opened(&self) -> usize {
        self.state.opened.load(Ordering::SeqCst)
    }
}

impl State {
    pub(crate) fn rooms(&self) -> MutexGuard<'_, Vec<Room>> {
        self.rooms.lock().unwrap()
    }
}

impl Room {
    /// Writes a message and delivers it, more or less.
    pub(crate) fn post(&mut self, quirk: Quirk, key: Key, body: String) -> i64 {
        if let Some(&seq) = self.keys.get(&key) {
            return seq;
        }
        let seq = self.log.len() as i64 + 1;
        let by = Person { id: UserId(1), name: "somebody".to_owned() };
        let mut entry =
            Entry { seq: Seq(seq), at: 0, by, key: Some(key), change: Change::Posted { body, reply_to: None } };
        self.log.push(entry.clone());
        self.keys.insert(key, seq);
        match quirk {
            Quirk::Lose(n) if n == seq => {}
            Quirk::Swap(n) if n == seq => self.withheld = Some(entry),
            Quirk::Double(n) if n == seq => self.deliver(&[entry.clone(), entry]),
            Quirk::Alter(n) if n == seq => {
                entry.change = Change::Posted { body: "something else".to_owned(), reply_to: None };
                self.deliver(&[entry]);
            }
            Quirk::Cut(n) if n == seq && !self.cut => {
                self.cut = true;
                self.followers.drain(..).for_each(|follower| drop(follower.try_send(Out::Close(4010))));
            }
            _ => {
                let entries: Vec<Entry> = std::iter::once(entry).chain(self.withheld.take()).collect();
                self.deliver(&entries);
            }
        }
        seq
    }

    fn deliver(&mut self, entries: &[Entry]) {
        let encoded: Vec<String> = entries.iter().map(codec::encode).collect();
        let frame = codec::entries_frame(self.info.id, encoded.iter().map(String::as_str));
        self.followers.retain(|follower| follower.try_send(Out::Say(frame.clone())).is_ok());
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // As every chat server must: Nagle's algorithm would hold small frames back for 40 ms.
        stream.set_nodelay(true).unwrap();
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| route(request, Arc::clone(&state)));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that hangs up is no failure of the fake.
            drop(connection.with_upgrades().await);
        });
    }
}

async fn route(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name| request.headers().get(&name).map(|value| value.to_str().unwrap().to_owned());
    let (origin, host) = (header(ORIGIN), header(hyper::header::HOST).unwrap());
    let (path, cookie) = (request.uri().path().to_owned(), header(COOKIE));
    let same_origin = origin == Some(format!("http://{host}"));
    let known = cookie.as_deref() == Some("sid=secret");
    let guarded = request.method() == Method::POST || path == "/live";
    Ok(match path.as_str() {
        _ if guarded && !same_origin => answer(StatusCode::FORBIDDEN, "wrong origin"),
        "/healthz" => answer(StatusCode::OK, "alive"),
        "/enter" => {
            let mut entered = answer(StatusCode::SEE_OTHER, "");
            entered.headers_mut().insert(SET_COOKIE, "sid=secret; Path=/; HttpOnly".parse().unwrap());
            entered
        }
        _ if !known => answer(StatusCode::UNAUTHORIZED, "no session"),
        "/rooms" => {
            let form = request.into_body().collect().await.unwrap().to_bytes();
            let name = std::str::from_utf8(&form).unwrap().strip_prefix("name=").unwrap().replace('+', " ");
            let mut made = answer(StatusCode::SEE_OTHER, "");
            let location = format!("/r/{}", state.make(&name));
            made.headers_mut().insert(LOCATION, location.parse().unwrap());
            made
        }
        "/rooms.json" => {
            let rooms: Vec<RoomInfo> = state.rooms().iter().map(|room| room.info.clone()).collect();
            answer(StatusCode::OK, &codec::encode(&rooms))
        }
        "/live" => socket::upgrade(request, state),
        page => answer(StatusCode::OK, &state.page(page.strip_prefix("/r/").unwrap())),
    })
}

impl State {
    fn make(&self, name: &str) -> String {
        let slug = name.replace(' ', "-");
        let mut rooms = self.rooms();
        if !rooms.iter().any(|room| room.info.slug == slug) {
            let id = RoomId(rooms.len() as i64 + 1);
            let info = RoomInfo { id, slug: slug.clone(), name: name.to_owned(), topic: String::new() };
            rooms.push(Room {
                info,
                log: Vec::new(),
                keys: HashMap::new(),
                followers: Vec::new(),
                withheld: None,
                cut: false,
            });
        }
        slug
    }

    fn page(&self, slug: &str) -> String {
        let rooms = self.rooms();
        let log = &rooms.iter().find(|room| room.info.slug == slug).unwrap().log;
        let shown = log.len() - usize::from(self.quirk == Quirk::ShortPage);
        codec::encode(&log[..shown].to_vec())
    }
}

pub(crate) fn answer(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    response
}
