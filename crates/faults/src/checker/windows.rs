//! When which fault was open.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::journal::{Mono, Switch};

/// One fault, from its start to its stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Its name, such as `F-06`.
    pub(super) fault: String,
    /// What it was done to; empty for everything.
    pub(super) on: String,
    pub(super) start: Mono,
    /// Absent when the run ended before the fault did.
    pub(super) stop: Option<Mono>,
}

impl Window {
    fn label(&self) -> String {
        if self.on.is_empty() { self.fault.clone() } else { format!("{} on {}", self.fault, self.on) }
    }

    fn overlaps(&self, from: Mono, to: Mono) -> bool {
        self.start <= to && self.stop.is_none_or(|stop| stop >= from)
    }
}

/// All faults of a run, in the order of their starts.
#[derive(Debug, Default)]
pub(super) struct Windows {
    pub(super) all: Vec<Window>,
}

impl Windows {
    /// A fault begins or ends. A stop without a start is of no consequence.
    pub(super) fn note(&mut self, at: Mono, switch: Switch, fault: String, on: String) {
        match switch {
            Switch::Start => self.all.push(Window { fault, on, start: at, stop: None }),
            Switch::Stop => {
                let same = |window: &&mut Window| window.stop.is_none() && window.fault == fault && window.on == on;
                if let Some(window) = self.all.iter_mut().find(same) {
                    window.stop = Some(at);
                }
            }
        }
    }

    /// The faults that were open at any moment of a time, in words.
    pub(super) fn open_between(&self, from: Mono, to: Mono) -> Vec<String> {
        let open = self.all.iter().filter(|window| window.overlaps(from, to));
        open.map(Window::label).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether a fault on this instance was open in a time, and by its end had lasted so long.
    pub(super) fn shut_off(&self, instance: &str, (from, to): (Mono, Mono), length: Duration) -> bool {
        let is_it = |window: &&Window| !instance.is_empty() && window.on == instance && window.overlaps(from, to);
        self.all.iter().filter(is_it).any(|window| window.stop.unwrap_or(to).min(to) >= window.start + length)
    }

    /// Whether a fault on this instance was open all the time: what began there then, the others did not hear of.
    pub(super) fn hid(&self, instance: &str, (from, to): (Mono, Mono)) -> bool {
        let is_it = |window: &&Window| !instance.is_empty() && window.on == instance && window.start <= from;
        self.all.iter().filter(is_it).any(|window| window.stop.is_none_or(|stop| stop >= to))
    }

    /// When calm was restored at the latest by faults that were open in a time; `None` when none was, `Some(None)`
    /// when one still is.
    pub(super) fn calm_after(&self, from: Mono, to: Mono) -> Option<Option<Mono>> {
        let stops = self.all.iter().filter(|window| window.overlaps(from, to)).map(|window| window.stop);
        stops.reduce(|a, b| Some(a?.max(b?)))
    }

    /// The names of the faults, each once; what [`Phases`] counts by.
    pub(super) fn names(&self) -> Vec<&str> {
        self.all.iter().map(|window| window.fault.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Which faults were open when, for looking up millions of moments.
    pub(super) fn phases(&self) -> Phases {
        let names = self.names();
        let ends = self.all.iter().flat_map(|window| [Some(window.start), window.stop]).flatten();
        let starts: Vec<Mono> = ends.collect::<BTreeSet<_>>().into_iter().collect();
        let open_at = |&at: &Mono| {
            // A phase begins with its first moment and ends before the next one's: a fault that stops then is over.
            let open = self.all.iter().filter(|window| window.start <= at && window.stop.is_none_or(|stop| stop > at));
            let open: BTreeSet<usize> =
                open.filter_map(|window| names.iter().position(|name| *name == window.fault)).collect();
            open.into_iter().collect()
        };
        let faults = starts.iter().map(open_at).collect();
        Phases { starts, faults }
    }
}

/// The run cut into phases at each start and stop of a fault.
#[derive(Debug)]
pub(super) struct Phases {
    starts: Vec<Mono>,
    /// Indices into [`Windows::names`].
    faults: Vec<Vec<usize>>,
}

impl Phases {
    /// The faults that were open at a moment, as indices into [`Windows::names`].
    pub(super) fn at(&self, at: Mono) -> &[usize] {
        match self.starts.partition_point(|start| *start <= at) {
            0 => &[],
            after => &self.faults[after - 1],
        }
    }
}
