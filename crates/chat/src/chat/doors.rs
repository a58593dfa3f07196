//! What the plain doors (publish, the Redis bridge) need: authors who have a name and no session.

use std::collections::HashMap;
use std::sync::Arc;

use tertulia_protocol::names::PersonName;
use tertulia_protocol::{Body, Change, Key, Person, Refusal};

use super::Chat;
use crate::member::Member;
use crate::refuse::refusal;
use crate::store::{Appended, Draft};

/// Authors kept in memory, 1,024: more than speak through the doors in an hour. Full, it begins anew.
pub(super) const AUTHORS: usize = 1_024;

/// Authors by their names, as parsed.
pub(super) type Authors = HashMap<String, Person>;

impl Chat {
    /// Who speaks through a plain door under this name: the same person every time, on every instance, and
    /// nobody who ever entered by the page.
    ///
    /// # Errors
    /// What is wrong with the name, `storage_unavailable`, `busy`.
    pub async fn author(&self, name: &str) -> Result<Person, Refusal> {
        let name = PersonName::parse(name)?;
        if let Some(person) = self.lock_authors().get(name.as_str()) {
            return Ok(person.clone());
        }
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
    /// What is wrong with the text, `not_found`, `busy`, `storage_unavailable`. Nothing was stored then.
    pub async fn post(self: &Arc<Self>, member: &Member, key: Key, body: &str) -> Result<Appended, Refusal> {
        let change = Change::Posted { body: Body::parse(body)?.into_string(), reply_to: None };
        let at = self.clock.now_ms();
        self.commit(Draft { room: member.room_id(), by: member.person().clone(), key, change, at }).await
    }
}
