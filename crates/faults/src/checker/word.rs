//! The verdict words. Each is a promise of docs/PROTOCOL.md that was not kept.

use std::fmt;

use serde::Serialize;

/// What was wrong. One of these anywhere, and the run has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Word {
    /// Two instances tell a room's log differently.
    Split,
    /// A log is not numbered 1, 2, 3, …
    Gap,
    /// One message is stored more than once, by its key or by its stamp.
    DuplicateStored,
    /// Acknowledged, and in no log.
    Lost,
    /// Stored under another number or with another text than was acknowledged.
    Changed,
    /// Refused for certain, and stored all the same.
    FalseFail,
    /// Stored, and sent by nobody to this room.
    Phantom,
    /// One client's messages are stored in another order than it said them.
    SessionOrder,
    /// A message that was sent after another was acknowledged is stored before it.
    RealtimeOrder,
    /// An entry came twice on one stream.
    DupDelivery,
    /// An entry came after a later one.
    OrderDelivery,
    /// What arrived is not what the log has under that number.
    Diverged,
    /// Owed to an observer, and never arrived.
    NotDelivered,
    /// Arrived where it was not owed: no longer followed, or outside the membership.
    Leak,
    /// Numbers were skipped and nobody said so.
    SilentGap,
    /// Somebody was said to have left who was not there any more.
    LeftTwice,
    /// Somebody was shown as there long after they were gone.
    Stayed,
    /// Somebody was said to have left who was back within the grace.
    Flicker,
}

impl Word {
    /// The word itself, as it stands in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Split => "SPLIT",
            Self::Gap => "GAP",
            Self::DuplicateStored => "DUPLICATE_STORED",
            Self::Lost => "LOST",
            Self::Changed => "CHANGED",
            Self::FalseFail => "FALSE_FAIL",
            Self::Phantom => "PHANTOM",
            Self::SessionOrder => "SESSION_ORDER",
            Self::RealtimeOrder => "REALTIME_ORDER",
            Self::DupDelivery => "DUP_DELIVERY",
            Self::OrderDelivery => "ORDER_DELIVERY",
            Self::Diverged => "DIVERGED",
            Self::NotDelivered => "NOT_DELIVERED",
            Self::Leak => "LEAK",
            Self::SilentGap => "SILENT_GAP",
            Self::LeftTwice => "LEFT_TWICE",
            Self::Stayed => "STAYED",
            Self::Flicker => "FLICKER",
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
