//! Names of processes, stores and people as small numbers, since they stand in millions of events.

use std::collections::HashMap;

/// A name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(u32);

/// All names of a run.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: HashMap<String, Id>,
    names: Vec<String>,
}

impl Names {
    /// The number of a name.
    pub(super) fn id(&mut self, name: &str) -> Id {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        // Four thousand million names would not fit into memory.
        let id = Id(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.ids.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        id
    }

    /// The name of a number.
    pub(super) fn name(&self, id: Id) -> &str {
        self.names.get(id.0 as usize).map_or("?", String::as_str)
    }
}
