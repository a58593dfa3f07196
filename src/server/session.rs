//! The session cookie, and who a request comes from.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{COOKIE, HOST, HeaderName, ORIGIN, REFERER, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::Cookie;
use tertulia_chat::Token;
use tertulia_chat::store::TokenHash;
use tertulia_protocol::{Code, Person, Refusal};

use super::error::HttpRefusal;
use super::notice;
use super::state::{App, Origin};

/// The cookie under TLS: the prefix makes browsers refuse it without `Secure`, with a `Domain`, or from a subdomain.
const SECURE_NAME: &str = "__Host-sid";
/// The cookie over plain http, where browsers would not keep the other. `start` warns about it.
const PLAIN_NAME: &str = "sid";
/// Where somebody goes who is let in and wanted nothing else.
pub(crate) const LOBBY: &str = "/r/chat";
/// Where a browser says how the page that asks is related to us.
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// Where a browser says that nobody has asked yet: it looks ahead.
const SEC_PURPOSE: &str = "sec-purpose";
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
    Refusal::new(Code::Unauthorized, "Enter first: this takes the cookie of a session that lives.").field("cookie")
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
    origin.is_ours(text(headers, ORIGIN), text(headers, HOST))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a page that is not ours asks for something that needs no cookie. Its browser says so (to servers that it
/// trusts: https, and this machine), or names the page's origin; programs say neither. A page elsewhere could read no
/// answer, but it could hold streams open, and make rooms.
pub(crate) fn is_from_elsewhere(origin: &Origin, headers: &HeaderMap) -> bool {
    match headers.get(SEC_FETCH_SITE) {
        Some(site) => site != "same-origin" && site != "none",
        None => headers.contains_key(ORIGIN) && !is_from_our_pages(origin, headers),
    }
}

/// Whether a request that only asks may leave something behind: a room that is made by the first who listens, a name.
///
/// Any page can make a browser ask anything, by `<img>`, `<script>` or a prefetch. To a plain http address of the own
/// network it says neither `Sec-Fetch-Site` nor, for these, an `Origin`: then the `Referer` must be a page of ours, which
/// a page elsewhere can leave out and not forge. Programs do not call themselves `Mozilla`, as every browser does.
pub(crate) fn is_meant(origin: &Origin, headers: &HeaderMap) -> bool {
    if headers.contains_key(SEC_PURPOSE) {
        return false;
    }
    if headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(ORIGIN) {
        return !is_from_elsewhere(origin, headers);
    }
    let browser = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
    !browser || origin.is_ours(text(headers, REFERER).and_then(origin_of), text(headers, HOST))
}

/// The origin in a URL, as browsers write both.
fn origin_of(url: &str) -> Option<&str> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find('/').map_or(url.len(), |end| authority + end);
    Some(&url[..end])
}

/// What a page that is not ours is told when it opens a socket or a stream.
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
            Redirect::to(&super::forms::entrance(next)).into_response()
        }
        Ok(Some(viewer)) => {
            request.extensions_mut().insert(viewer);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(refusal) => notice::refused(&refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIREFOX: (&str, &str) =
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0");

    /// Whether a request to `192.0.2.7:3000` with these headers is meant.
    fn meant(given: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "192.0.2.7:3000".parse().expect("a host"));
        for (name, value) in given {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            headers.insert(name, value.parse().expect("a header's value"));
        }
        is_meant(&Origin::default(), &headers)
    }

    #[test]
    fn programs_mean_what_they_ask_and_so_do_our_own_pages() {
        assert!(meant(&[]) && meant(&[("user-agent", "curl/8.14.1"), ("accept", "*/*")]));
        assert!(meant(&[FIREFOX, ("sec-fetch-site", "same-origin")]));
        assert!(meant(&[FIREFOX, ("sec-fetch-site", "none")]), "typed into the address bar");
        assert!(meant(&[FIREFOX, ("origin", "http://192.0.2.7:3000")]));
        assert!(meant(&[FIREFOX, ("referer", "http://192.0.2.7:3000/r/chat?before=7")]));
        assert!(meant(&[FIREFOX, ("referer", "http://192.0.2.7:3000")]));
    }

    #[test]
    fn a_browser_that_does_not_say_whose_page_asks_means_nothing() {
        assert!(!meant(&[FIREFOX]), "an image over plain http, with or without a policy for referrers");
        for elsewhere in
            ["http://evil.example/", "http://192.0.2.7:3000.evil.example/", "http://192.0.2.7/", "about:blank"]
        {
            assert!(!meant(&[FIREFOX, ("referer", elsewhere)]), "{elsewhere}");
        }
        for site in ["cross-site", "same-site", "anything"] {
            assert!(!meant(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(!meant(&[("origin", "null")]) && !meant(&[("origin", "http://evil.example")]));
        assert!(!meant(&[FIREFOX, ("sec-fetch-site", "none"), ("sec-purpose", "prefetch;prerender")]), "looked ahead");
    }
}
