//! The outbox where it outlives its page: in the storage that all tabs of a browser share, under a name of the page's
//! own. What a page leaves behind is taken over by another one of the same person, with its keys and in its order.
//!
//! A page is one load of a tab: a reload ends one and begins another, and a duplicated tab is a page like any.
//! Whether a page has ended, this module does not know: a lock tells, or a claim that nobody answers.

mod record;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use tertulia_protocol::Key;
use tertulia_protocol::frame::Send;

use self::record::{Found, Record, found};
use crate::outbox::Outbox;

/// How names begin. The number is the version of what lies there: a page neither reads nor removes what another
/// version may still need.
const NAMES: &str = "outbox.1/";
/// How the names of claims begin, followed by the same page. They lie apart, so that asking never overwrites an answer.
const CLAIMS: &str = "outbox.1?/";
/// How names of any version begin, claims among them.
const ANY_VERSION: &str = "outbox.";
/// Outboxes of other pages that are looked at at once: more tabs than anybody writes in; the others' turn comes when
/// these are gone.
const PAGES: usize = 64;
/// How long a page may take to answer a claim, in milliseconds. It is woken by the storage's event, which no browser
/// holds back in a hidden tab as it does timers: only a busy machine or a frozen page is slower.
const ANSWER_MS: u64 = 3_000;
/// How long what other pages wrote may take to be seen here, in milliseconds: browsers pass it between processes, in
/// a few, without saying when it has arrived.
pub const SETTLE_MS: u64 = 250;

/// What all tabs of one browser share: texts under names. The browser's `localStorage`, or a test's.
pub trait Shared {
    /// All names there are, in any order; none when it cannot be reached.
    fn names(&self) -> Vec<String>;

    /// The text under a name.
    ///
    /// # Errors
    /// When the storage cannot be reached, which says nothing about the name.
    fn read(&self, name: &str) -> Result<Option<String>, Closed>;

    /// Puts a text under a name; false when it was not kept, and the one before still is.
    fn write(&self, name: &str, text: &str) -> bool;

    /// Takes a name away.
    fn remove(&self, name: &str);
}

/// The storage cannot be reached: the reader forbids it, or it is full of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// The outbox of one page, and its copy that outlives the page. Where nothing can be kept, it works all the same.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    page: String,
    whose: String,
    outbox: Outbox,
    /// Something was kept, and is ours for as long as it lies there.
    lies: bool,
    /// What another page sends from now on, until somebody asks.
    given_up: Vec<Key>,
}

impl Kept {
    /// An outbox of nobody, to begin with.
    #[must_use]
    pub const fn new() -> Self {
        Self { page: String::new(), whose: String::new(), outbox: Outbox::new(), lies: false, given_up: Vec::new() }
    }

    /// Gives it to a person, on a page whose name no other page has, ever. `whose` is compared, not understood.
    pub fn begin(&mut self, page: String, whose: String) {
        (self.page, self.whose) = (page, whose);
    }

    /// Whose it is.
    #[must_use]
    pub fn whose(&self) -> &str {
        &self.whose
    }

    /// Where it lies; also the name of the lock that the page holds while it lives.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{NAMES}{}", self.page)
    }

    /// What is held, to look at.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Does something to the outbox: after finding out whether it is still this page's, and kept before anybody can
    /// act upon it. What has another owner is not there any more, see [`Kept::given_up`].
    pub fn change<T>(&mut self, shared: &impl Shared, change: impl FnOnce(&mut Outbox) -> T) -> T {
        self.check(shared);
        let changed = change(&mut self.outbox);
        self.keep(shared);
        changed
    }

    /// What to send now, see [`Outbox::take_ready`]; nothing when another page has it. What lies in the storage stays as
    /// it is: a send in flight is found there as one that waits.
    pub fn take_ready(&mut self, shared: &impl Shared, now_ms: f64) -> Vec<Send> {
        self.check(shared);
        self.outbox.take_ready(now_ms)
    }

    /// The connection is gone, see [`Outbox::disconnected`].
    pub fn disconnected(&mut self) {
        self.outbox.disconnected();
    }

    /// A sign of life, for whoever claims this outbox. Also for a page that comes back after it [left](Kept::leave) or
    /// stood still: it may find that the outbox was taken.
    pub fn answer(&mut self, shared: &impl Shared) {
        self.check(shared);
        shared.remove(&claim_on(&self.name()));
        if self.lies && shared.read(&self.name()) != Ok(Some(self.record(&self.outbox).text())) {
            self.keep(shared);
        }
    }

    /// The keys that were this page's and are another's, since the last time somebody asked.
    pub fn given_up(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.given_up)
    }

    /// The page goes, in order: another one need not wait for an answer.
    pub fn leave(&mut self, shared: &impl Shared) {
        // What was taken meanwhile must not lie there again.
        self.check(shared);
        if self.lies {
            shared.write(&self.name(), &self.record(&self.outbox).left().text());
        }
    }

    /// Where other pages' outboxes lie, living or not: at most 64 of them.
    #[must_use]
    pub fn others(&self, shared: &impl Shared) -> Vec<String> {
        let own = self.name();
        let mut names = shared.names();
        names.retain(|name| name.starts_with(NAMES) && *name != own);
        names.truncate(PAGES);
        names
    }

    /// Whether the page of an outbox has ended in order.
    #[must_use]
    pub fn has_left(&self, shared: &impl Shared, name: &str) -> bool {
        matches!(found(shared, name), Found::Record(record) if record.has_left())
    }

    /// Asks for an outbox where no lock tells whether its page lives: how long to wait for an answer, in milliseconds,
    /// before [`Kept::stands`]. `None` when nothing lies there.
    pub fn claim(&self, shared: &impl Shared, name: &str) -> Option<u64> {
        let wait_ms = match found(shared, name) {
            Found::Nothing => return None,
            Found::Record(record) if !record.has_left() => ANSWER_MS,
            Found::Illegible | Found::Record(_) => SETTLE_MS,
        };
        shared.write(&claim_on(name), &self.page).then_some(wait_ms)
    }

    /// Whether a claim of this page stands: neither the owner answered nor did another page claim after it.
    #[must_use]
    pub fn stands(&self, shared: &impl Shared, name: &str) -> bool {
        shared.read(&claim_on(name)).is_ok_and(|claimant| claimant.as_deref() == Some(self.page.as_str()))
    }

    /// Takes over what lies under a name whose page has ended; true when there is something new to send.
    ///
    /// What another person wrote is removed: nobody will ever send it. What does not fit beside what is held stays
    /// where it is, and so does everything when this browser keeps nothing more.
    pub fn take(&mut self, shared: &impl Shared, name: &str) -> bool {
        self.check(shared);
        let left = match found(shared, name) {
            Found::Record(record) if record.is_of(&self.whose) => record.into_outbox(),
            Found::Nothing | Found::Illegible | Found::Record(_) => {
                clear(shared, name);
                return false;
            }
        };
        if !self.outbox.has_room_for(&left) {
            return false;
        }
        let mut both = self.outbox.clone();
        both.merge(left);
        // Kept here before it goes there: a page that ends in between leaves it twice, with the same keys.
        if !shared.write(&self.name(), &self.record(&both).text()) {
            return false;
        }
        (self.outbox, self.lies) = (both, true);
        clear(shared, name);
        true
    }

    /// How many sends of the same person wait in other pages' outboxes.
    #[must_use]
    pub fn waiting_elsewhere(&self, shared: &impl Shared) -> usize {
        let waiting = |name: &String| match found(shared, name) {
            Found::Record(record) if record.is_of(&self.whose) => record.into_outbox().waiting(),
            Found::Nothing | Found::Illegible | Found::Record(_) => 0,
        };
        self.others(shared).iter().map(waiting).sum()
    }

    /// Finds out whether another page has taken what lies here, while this one stood still or was thought to.
    fn check(&mut self, shared: &impl Shared) {
        if self.lies && shared.read(&self.name()) == Ok(None) {
            self.given_up.extend(self.outbox.held().map(|(send, _)| send.key));
            (self.outbox, self.lies) = (Outbox::new(), false);
        }
    }

    fn keep(&mut self, shared: &impl Shared) {
        let name = self.name();
        if self.outbox.is_empty() {
            // Even when the last text was not kept: the one before it must not be found by others.
            clear(shared, &name);
            self.lies = false;
        } else {
            self.lies = shared.write(&name, &self.record(&self.outbox).text());
        }
    }

    fn record(&self, outbox: &Outbox) -> Record {
        Record::new(self.whose.clone(), outbox.clone())
    }
}

/// Where a claim on an outbox lies.
fn claim_on(name: &str) -> String {
    format!("{CLAIMS}{}", name.strip_prefix(NAMES).unwrap_or(name))
}

/// Takes an outbox away, and whatever was claimed of it.
fn clear(shared: &impl Shared, name: &str) {
    shared.remove(name);
    shared.remove(&claim_on(name));
}

/// Whether a name is one of an outbox of any version, or of a claim on one.
fn is_outbox(name: &str) -> bool {
    name.starts_with(ANY_VERSION)
}

/// Forgets every outbox of this browser, whatever its version: nobody is here any more who could send it.
pub fn forget_all(shared: &impl Shared) {
    for name in shared.names().iter().filter(|name| is_outbox(name)) {
        shared.remove(name);
    }
}
