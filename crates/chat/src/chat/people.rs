//! People and their sessions.

use tertulia_protocol::names::PersonName;
use tertulia_protocol::{Code, Person, Refusal, UserId};

use super::Chat;
use crate::bus::Topic;
use crate::news::News;
use crate::refuse::refusal;
use crate::store::TokenHash;
use crate::token::Token;

impl Chat {
    /// Lets a guest in under a name, with a new session.
    ///
    /// Two guests may have the same name: nobody can claim one before there are accounts, and whoever lost
    /// a cookie must be able to come back. Their ids, and so the colours of their avatars, differ.
    ///
    /// # Errors
    /// What is wrong with the name, `storage_unavailable`, `busy`, `uncertain`.
    pub async fn enter(&self, name: &str) -> Result<(Person, Token), Refusal> {
        let name = PersonName::parse(name)?;
        let token = Token::mint().map_err(|error| {
            tracing::error!(%error, "the system has no randomness for a session token");
            Refusal::new(Code::Internal, "The server could not make a session.").retry_after(1_000)
        })?;
        let hash = Token::hash_of(token.reveal())
            .ok_or_else(|| Refusal::new(Code::Internal, "The server could not make a session."))?;
        let now = self.clock.now_ms();
        let expires_at = now.saturating_add(self.options.session_ms);
        let person =
            self.store.create_guest(name.as_str(), hash, now, expires_at).await.map_err(|error| refusal(&error))?;
        tracing::info!(user = person.id.0, "a guest entered");
        Ok((person, token))
    }

    /// Whose session this is; `None` when it does not live.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn viewer(&self, token: TokenHash) -> Result<Option<Person>, Refusal> {
        self.store.session(token, self.clock.now_ms()).await.map_err(|error| refusal(&error))
    }

    /// Whether a session has ended. A store that cannot be read ends nobody's stay.
    pub async fn has_ended(&self, session: TokenHash) -> bool {
        matches!(self.viewer(session).await, Ok(None))
    }

    /// Takes one frame of a request from its author's budget: with sockets each has its own, with requests there is
    /// nothing else that lasts.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn take_request(&self, who: UserId) -> Result<(), Refusal> {
        self.requests.take(who)
    }

    /// Whether a request of theirs may say now that they are writing.
    pub(crate) fn may_show_typing(&self, who: UserId) -> bool {
        self.signs.take(who).is_ok()
    }

    /// Ends a session and closes its sockets on every instance.
    ///
    /// # Errors
    /// `storage_unavailable`, `busy`: the session then still lives. `uncertain`: nobody knows.
    pub async fn leave(&self, token: TokenHash) -> Result<(), Refusal> {
        self.store.end_session(token).await.map_err(|error| refusal(&error))?;
        self.end_connections(token);
        self.fanout.publish(Topic::Everyone, News::SessionEnded { token: token.to_hex() });
        Ok(())
    }

    /// The other half of [`Chat::leave`], on the other instances.
    pub(super) fn hear_session_ended(&self, token: &str) {
        if let Some(hash) = TokenHash::from_hex(token) {
            self.end_connections(hash);
        }
    }
}
