//! Faults that are open now and then; some overlap.

use rand::Rng;

use super::{END, LAST_SEND, World};
use crate::journal::{How, Mono, Process, Switch, What};

/// Each fault, to what it is done, and how the process ends by it.
const FAULTS: [(&str, &str, Option<How>); 4] =
    [("F-01", "a", Some(How::Kill)), ("F-02", "b", Some(How::Term)), ("F-03", "", None), ("F-08", "c", None)];

impl World {
    pub(super) fn faults(&mut self) {
        for (f, on, ends) in FAULTS {
            let start = Mono(self.rng.random_range(1_000_000_000..LAST_SEND.0));
            let stop = start + self.ms(500, 6_000);
            for (at, t) in [(start, Switch::Start), (stop, Switch::Stop)] {
                self.note(at, "nem", What::Fault { t, f: f.to_owned(), on: on.to_owned() });
            }
            if let Some(how) = ends {
                let (name, code) = (on.to_owned(), (how == How::Term).then_some(0));
                self.note(start, "nem", What::Process(Process::Down { name: name.clone(), how, code, ms: 40 }));
                self.note(stop, "nem", What::Process(Process::Up { name }));
            }
        }
        // One of a run that was ended before its fault was.
        if self.percent(10) {
            self.note(END, "nem", What::Fault { t: Switch::Start, f: "F-10".to_owned(), on: String::new() });
        }
        self.note(Mono(0), "c1", What::Status { word: "live".to_owned(), via: "a".to_owned() });
        self.note(Mono(1), "new", What::Unknown);
    }
}
