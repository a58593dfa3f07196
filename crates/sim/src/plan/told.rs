//! A plan in words, for whoever must understand why it fails.

use std::fmt;

use super::Plan;

impl Plan {
    /// How many steps it has; what a smaller one has fewer of.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.troubles.len() + self.posts.len() + self.people.iter().map(|script| script.deeds.len()).sum::<usize>()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, rooms, past, people, posts, troubles, sabotage } = self;
        writeln!(f, "seed {seed}: {} steps, {rooms} rooms, past {past:?}", self.steps())?;
        if let Some(sabotage) = sabotage {
            writeln!(f, "  sabotage: {sabotage:?}")?;
        }
        for step in troubles {
            writeln!(f, "  {:>6} ms  {:?}", step.at_ms, step.what)?;
        }
        for step in posts {
            writeln!(f, "  {:>6} ms  the door publishes {:?}", step.at_ms, step.what)?;
        }
        for (tab, script) in people.iter().enumerate().filter(|(_, script)| !script.deeds.is_empty()) {
            writeln!(f, "  tab {tab} (account {}):", script.account)?;
            for step in &script.deeds {
                writeln!(f, "  {:>6} ms    {:?}", step.at_ms, step.what)?;
            }
        }
        Ok(())
    }
}
