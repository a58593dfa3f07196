//! The way in over plain HTTP: entering, making rooms, reading a page.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, LOCATION, ORIGIN, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tertulia_protocol::RoomInfo;

use crate::events::Events;
use crate::trouble::{Because, Outcome, Trouble, trouble};

/// How long one request may take: far above every goal, so that a timeout means "stuck".
const PATIENCE: Duration = Duration::from_secs(30);

/// How to make a server forget its rate limits, said wherever one of them is met.
pub const LIMITS_HINT: &str = "the server limits rates: start it with TERTULIA_RATE_LIMITS=off for a bench";

/// One server, as HTTP sees it. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Web {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Web {
    /// The server at `http://host:port`.
    ///
    /// # Errors
    /// For an address of another form.
    pub fn at(url: &str) -> Outcome<Self> {
        let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let authority = authority.filter(|rest| rest.contains(':') && !rest.contains('/'));
        let Some(authority) = authority else {
            return trouble(format!("{url:?} is not of the form http://host:port"));
        };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, authority: authority.to_owned() })
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Gets a page.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Outcome<Answer> {
        self.ask(Method::GET, path, headers, Bytes::new()).await
    }

    /// Opens a stream of server-sent events.
    ///
    /// # Errors
    /// When no answer comes, or another than 200.
    pub async fn events(&self, path: &str, headers: &[(HeaderName, &str)]) -> Outcome<Events> {
        let what = format!("GET http://{}{path}", self.authority);
        let request = self.request(Method::GET, path, headers, Bytes::new())?;
        let asked = tokio::time::timeout(PATIENCE, self.client.request(request));
        let response = asked.await.because(&what)?.because(&what)?;
        if response.status() != StatusCode::OK {
            return trouble(format!("{what}: {}", response.status()));
        }
        Ok(Events::of(response.into_body()))
    }

    /// Posts a body of this type, as a program without a page does.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, path: &str, headers: &[(HeaderName, &str)], body: String) -> Outcome<Answer> {
        self.ask(Method::POST, path, headers, body.into()).await
    }

    async fn post(&self, path: &str, cookie: &str, name: &str) -> Outcome<Answer> {
        let origin = format!("http://{}", self.authority);
        let form = "application/x-www-form-urlencoded";
        let headers = [(ORIGIN, origin.as_str()), (COOKIE, cookie), (CONTENT_TYPE, form)];
        self.ask(Method::POST, path, &headers, form_of(name).into()).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(HeaderName, &str)], body: Bytes) -> Outcome<Answer> {
        let what = format!("{method} http://{}{path}", self.authority);
        let request = self.request(method, path, headers, body)?;
        let exchange = async {
            let response = self.client.request(request).await.because(&what)?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.because(&what)?.to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(PATIENCE, exchange).await.because(&what)?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Bytes,
    ) -> Outcome<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.authority));
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, *value);
        }
        request.body(Full::new(body)).because(path)
    }

    /// Enters under a name.
    ///
    /// # Errors
    /// When the server refuses or gives no session.
    pub async fn enter(&self, name: &str) -> Outcome<Visitor> {
        let answer = self.post("/enter", "", name).await?;
        expect(&answer, StatusCode::SEE_OTHER, "POST /enter")?;
        let cookies: Vec<&str> = answer
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .collect();
        if !cookies.iter().any(|cookie| cookie.starts_with("sid=") || cookie.starts_with("__Host-sid=")) {
            return trouble("POST /enter set no cookie `sid` or `__Host-sid`");
        }
        Ok(Visitor { web: self.clone(), cookie: cookies.join("; ") })
    }
}

/// Somebody with a session.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The server that gave the session.
    pub web: Web,
    /// The session, as a `Cookie` header.
    pub cookie: String,
}

impl Visitor {
    /// The same session at another instance.
    pub fn at(&self, web: &Web) -> Self {
        Self { web: web.clone(), cookie: self.cookie.clone() }
    }

    /// Makes a room, or opens the one there is.
    ///
    /// # Errors
    /// When the server refuses, or does not list the room.
    pub async fn room(&self, name: &str) -> Outcome<RoomInfo> {
        let answer = self.web.post("/rooms", &self.cookie, name).await?;
        expect(&answer, StatusCode::SEE_OTHER, "POST /rooms")?;
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some((_, slug)) = location.rsplit_once("/r/") else {
            return trouble(format!("POST /rooms leads to {location:?}, not to /r/{{slug}}"));
        };
        let slug = slug.split(['?', '#']).next().unwrap_or(slug);
        let rooms = self.rooms().await?;
        let room = rooms.into_iter().find(|room| room.slug == slug);
        room.ok_or_else(|| Trouble(format!("GET /rooms.json does not list {slug:?}")))
    }

    /// Signs out, everywhere.
    ///
    /// # Errors
    /// When the server refuses, or cannot do it now.
    pub async fn leave(&self) -> Outcome<()> {
        let answer = self.web.post("/leave", &self.cookie, "").await?;
        expect(&answer, StatusCode::SEE_OTHER, "POST /leave")
    }

    /// The rooms there are.
    ///
    /// # Errors
    /// When the server refuses or answers something else.
    pub async fn rooms(&self) -> Outcome<Vec<RoomInfo>> {
        let answer = self.web.get("/rooms.json", &[(COOKIE, &self.cookie)]).await?;
        expect(&answer, StatusCode::OK, "GET /rooms.json")?;
        serde_json::from_slice(&answer.body).because("GET /rooms.json")
    }

    /// The page of a room; `compressed` asks as browsers do.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn page(&self, slug: &str, compressed: bool) -> Outcome<Bytes> {
        let encodings = if compressed { "gzip, deflate, br" } else { "" };
        let headers = [(COOKIE, self.cookie.as_str()), (ACCEPT_ENCODING, encodings)];
        let answer = self.web.get(&format!("/r/{slug}"), &headers).await?;
        expect(&answer, StatusCode::OK, "GET /r/{slug}")?;
        Ok(answer.body)
    }
}

fn expect(answer: &Answer, status: StatusCode, what: &str) -> Outcome<()> {
    if answer.status == status {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
    let limited = answer.status == StatusCode::TOO_MANY_REQUESTS || said.contains("rate_limited");
    let hint = if limited { format!(" ({LIMITS_HINT})") } else { String::new() };
    trouble(format!("{what} answered {} instead of {status}{hint}: {said}", answer.status))
}

/// `name=…` as a form says it.
fn form_of(name: &str) -> String {
    format!("name={}", encoded(name))
}

/// A value as it stands in a form, and behind a question mark.
pub(crate) fn encoded(value: &str) -> String {
    let mut form = String::with_capacity(value.len() * 2);
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => form.push(char::from(byte)),
            b' ' => form.push('+'),
            _ => form.push_str(&format!("%{byte:02X}")),
        }
    }
    form
}
