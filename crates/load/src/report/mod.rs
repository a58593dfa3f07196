//! Figures with their goals, for people and for programs.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use serde::Serialize;

use crate::ledger::Faults;

/// Where a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// This or more.
    AtLeast(f64),
    /// Less than this.
    Under(f64),
    /// This or less.
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(goal) => value >= goal,
            Self::Under(goal) => value < goal,
            Self::AtMost(goal) => value <= goal,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(goal) => format!(">= {goal}"),
            Self::Under(goal) => format!("< {goal}"),
            Self::AtMost(goal) => format!("<= {goal}"),
        }
    }
}

/// One measured figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// How much; absent when it cannot be seen from here.
    pub(crate) value: Option<f64>,
    /// In which unit.
    pub(crate) unit: &'static str,
    /// Where it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
    /// Whether it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) met: Option<bool>,
}

/// What one scenario found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The scenario, with the numbers it was run with.
    pub(crate) title: String,
    /// What it measured.
    pub(crate) figures: Vec<Figure>,
    /// What must be zero; absent where nothing is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) faults: Option<Faults>,
    /// What a reader should know.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), figures: Vec::new(), faults: None, notes: Vec::new() }
    }

    /// Adds a figure.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: impl Into<Option<f64>>, unit: &'static str) {
        let value = value.into().filter(|value| value.is_finite());
        self.figures.push(Figure { name: name.into(), value, unit, goal: None, met: None });
    }

    /// Gives the figure added last a goal.
    pub(crate) fn goal(&mut self, goal: Goal) {
        if let Some(figure) = self.figures.last_mut() {
            figure.goal = Some(goal);
            figure.met = figure.value.map(|value| goal.is_met(value));
        }
    }

    /// Whether nothing was lost, doubled, out of order or altered.
    pub(crate) fn is_correct(&self) -> bool {
        self.faults.is_none_or(|faults| faults.is_clean())
    }

    /// All of it, for people.
    pub(crate) fn table(&self) -> String {
        let mut rows: Vec<[String; 4]> = self.figures.iter().map(row).collect();
        if let Some(faults) = self.faults {
            rows.push(fault_row(faults));
        }
        let mut text = format!("{}\n{}", self.title, aligned(&rows));
        for note in &self.notes {
            let _infallible = writeln!(text, "  note: {note}");
        }
        text
    }
}

/// The figures that have a goal, of all reports, in one table.
pub(crate) fn summary(reports: &[Report]) -> String {
    let mut rows = Vec::new();
    for report in reports {
        for figure in report.figures.iter().filter(|figure| figure.goal.is_some()) {
            let [name, value, goal, verdict] = row(figure);
            let scenario = report.title.split([':', ',']).next().unwrap_or_default();
            rows.push([format!("{scenario}: {name}"), value, goal, verdict]);
        }
    }
    // None at all when nothing was delivered: that is not "all 0".
    let faults = reports.iter().filter_map(|report| report.faults).reduce(Faults::plus);
    rows.extend(faults.map(fault_row));
    format!("Summary\n{}", aligned(&rows))
}

fn row(figure: &Figure) -> [String; 4] {
    let value = figure.value.map_or_else(|| "not seen".to_owned(), |value| number(value, figure.unit));
    let goal = figure.goal.map(Goal::words).unwrap_or_default();
    let verdict = match figure.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    [figure.name.clone(), value, goal, verdict.to_owned()]
}

fn fault_row(faults: Faults) -> [String; 4] {
    let Faults { lost, doubled, out_of_order, altered } = faults;
    let value = format!("{lost} / {doubled} / {out_of_order} / {altered}");
    let verdict = if faults.is_clean() { "met" } else { "WRONG" };
    ["lost / doubled / out of order / altered".to_owned(), value, "all 0".to_owned(), verdict.to_owned()]
}

/// As many digits as matter: three for small figures, none for large ones.
fn number(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        v if v >= 1_000.0 || v == v.trunc() => 0,
        v if v >= 100.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

fn aligned(rows: &[[String; 4]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [name, value, goal, verdict] in rows {
        let [a, b, c] = widths;
        let line = format!("  {name:<a$}  {value:>b$}  {goal:<c$}  {verdict}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
