//! Makes a failing plan smaller: what can be left out and it still fails is left out, troubles first.

use crate::plan::Plan;
use crate::record::Word;
use crate::run::run;

/// Runs that are spent on one plan: a minute or two.
const RUNS: usize = 600;

/// The smallest plan that was found to fail as this one does, by the same word.
#[must_use]
pub fn shrink(plan: &Plan, word: Word) -> Plan {
    let mut search = Search { best: plan.clone(), word, runs: 0 };
    loop {
        let before = search.best.steps();
        search.lists(|plan| vec![Part::Troubles(plan.troubles.len())]);
        search.lists(|plan| (0..plan.people.len()).map(|tab| Part::Deeds(tab, plan.people[tab].deeds.len())).collect());
        search.lists(|plan| vec![Part::Posts(plan.posts.len())]);
        if search.best.steps() == before || search.runs >= RUNS {
            return search.best;
        }
    }
}

/// A list of steps of a plan, with its length.
#[derive(Clone, Copy)]
enum Part {
    Troubles(usize),
    Deeds(usize, usize),
    Posts(usize),
}

struct Search {
    best: Plan,
    word: Word,
    runs: usize,
}

impl Search {
    fn lists(&mut self, parts: impl Fn(&Plan) -> Vec<Part>) {
        for part in parts(&self.best) {
            self.shorten(part);
        }
    }

    /// Leaves out all, then halves, then quarters, down to single steps.
    fn shorten(&mut self, part: Part) {
        let mut size = part.len();
        while size > 0 && self.runs < RUNS {
            let mut from = 0;
            while self.runs < RUNS {
                let Some(smaller) = part.without(&self.best, from, size) else { break };
                self.runs += 1;
                if run(&smaller, false).findings.iter().any(|finding| finding.word == self.word) {
                    self.best = smaller;
                } else {
                    from += size;
                }
            }
            size /= 2;
        }
    }
}

impl Part {
    const fn len(self) -> usize {
        match self {
            Self::Troubles(len) | Self::Deeds(_, len) | Self::Posts(len) => len,
        }
    }

    /// The plan without so many steps from one on; `None` when there are none left there.
    fn without(self, plan: &Plan, from: usize, size: usize) -> Option<Plan> {
        let mut plan = plan.clone();
        let gone = match self {
            Self::Troubles(_) => take_out(&mut plan.troubles, from, size),
            Self::Deeds(tab, _) => take_out(&mut plan.people[tab].deeds, from, size),
            Self::Posts(_) => take_out(&mut plan.posts, from, size),
        };
        gone.then_some(plan)
    }
}

fn take_out<T>(steps: &mut Vec<T>, from: usize, size: usize) -> bool {
    let to = (from + size).min(steps.len());
    if from >= to {
        return false;
    }
    steps.drain(from..to);
    true
}
