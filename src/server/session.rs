//! The session cookie, and who a request comes from.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{COOKIE, HOST, HeaderName, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::Cookie;
use tertulia_chat::Token;
use tertulia_chat::store::TokenHash;
use tertulia_protocol::{Code, Person, Refusal};

use super::error::{HttpRefusal, status_of};
use super::state::{App, Origin};

/// The cookie under TLS: the prefix makes browsers refuse it without `Secure`, with a `Domain`, or from a subdomain.
const SECURE_NAME: &str = "__Host-sid";
/// The cookie over plain http, where browsers would not keep the other. `start` warns about it.
const PLAIN_NAME: &str = "sid";
/// Where somebody goes who is let in and wanted nothing else.
pub(crate) const LOBBY: &str = "/r/chat";
/// Longest `Cookie` header that is looked at, in bytes: browsers keep at most 4 KiB per cookie.
const COOKIE_BYTES: usize = 8 * 1024;

/// Somebody with a session that lives, and its token's hash.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) person: Person,
    pub(crate) token: TokenHash,
}

impl FromRequestParts<App> for Viewer {
    type Rejection = HttpRefusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, HttpRefusal> {
        if let Some(viewer) = parts.extensions.get::<Self>() {
            return Ok(viewer.clone());
        }
        Ok(viewer_of(app, &parts.headers).await?.ok_or_else(nobody)?)
    }
}

/// What whoever has no session is told.
pub(crate) fn nobody() -> Refusal {
    Refusal::new(Code::Unauthorized, "Enter first: there is no session that lives.")
}

/// Who a request comes from, by its cookie; `None` without a session that lives.
///
/// # Errors
/// `malformed` for a cookie header that is too large or names the session twice; `storage_unavailable`.
pub(crate) async fn viewer_of(app: &App, headers: &HeaderMap) -> Result<Option<Viewer>, Refusal> {
    let Some(cookie) = session_cookie(headers, app.origin.is_secure())? else { return Ok(None) };
    let Some(token) = Token::hash_of(&cookie) else { return Ok(None) };
    Ok(app.chat.viewer(token).await?.map(|person| Viewer { person, token }))
}

fn session_cookie(headers: &HeaderMap, secure: bool) -> Result<Option<String>, Refusal> {
    let name = if secure { SECURE_NAME } else { PLAIN_NAME };
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        let Ok(text) = header.to_str() else { continue };
        if text.len() > COOKIE_BYTES {
            return Err(Refusal::new(Code::Malformed, "The Cookie header is larger than 8 KiB."));
        }
        for cookie in Cookie::split_parse(text).flatten().filter(|cookie| cookie.name() == name) {
            // Two of one name: whoever planted the second hopes that we pick it.
            if found.replace(cookie.value().to_owned()).is_some() {
                return Err(Refusal::new(Code::Malformed, "The session cookie is there twice."));
            }
        }
    }
    Ok(found)
}

/// The `Set-Cookie` that carries a new session for `max_age_ms`.
pub(crate) fn cookie_for(token: &Token, origin: &Origin, max_age_ms: i64) -> [(HeaderName, String); 1] {
    set_cookie(token.reveal(), origin, max_age_ms / 1_000)
}

/// The `Set-Cookie` that takes a session away.
pub(crate) fn cookie_gone(origin: &Origin) -> [(HeaderName, String); 1] {
    set_cookie("", origin, 0)
}

/// `Lax`, so that a link from elsewhere opens the page signed in; every unsafe method is guarded by itself.
fn set_cookie(value: &str, origin: &Origin, max_age_s: i64) -> [(HeaderName, String); 1] {
    let (name, secure) = if origin.is_secure() { (SECURE_NAME, "; Secure") } else { (PLAIN_NAME, "") };
    [(SET_COOKIE, format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}"))]
}

/// Whether a request with a cookie was written by one of our own pages; see [`Origin::is_ours`].
pub(crate) fn is_from_our_pages(origin: &Origin, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    origin.is_ours(text(ORIGIN), text(HOST))
}

/// Whether a request that changes nothing, and whose answer only a page of ours can read, comes from one of them as far
/// as the browser says: by `Origin`, which it leaves out where a page asks its own server, or by `Sec-Fetch-Site`.
pub(crate) fn may_come_from(origin: &Origin, headers: &HeaderMap) -> bool {
    if headers.contains_key(ORIGIN) {
        return is_from_our_pages(origin, headers);
    }
    let site = headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes);
    site.is_none_or(|site| matches!(site, b"same-origin" | b"none"))
}

/// What a page that is not ours is told when it opens a socket.
pub(crate) fn not_our_page() -> Refusal {
    Refusal::new(Code::Forbidden, "The Origin of this request is not this server.").field("origin")
}

/// Sends people to the right door: who has no session to the entrance, who has one past it. Whoever goes
/// on carries its [`Viewer`], so the session is read once per request.
pub(crate) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (entrance, room) = (path == "/", path.starts_with("/r/"));
    if !matches!(*request.method(), Method::GET | Method::HEAD) || !(entrance || room) {
        return next.run(request).await;
    }
    match viewer_of(&app, request.headers()).await {
        Ok(Some(_)) if entrance => Redirect::to(LOBBY).into_response(),
        Ok(None) if room => {
            let next = request.uri().path_and_query().map_or(LOBBY, |target| target.as_str());
            Redirect::to(&format!("/?next={}", super::forms::percent_encoded(next))).into_response()
        }
        Ok(Some(viewer)) => {
            request.extensions_mut().insert(viewer);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(refusal) => plain_page(status_of(refusal.code), &refusal.message),
    }
}

/// A page for when there is nothing to render from. Text only: it must work when nothing else does.
pub(crate) fn plain_page(status: StatusCode, sentence: &str) -> Response {
    (status, format!("{sentence}\nGo back and try again; what you wrote is still there.\n")).into_response()
}
