//! What a seed means: who is there, what they do and when, and what goes wrong meanwhile.
//!
//! A plan is made whole before anything runs, so that a failing one can be made smaller step by step.

mod made;
mod told;

/// Instances of the house.
pub(crate) const INSTANCES: usize = 3;
/// How long there is trouble, in simulated milliseconds.
pub(crate) const TROUBLED_MS: u64 = 40_000;

/// Something at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed<T> {
    /// When, in simulated milliseconds from the start.
    pub at_ms: u64,
    /// What.
    pub what: T,
}

/// Everything that happens under a seed, but for what the dice decide on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number of the run.
    pub seed: u64,
    /// Rooms at the start, from 1 on.
    pub rooms: usize,
    /// What has been said in the first room before.
    pub past: Past,
    /// Tabs of browsers.
    pub people: Vec<Script>,
    /// What a plain door is asked to publish.
    pub posts: Vec<Timed<Posts>>,
    /// What goes wrong.
    pub troubles: Vec<Timed<Trouble>>,
    /// A promise that is broken on purpose, to see whether it is noticed.
    pub sabotage: Option<Sabotage>,
}

/// What has been said in the first room before anybody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Nothing.
    None,
    /// More than anybody wants to catch up with: above the 10,000 entries after which a reset comes.
    Old,
    /// Less, but far more than a queue holds at once.
    Long,
}

/// What one tab does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Whose session it has: tabs of one account share it.
    pub account: usize,
    /// What is done there, by time.
    pub deeds: Vec<Timed<Deed>>,
}

/// What somebody does in a tab. Rooms are numbered from 0 here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Opens the page of a room: a snapshot, then following.
    Open {
        /// Which.
        room: usize,
    },
    /// Asks to follow it once more, from where it is.
    Again {
        /// Which.
        room: usize,
    },
    /// Goes away from it.
    Leave {
        /// Which.
        room: usize,
    },
    /// Says something in the room that was opened first.
    Send {
        /// How long it is, in bytes.
        bytes: usize,
    },
    /// Says something that no server takes.
    SendBad,
    /// Reads an older page.
    Older,
    /// Asks once more for what is known already.
    Pull,
    /// Shows that something is being written.
    Type,
    /// The network goes.
    Cut {
        /// Who notices.
        how: How,
    },
    /// The tab sleeps: nothing is read, no timer runs.
    Freeze {
        /// How long.
        ms: u64,
    },
    /// The page is loaded again; what waits in the outbox survives.
    Reload,
    /// Says something untrue about its position the next time it greets.
    Claim {
        /// What.
        claim: Claim,
    },
    /// Ends the session, and with it every tab of the account.
    SignOut,
}

/// Who notices that a connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Both ends, at once.
    Both,
    /// The browser alone: the server waits for a pong.
    Browser,
    /// Neither: both wait for a sign of life.
    Neither,
}

/// What a greeting says that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The position is one of another store.
    OtherEpoch,
    /// The position is beyond the newest entry.
    Ahead,
    /// The position is that of the first entry.
    Oldest,
}

/// What a plain door publishes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posts {
    /// In which room, from 0.
    pub room: usize,
    /// How many messages.
    pub count: usize,
}

/// What goes wrong. Instances are numbered from 0; `None` means all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An instance is killed, and started again after a while.
    Crash {
        /// Which.
        instance: usize,
        /// For how long its store is slow before, in milliseconds: so it dies with writes under way.
        slow_ms: u64,
        /// After how long it is back, in milliseconds.
        back_ms: u64,
    },
    /// An instance is stopped in order, and started again.
    Replace {
        /// Which.
        instance: usize,
        /// After how long.
        back_ms: u64,
    },
    /// An instance loses its bus.
    CutBus {
        /// Which.
        instance: usize,
        /// How long it does not know, in milliseconds.
        unsaid_ms: u64,
        /// How long it lasts.
        back_ms: u64,
    },
    /// The medium forgets that an instance listens to a room, and says nothing.
    Forget {
        /// Which instance.
        instance: usize,
        /// Which room, from 0.
        room: usize,
        /// How long.
        back_ms: u64,
    },
    /// News are lost, doubled and late.
    Lossy {
        /// Lost, in a thousand.
        drop: u32,
        /// Doubled, in a thousand.
        double: u32,
        /// Late by at most so much, in milliseconds, each by its own dice: so they overtake each other.
        late_ms: u64,
        /// How long it lasts.
        back_ms: u64,
    },
    /// The store takes its time.
    SlowStore {
        /// For whom.
        instance: Option<usize>,
        /// The most that each half of a call takes, in milliseconds.
        most_ms: u64,
        /// How long it lasts.
        back_ms: u64,
    },
    /// The store answers some calls with an error.
    FailStore {
        /// For whom.
        instance: Option<usize>,
        /// Refused because too many wait, in a thousand; nothing is written.
        busy: u32,
        /// Cannot be used, in a thousand; nothing is written.
        refuse: u32,
        /// Written, and the answer lost, in a thousand.
        mute: u32,
        /// How long it lasts.
        back_ms: u64,
    },
    /// The store answers nobody: somebody else holds its lock.
    StallStore {
        /// For whom.
        instance: Option<usize>,
        /// How long.
        back_ms: u64,
    },
    /// All connections of an instance are cut.
    CutWires {
        /// Which.
        instance: usize,
        /// Who notices.
        how: How,
    },
}

/// A promise broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The store answers some appends without writing them.
    AckUnstored,
    /// The store does not look whether a key is known.
    ForgetKeys,
    /// What an instance wrote in the second before its crash is gone.
    ForgetTail,
    /// The store writes some entries that nobody sent.
    Invent,
    /// The store leaves some numbers out.
    SkipNumber,
    /// The store lets some entries overtake the two before.
    Overtake,
    /// The store refuses some appends for good and has written them.
    RefuseStored,
    /// The store says of some appends that nothing was stored, and has written them.
    DenyStored,
    /// The store says of every room that it is one entry shorter than it is.
    LagHeads,
    /// The store does not end sessions.
    KeepSessions,
    /// The store panics now and then.
    Panic,
    /// The bus goes on listening to rooms that nobody follows.
    KeepListening,
    /// Resuming begins one entry too late.
    SkipOnResume,
    /// What a browser hears is changed on the way.
    Deliveries(Lie),
}

impl Past {
    /// How many messages it has, and how long each is, in bytes.
    pub(crate) const fn messages(self) -> (i64, usize) {
        match self {
            Self::None => (0, 0),
            Self::Old => (10_050, 8),
            // Two thirds more than a mebibyte.
            Self::Long => (700, 2_500),
        }
    }
}

/// What becomes of some deliveries of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// They are left out.
    Skip,
    /// They come twice.
    Double,
    /// They change places with the next.
    Swap,
    /// They say something else.
    Alter,
    /// They are heard as they are, and something else is kept.
    Forge,
    /// Entries come as they are, and nobody is told who is there.
    NoPresence,
}
