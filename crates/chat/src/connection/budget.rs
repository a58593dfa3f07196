//! Who pays for what a client says: the conversation itself, or the person over all their requests.

use std::time::Duration;

use tertulia_protocol::limits::TYPING_EVERY_MS;
use tertulia_protocol::{Refusal, UserId};
use tokio::time::Instant;

use crate::chat::Chat;
use crate::throttle::FrameBudget;

/// What may be said, and how often.
pub(super) enum Budget {
    /// Kept by a conversation, which lasts.
    OfConversation {
        frames: FrameBudget,
        /// When the last sign of typing was passed on.
        typed: Option<Instant>,
    },
    /// Kept by the instance for each person: a request is over before it has said much, and the next would begin afresh.
    OfPerson,
}

impl Budget {
    pub(super) fn of_conversation(chat: &Chat) -> Self {
        Self::OfConversation { frames: FrameBudget::new(chat.rate_limits()), typed: None }
    }

    pub(super) const fn is_of_person(&self) -> bool {
        matches!(self, Self::OfPerson)
    }

    /// Takes one frame.
    pub(super) fn take_frame(&mut self, chat: &Chat, who: UserId) -> Result<(), Refusal> {
        match self {
            Self::OfConversation { frames, .. } => frames.take(),
            Self::OfPerson => chat.take_request(who),
        }
    }

    /// Whether a sign of typing may be passed on now; it then counts as passed on.
    pub(super) fn may_show_typing(&mut self, chat: &Chat, who: UserId) -> bool {
        let Self::OfConversation { typed, .. } = self else { return chat.may_show_typing(who) };
        let now = Instant::now();
        let pause = Duration::from_millis(TYPING_EVERY_MS);
        let may = typed.is_none_or(|at| now.saturating_duration_since(at) >= pause);
        if may {
            *typed = Some(now);
        }
        may
    }
}
