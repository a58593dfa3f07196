//! How much a run has proven: its figures without a clock.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What was counted. A clean verdict over small numbers says little.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Events read.
    pub events: u64,
    /// Of these, written by a newer version and not understood.
    pub unknown: u64,
    /// Rooms in which something was sent or heard.
    pub rooms: u64,
    /// Pairs of an observer and a room.
    pub observers: u64,
    /// Messages, each with all its tries.
    pub sends: u64,
    /// Tries to send.
    pub tries: u64,
    /// Messages that were acknowledged.
    pub acked: u64,
    /// Messages that were refused for certain.
    pub refused: u64,
    /// Messages of which nobody was told what became of them.
    pub unknown_outcome: u64,
    /// Of these, the ones that turned out to be stored.
    pub adopted: u64,
    /// Acknowledgements of a retry that found its message stored already.
    pub duplicates: u64,
    /// Entries in the final logs.
    pub entries: u64,
    /// Entries that arrived, at all observers.
    pub receipts: u64,
    /// Gaps that clients saw and pulled.
    pub gaps: u64,
    /// Rooms that clients were told to start afresh.
    pub resets: u64,
    /// Links that were lost.
    pub lost_links: u64,
    /// Faults that were begun.
    pub faults: u64,
    /// Instances ended by `kill -9`.
    pub kills: u64,
    /// Instances ended by SIGTERM.
    pub terms: u64,
    /// Of these, the ones that did not exit with 0.
    pub terms_not_clean: u64,
    /// The longest of these, in milliseconds from the signal to the exit.
    pub longest_term_ms: u64,
    /// Processes that ended without being asked to.
    pub crashes: u64,
    /// How often the page said what of its connection.
    pub statuses: BTreeMap<String, u64>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sends, tries, acked, refused, unknown_outcome, adopted, duplicates, .. } = self;
        writeln!(
            f,
            "  {sends} messages in {tries} tries: {acked} acknowledged ({duplicates} retries found them stored), {refused} refused, {unknown_outcome} unknown ({adopted} of them stored)"
        )?;
        let Self { rooms, entries, receipts, observers, gaps, resets, lost_links, .. } = self;
        writeln!(
            f,
            "  {rooms} rooms, {entries} entries, {receipts} receipts by {observers} observers; {gaps} gaps pulled, {resets} resets, {lost_links} links lost"
        )?;
        let Self { faults, kills, terms, terms_not_clean, longest_term_ms, crashes, .. } = self;
        write!(
            f,
            "  {faults} faults; {kills} kills, {terms} drains (longest {longest_term_ms} ms, {terms_not_clean} not clean), {crashes} crashes"
        )
    }
}
