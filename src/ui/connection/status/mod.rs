//! The state of the connection in words.

#[cfg(test)]
mod tests;

use leptos::prelude::*;
use tertulia_protocol::{BusState, Close};

use super::Connection;
use crate::ui::kit::{flag, text};

/// So many entries are more than a few: it is said how many are coming.
const MANY: u64 = 20;

/// How it stands between this tab and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The page has not come alive: what the server writes.
    Still,
    /// The first connection is being made.
    Opening,
    /// Frames travel.
    Live,
    /// The connection is gone; another is tried by itself.
    Lost,
    /// The server said not to come back, with this close code.
    Over(u16),
}

/// What the status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing yet.
    Still,
    /// Everything said is here, and what comes arrives at once.
    Live,
    /// The same, but other instances are heard up to a second late.
    Degraded,
    /// Something said is not here yet: so many entries, as far as is known.
    CatchingUp(u64),
    /// Frames travel, but the server can store nothing now; this many messages wait.
    Stuck(usize),
    /// No connection; this many messages wait.
    Offline(usize),
    /// No connection, and none will come by itself.
    Over(u16),
}

impl Status {
    /// What follows from the facts; `missing` counts what is not here, if something is, and `stuck` those of the `queued`
    /// that the server could not store.
    #[must_use]
    pub const fn of(phase: Phase, missing: Option<u64>, queued: usize, stuck: bool, bus: BusState) -> Self {
        match (phase, missing, bus) {
            (Phase::Still, ..) => Self::Still,
            (Phase::Opening, ..) => Self::CatchingUp(0),
            (Phase::Lost, ..) => Self::Offline(queued),
            (Phase::Over(code), ..) => Self::Over(code),
            (Phase::Live, Some(missing), _) => Self::CatchingUp(missing),
            (Phase::Live, None, _) if stuck && queued > 0 => Self::Stuck(queued),
            (Phase::Live, None, BusState::Degraded) => Self::Degraded,
            (Phase::Live, None, _) => Self::Live,
        }
    }

    /// The short words of the status region. Tests and people rely on them.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Still => String::new(),
            Self::Live => "Live".to_owned(),
            Self::Degraded => "Live · degraded".to_owned(),
            Self::CatchingUp(missing) if missing > MANY => format!("Catching up ({missing} to come)"),
            Self::CatchingUp(_) => "Catching up".to_owned(),
            Self::Offline(0) | Self::Over(_) => "Offline".to_owned(),
            Self::Offline(queued) => format!("Offline ({queued} queued)"),
            Self::Stuck(queued) => format!("Live ({queued} queued)"),
        }
    }

    /// The sentence near it, where the reader writes; empty when all is well.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::Still | Self::Live | Self::CatchingUp(_) => String::new(),
            Self::Degraded => {
                "The servers hear each other with a delay: messages may be a second late. None is lost.".to_owned()
            }
            Self::Offline(0) => "Offline. Write on: what you say waits here and goes by itself.".to_owned(),
            Self::Offline(queued) => waits("Offline.", queued),
            Self::Stuck(queued) => waits("The server can store nothing right now.", queued),
            Self::Over(code) if code == Close::Version.code() => {
                "This page is older than the server. Reload it to go on.".to_owned()
            }
            Self::Over(_) => "The server has ended this connection. Reload the page to go on.".to_owned(),
        }
    }

    /// The class that colours its mark.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Still => "status still",
            Self::Live => "status live",
            Self::Degraded | Self::Stuck(_) => "status degraded",
            Self::CatchingUp(_) => "status catching",
            Self::Offline(_) | Self::Over(_) => "status offline",
        }
    }
}

/// The status region: a mark and a short word, never a colour alone.
#[component]
pub fn StatusLine(
    /// What it says.
    #[prop(into)]
    status: Signal<Status>,
) -> impl IntoView {
    let class = text(move || status.get().class().to_owned());
    let words = text(move || status.get().words());
    view! { <p class=class role="status">{words}</p> }
}

/// The longer sentence above the composer, with a way on where there is one.
#[component]
pub fn Standing(
    /// What it is about.
    #[prop(into)]
    status: Signal<Status>,
) -> impl IntoView {
    let connection = Connection::current();
    // What failed is told when nothing more urgent is; a single one says so in its own row.
    let told = move || status.get().sentence();
    let sentence =
        text(move || Some(told()).filter(|told| !told.is_empty()).unwrap_or_else(|| failed(connection.failed())));
    let nothing = flag(move || sentence.with(String::is_empty));
    let untried = flag(move || !matches!(status.get(), Status::Offline(_)));
    let none_failed = flag(move || connection.failed() < 2 || !told().is_empty());
    view! {
        <div class="standing" hidden=nothing>
            <span>{sentence}</span>
            <button type="button" class="quiet" hidden=untried on:click=move |_| connection.try_now()>
                "Try now"
            </button>
            <button type="button" class="quiet" hidden=none_failed on:click=move |_| connection.retry_all()>
                "Retry all"
            </button>
        </div>
    }
}

/// Why messages wait, and how many.
fn waits(why: &str, queued: usize) -> String {
    match queued {
        1 => format!("{why} 1 message waits here and will go by itself."),
        _ => format!("{why} {queued} messages wait here and will go by themselves."),
    }
}

/// How many messages were refused, when it is more than one.
fn failed(count: usize) -> String {
    if count < 2 { String::new() } else { format!("{count} messages were not sent.") }
}
