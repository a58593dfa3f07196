//! Whose instance was killed is back on another within seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Honesty;
use crate::journal::{Event, How, Mono, Process, What};

/// The promise is 5 s; twice as much is left to a busy machine before a run fails by it. The figure is published.
const BACK: Duration = Duration::from_secs(10);

/// Where somebody is, as far as their link goes.
enum Link {
    /// Through this instance.
    At(String),
    /// Their instance was killed then.
    Bereft(Mono),
}

/// Judges everybody by every `kill -9` of the instance they were at.
pub(super) fn judge(events: &[Event], honesty: &mut Honesty) {
    let mut links: BTreeMap<&str, Link> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Subscribe(follow) => {
                if let Some(Link::Bereft(since)) = links.insert(&event.p, Link::At(follow.via.clone())) {
                    honesty.is_back(&event.p, event.mono.since(since));
                }
            }
            // Who breaks the own link is not waited for.
            What::Lost { own: true } | What::Unsubscribe { .. } => drop(links.remove(event.p.as_str())),
            What::Process(Process::Down { name, how: How::Kill, .. }) => {
                let there = links.values_mut().filter(|link| matches!(link, Link::At(via) if via == name));
                there.for_each(|link| *link = Link::Bereft(event.mono));
            }
            _ => {}
        }
    }
}

impl Honesty {
    fn is_back(&mut self, p: &str, took: Duration) {
        self.back = self.back.max(Some(took));
        if took > BACK {
            self.lies.push(format!("{p} was back {:.1} s after its instance was killed", took.as_secs_f64()));
        }
    }
}
