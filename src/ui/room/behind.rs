//! What of a room's log is not here yet: how much, up to where, and what was asked for.

use leptos::prelude::*;
use tertulia_protocol::Seq;

use super::lines::set_if_new;
use crate::ui::kit::browser;

/// How long an answer to `pull` is waited for before the same is asked again, in milliseconds: the server
/// answers within one read of its database.
const PULL_AGAIN_MS: f64 = 2_000.0;

/// How far a room is behind what was said.
#[derive(Clone, Copy)]
pub struct Behind {
    /// Everything that had been said when we asked is here.
    pub caught_up: RwSignal<bool>,
    /// How many entries are known to be missing; 0 while that is not known, too.
    pub missing: RwSignal<u64>,
    /// The newest entry that is known to exist.
    target: StoredValue<Seq>,
    /// After which number the missing entries were asked for, and when, in milliseconds that have elapsed; nothing once
    /// all is here.
    pulled: StoredValue<Option<(Seq, f64)>>,
}

impl Behind {
    /// Nothing is missing up to here.
    pub(super) fn nothing(position: Seq) -> Self {
        Self {
            caught_up: RwSignal::new(true),
            missing: RwSignal::new(0),
            target: StoredValue::new(position),
            pulled: StoredValue::new(None),
        }
    }

    /// The connection is gone: what is said from now on is missing, and what was asked for will not come.
    pub(super) fn begin(self) {
        self.caught_up.set(false);
        set_if_new(self.missing, 0);
        self.pulled.set_value(None);
    }

    /// The newest entry is this one.
    pub(super) fn aim_at(self, target: Seq, position: Seq) {
        self.target.set_value(target);
        self.reached(position);
    }

    /// An entry of this number exists.
    pub(super) fn heard_of(self, newest: Seq, position: Seq) {
        self.target.update_value(|target| *target = (*target).max(newest));
        self.reached(position);
    }

    fn reached(self, position: Seq) {
        let missing = self.target.get_value().0.saturating_sub(position.0);
        set_if_new(self.missing, u64::try_from(missing).unwrap_or(0));
        set_if_new(self.caught_up, missing <= 0);
        if missing <= 0 {
            self.pulled.set_value(None);
        }
    }

    /// Whether something said is not here yet; untracked.
    pub(super) fn is_so(self) -> bool {
        self.caught_up.try_get_untracked() == Some(false)
    }

    /// Whether a hole is being closed page by page.
    pub(super) fn is_pulling(self) -> bool {
        self.is_so() && self.pulled.get_value().is_some()
    }

    /// Whether to ask for what follows `after`: every entry beyond a hole shows it again, one answer closes it.
    pub(super) fn may_pull(self, after: Seq) -> bool {
        let now = browser::elapsed_ms();
        let may = self.pulled.get_value().is_none_or(|(asked, at)| asked != after || now - at > PULL_AGAIN_MS);
        if may {
            self.pulled.set_value(Some((after, now)));
        }
        may
    }
}
