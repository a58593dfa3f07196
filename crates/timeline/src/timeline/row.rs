//! Rows: what is drawn, one per line. The view reads these and nothing else.

use tertulia_protocol::{Key, Person, Refusal, Seq, UserId};

/// What a row is known by for as long as it is shown: stable from pending to confirmed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RowId {
    /// An entry that no user action caused, or that is no message.
    Entry(Seq),
    /// A message by the action that posted it, before and after it is in the log.
    Key(UserId, Key),
    /// A quiet line about who came and went; counts up in one timeline.
    Presence(u64),
}

impl RowId {
    /// A valid HTML id, unique among the rows of one timeline.
    #[must_use]
    pub fn dom_id(&self) -> String {
        match self {
            Self::Entry(seq) => format!("e-{seq}"),
            Self::Key(by, key) => format!("m-{by}-{key}"),
            Self::Presence(number) => format!("p-{number}"),
        }
    }
}

/// One line of a room.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Which row.
    pub id: RowId,
    /// When, in Unix milliseconds: the server's time once it is known, this browser's until then.
    pub at: i64,
    /// Who caused it; of a presence line the first person it names.
    pub by: Person,
    /// Whether that is who looks.
    pub mine: bool,
    /// What it shows.
    pub what: What,
    /// How sure it is.
    pub state: RowState,
    /// Same author as the row before, within 5 minutes, same day, both messages: drawn without avatar and name.
    pub joined: bool,
    /// First row of its day in the set offset: a divider is drawn before it.
    pub new_day: bool,
}

/// What a row shows.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// Somebody said something.
    Message {
        /// The newest text.
        body: String,
        /// Whether it was another text before.
        edited: bool,
        /// The message it answers.
        reply_to: Option<Seq>,
        /// Each emoji once, in the order of its first reaction that was not taken back.
        reactions: Vec<Reaction>,
    },
    /// A message that its author took back.
    Deleted,
    /// Something that happened in the room.
    Note(Note),
}

/// One emoji on a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// From whom: one or more, each once, in the order they came.
    pub by: Vec<UserId>,
}

/// Something that happened in the room. [`Row::by`] says through whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// The room was made.
    Created,
    /// Somebody became a member.
    Joined,
    /// Somebody stopped being a member.
    Left,
    /// The room got another name.
    Renamed {
        /// The new name.
        name: String,
    },
    /// The room got another topic.
    Topic {
        /// The new topic; empty for none.
        topic: String,
    },
    /// Somebody was removed from the room.
    Removed {
        /// Who was removed.
        who: Person,
    },
    /// Who came and went while this page was open; no entry of the log.
    Presence {
        /// Here now, and not when the line began.
        joined: Vec<Person>,
        /// Gone now, and here when the line began.
        left: Vec<Person>,
    },
}

/// How sure a row is.
#[derive(Clone, PartialEq, Debug)]
pub enum RowState {
    /// In the log. A presence line carries the newest entry that was known when it was written.
    Confirmed {
        /// Its number.
        seq: Seq,
    },
    /// Ours and on its way.
    Pending,
    /// Ours and refused; stays until it is retried or discarded.
    Failed {
        /// Why.
        refusal: Refusal,
    },
}

impl Row {
    /// Its number in the log; pending and failed rows come after every number.
    pub(super) const fn seq(&self) -> Seq {
        match self.state {
            RowState::Confirmed { seq } => seq,
            RowState::Pending | RowState::Failed { .. } => Seq(i64::MAX),
        }
    }

    pub(super) const fn is_presence(&self) -> bool {
        matches!(self.id, RowId::Presence(_))
    }
}
