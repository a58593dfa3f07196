//! Rows as signals: a row that changed is told alone, and its signal goes when the row does.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use tertulia_timeline::{Row, RowId};

/// One row as the list knows it: what it is, and what it shows now. The signal dies with its row.
pub type Line = (RowId, ArcRwSignal<Arc<Row>>);

/// The rows as lines, each with the signal it had before.
pub(super) fn merged(lines: Vec<Line>, rows: Vec<Arc<Row>>) -> Vec<Line> {
    let mut known: HashMap<RowId, ArcRwSignal<Arc<Row>>> = lines.into_iter().collect();
    let line = |row: Arc<Row>| match known.remove(&row.id) {
        Some(shown) => {
            let id = row.id.clone();
            show(&shown, row);
            (id, shown)
        }
        None => (row.id.clone(), ArcRwSignal::new(row)),
    };
    rows.into_iter().map(line).collect()
}

/// Gives a line its row, if that is another than before.
pub(super) fn show(shown: &ArcRwSignal<Arc<Row>>, row: Arc<Row>) {
    if !shown.with_untracked(|old| Arc::ptr_eq(old, &row)) {
        shown.set(row);
    }
}

/// Tells a signal what is new, and nothing else.
pub(super) fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
