//! Who stands at a plain door, and what they may do there. While no public URL is configured everybody may; once one
//! is, it takes a session or the token of a program.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use governor::clock::DefaultClock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tertulia_chat::store::TokenHash;
use tertulia_chat::{Member, Stay, Token};
use tertulia_protocol::names::{RoomName, slug_from_url};
use tertulia_protocol::{Code, Person, Refusal};

use super::budgets::too_often;
use super::client::Client;
use super::config::{Scope, TokenGrant};
use super::error::HttpRefusal;
use super::session::{Viewer, is_from_elsewhere, is_from_our_pages, is_meant, viewer_of};
use super::state::App;

/// As whom somebody speaks who has neither session nor token and gives no name.
const SOMEBODY: &str = "Guest";

/// The tokens of the settings, by the hash of the secret.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<[u8; 32], Arc<Program>>);

/// A program with a token.
#[derive(Debug)]
pub(crate) struct Program {
    grant: TokenGrant,
    /// Its own budget, where the settings give it one.
    budget: Option<DefaultDirectRateLimiter>,
}

impl Tokens {
    /// The tokens as configured; none has a budget of its own when `limited` is false (benchmarks).
    #[must_use]
    pub fn new(grants: &[TokenGrant], limited: bool) -> Self {
        let program = |grant: &TokenGrant| {
            let budget = grant.rate.filter(|_| limited).map(|rate| RateLimiter::direct(Quota::per_second(rate)));
            (grant.hash.0, Arc::new(Program { grant: grant.clone(), budget }))
        };
        Self(grants.iter().map(program).collect())
    }

    /// The program behind an `Authorization` header, if one is known.
    fn bearer_of(&self, headers: &HeaderMap) -> Option<Arc<Program>> {
        let (scheme, secret) = authorization(headers)?;
        scheme.eq_ignore_ascii_case("bearer").then(|| self.find(secret)).flatten()
    }

    // A look into a table by a hash: what time it takes tells nothing about a secret of 256 bits.
    fn find(&self, secret: &str) -> Option<Arc<Program>> {
        self.0.get(&Token::hash_of(secret)?.0).cloned()
    }
}

/// What somebody wants of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// To look at a room that there is.
    Look,
    /// To listen, also to a room that is made by that.
    Read,
    /// To say something, in the same way.
    Write,
}

/// Somebody at a plain door.
pub(crate) enum Caller {
    /// With a session's cookie.
    Person(Viewer),
    /// With a token.
    Program(Arc<Program>),
    /// With neither, where access is open.
    Anybody,
}

impl FromRequestParts<App> for Caller {
    type Rejection = HttpRefusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, HttpRefusal> {
        if parts.headers.contains_key(AUTHORIZATION) {
            // Whoever shows a token means it: one that is wrong is never passed over for a cookie.
            let unknown = || Refusal::new(Code::Unauthorized, "This token is not known here.").field("authorization");
            return Ok(Self::Program(app.tokens.bearer_of(&parts.headers).ok_or_else(unknown)?));
        }
        match viewer_of(app, &parts.headers).await? {
            Some(viewer) => Ok(Self::Person(viewer)),
            None if app.origin.is_open() => Ok(Self::Anybody),
            None => {
                let sentence = "This takes a token (Authorization: Bearer), or the cookie of a session that lives.";
                Err(Refusal::new(Code::Unauthorized, sentence).field("authorization").into())
            }
        }
    }
}

/// The scheme and the rest of an `Authorization` header; the scheme may be in any case (RFC 9110, section 11.1).
fn authorization(headers: &HeaderMap) -> Option<(&str, &str)> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some((scheme, rest.trim()))
}

/// Whether somebody may look at the whole house: everybody while access is open, later who has a token for all rooms.
/// A browser has no place to type a token, so here, where nothing can be changed, it is also taken as the password
/// of the `Basic` scheme, under any name.
///
/// # Errors
/// `unauthorized`, `forbidden` for a token of some rooms.
pub(crate) fn may_oversee(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    if app.origin.is_open() {
        return Ok(());
    }
    let program = app.tokens.bearer_of(headers).or_else(|| app.tokens.find(&password(headers)?));
    match program {
        Some(program) if program.grant.scope == Scope::Every => Ok(()),
        Some(_) => Err(Refusal::new(Code::Forbidden, "This takes a token for all rooms (`*`).").field("authorization")),
        None => Err(Refusal::new(Code::Unauthorized, "This takes a token of the settings.").field("authorization")),
    }
}

/// The password of `Authorization: Basic …` (RFC 7617).
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = authorization(headers)?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest).ok()).flatten()?;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

impl Caller {
    /// The session they came with, whose end must end what they began.
    pub(crate) const fn session(&self) -> Option<TokenHash> {
        match self {
            Self::Person(viewer) => Some(viewer.token),
            Self::Program(_) | Self::Anybody => None,
        }
    }

    /// Lets them look on by right of their session, until that ends; `None` for who needs none.
    pub(crate) fn stay(&self, app: &App) -> Option<Stay> {
        match self {
            // While access is open whoever has left may look on all the same.
            Self::Person(viewer) if !app.origin.is_open() => {
                Some(Stay::begin(app.chat.clone(), viewer.person.id, viewer.token))
            }
            Self::Person(_) | Self::Program(_) | Self::Anybody => None,
        }
    }

    /// Whether a socket may be opened for the page that asks for it. A browser sends cookies with any page's socket, and
    /// reaches servers of its own network that no stranger reaches: a page that is not ours gets in with a token only.
    pub(crate) fn may_open_socket(&self, app: &App, headers: &HeaderMap) -> bool {
        match self {
            Self::Person(_) => is_from_our_pages(&app.origin, headers),
            Self::Anybody | Self::Program(_) => self.may_open_stream(app, headers),
        }
    }

    /// The same for a stream, which a browser lets no page elsewhere read.
    pub(crate) fn may_open_stream(&self, app: &App, headers: &HeaderMap) -> bool {
        matches!(self, Self::Program(_)) || !is_from_elsewhere(&app.origin, headers)
    }

    /// Whether their asking may leave something behind; see [`is_meant`]. No page elsewhere makes a browser show a token.
    pub(crate) fn may_leave_traces(&self, app: &App, headers: &HeaderMap) -> bool {
        matches!(self, Self::Program(_)) || is_meant(&app.origin, headers)
    }

    /// Whether others may be told that they are there: somebody without any name is not.
    pub(crate) const fn is_named(&self, name: Option<&str>) -> bool {
        name.is_some() || !matches!(self, Self::Anybody)
    }

    /// Whose keys (`Idempotency-Key`) theirs are: a program's are its own, also when it speaks for others.
    pub(crate) fn keyring(&self) -> &str {
        match self {
            Self::Program(program) => &program.grant.name,
            Self::Person(_) | Self::Anybody => "",
        }
    }

    /// Pays for a message: out of a program's own budget where it has one, else out of its address's.
    ///
    /// # Errors
    /// `rate_limited`, when that is used up.
    pub(crate) fn pay(&self, app: &App, client: Client) -> Result<(), Refusal> {
        let own = match self {
            Self::Program(program) => program.budget.as_ref(),
            Self::Person(_) | Self::Anybody => None,
        };
        let Some(own) = own else { return app.doors.publish(client.0) };
        own.check().map_err(|until| too_often(&until, &DefaultClock::default(), "This token published too much"))
    }

    /// As whom they act. A session has its name; a program that may publish, and anybody without either, may choose one.
    ///
    /// # Errors
    /// What is wrong with the name, `storage_unavailable`, `busy`; `rate_limited` for too many new names of an address.
    async fn person(&self, app: &App, name: Option<&str>, client: Client) -> Result<Person, Refusal> {
        match self {
            Self::Person(viewer) => Ok(viewer.person.clone()),
            Self::Program(program) => match name {
                // A program speaks for many: whoever may publish may say for whom.
                Some(name) if program.grant.publish => app.chat.author(name).await,
                _ => app.chat.author(&program.grant.name).await,
            },
            // A new name is a row for ever, like a guest who enters: so it costs what that costs.
            Self::Anybody => app.chat.author_if(name.unwrap_or(SOMEBODY), || app.doors.enter(client.0)).await,
        }
    }

    /// The way into a room by its name in a URL. While access is open the room is made if there is none, except for a look.
    ///
    /// # Errors
    /// `not_found`, `forbidden` for a token without that room or right, what [`Caller::person`] says, `rate_limited`
    /// when too many rooms were made.
    pub(crate) async fn member(
        &self,
        app: &App,
        room: &str,
        deed: Deed,
        name: Option<&str>,
        client: Client,
    ) -> Result<Member, Refusal> {
        let slug = slug_from_url(room).ok_or_else(no_such_name)?;
        self.may(&slug, deed)?;
        let person = self.person(app, name, client).await?;
        match app.chat.member_by_slug(&person, &slug).await {
            Err(refusal) if refusal.code == Code::NotFound && app.origin.is_open() && deed != Deed::Look => {
                // What makes no room name names none: it is told as such, not as a bad field.
                RoomName::parse(room).map_err(|_| no_such_name())?;
                app.doors.open_room(client.0)?;
                app.chat.create_room(&person, room).await?;
                app.chat.member_by_slug(&person, &slug).await
            }
            found => found,
        }
    }

    /// Whether they may do that in the room with this slug.
    ///
    /// # Errors
    /// `forbidden`, the same whether the room exists or not.
    pub(crate) fn may(&self, slug: &str, deed: Deed) -> Result<(), Refusal> {
        let Self::Program(program) = self else { return Ok(()) };
        let grant = &program.grant;
        let within = match &grant.scope {
            Scope::Every => true,
            Scope::Rooms(rooms) => rooms.iter().any(|room| room == slug),
        };
        // The same whether the room exists or not: a token tells nothing about rooms that are not its own.
        if !within {
            return Err(Refusal::new(Code::Forbidden, "This token does not open this room.").field("room"));
        }
        if deed == Deed::Write && !grant.publish {
            return Err(Refusal::new(Code::Forbidden, "This token may read and not publish.").field("authorization"));
        }
        Ok(())
    }
}

fn no_such_name() -> Refusal {
    let sentence = "No room can have this name: 1 to 64 letters, digits, - or _ of any script, and not only signs.";
    Refusal::new(Code::NotFound, sentence).field("room")
}
