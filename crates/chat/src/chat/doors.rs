//! What the plain doors (publish, the Redis bridge) need: authors who have a name and no session.

use std::collections::HashMap;
use std::sync::Arc;

use tertulia_protocol::names::PersonName;
use tertulia_protocol::{Body, Change, Key, Person, Refusal};

use super::Chat;
use super::messages::draft;
use crate::member::Member;
use crate::refuse::refusal;
use crate::store::Appended;

/// A message that a door brings, checked.
#[derive(Clone, Debug)]
pub struct Post {
    /// Who says it, and where.
    pub member: Member,
    /// The name of the action; kept through every retry.
    pub key: Key,
    /// What is said.
    pub body: Body,
}

/// Authors kept in memory, 1,024: more than speak through the doors in an hour. Full, it begins anew.
pub(super) const AUTHORS: usize = 1_024;

/// Authors by their names, as parsed.
pub(super) type Authors = HashMap<String, Person>;

impl Chat {
    /// Who speaks through a plain door under this name: the same person every time, on every instance, and
    /// nobody who ever entered by the page.
    ///
    /// # Errors
    /// What is wrong with the name, `storage_unavailable`, `busy`, `uncertain`.
    pub async fn author(&self, name: &str) -> Result<Person, Refusal> {
        self.author_if(name, || Ok(())).await
    }

    /// The same for strangers: a name that is not in memory is written down, perhaps for ever, so `permit` is asked first.
    ///
    /// # Errors
    /// As [`Chat::author`], and what `permit` says.
    pub async fn author_if(&self, name: &str, permit: impl FnOnce() -> Result<(), Refusal>) -> Result<Person, Refusal> {
        let name = PersonName::parse(name)?;
        if let Some(person) = self.lock_authors().get(name.as_str()) {
            return Ok(person.clone());
        }
        permit()?;
        let now = self.clock.now_ms();
        let person = self.store.author(name.as_str(), now).await.map_err(|error| refusal(&error))?;
        let mut authors = self.lock_authors();
        if authors.len() >= AUTHORS {
            authors.clear();
        }
        authors.insert(person.name.clone(), person.clone());
        Ok(person)
    }

    /// Posts a message for a door that has a budget of its own: as [`Chat::send`], without the budget of a person,
    /// which is meant for browsers.
    ///
    /// # Errors
    /// What is wrong with the text or the stock it asks for, `not_found`, `busy`, `storage_unavailable`: nothing was
    /// stored then. `uncertain`: nobody knows.
    pub async fn post(self: &Arc<Self>, member: &Member, key: Key, body: &str) -> Result<Appended, Refusal> {
        let body = self.worded(Body::parse(body)?)?;
        self.commit(draft(member, key, Change::Posted { body, reply_to: None }, self.clock.now_ms())).await
    }

    /// Posts several messages in their order, at most 256, in one commit; texts as they are, also those that would ask
    /// for a quote: at the other end of a bridge nobody hears why one is refused.
    ///
    /// # Errors
    /// `busy`, `storage_unavailable`, `uncertain`: none is known to be stored, and the same posts may be tried again.
    /// Each other refusal stands in the place of its message.
    pub async fn post_all(self: &Arc<Self>, posts: Vec<Post>) -> Result<Vec<Result<Appended, Refusal>>, Refusal> {
        let at = self.clock.now_ms();
        let drafted = |Post { member, key, body }| {
            draft(&member, key, Change::Posted { body: body.into_string(), reply_to: None }, at)
        };
        self.commit_all(posts.into_iter().map(drafted).collect()).await
    }
}
