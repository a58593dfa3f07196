//! Browser tests wait for conditions and leave nothing out, and every surface has its one name in each place.

use crate::{Finding, Tree};

/// What a browser test must not contain, and what to do instead.
const FORBIDDEN: [(&str, &str); 7] = [
    ("waitForTimeout", "Wait for a condition: `expect(…)` waits by itself"),
    (".only(", "Run one test with `bin/test e2e -- -g name`"),
    ("test.skip", "Mend it, or take it out"),
    ("describe.skip", "Mend it, or take it out"),
    ("test.fixme", "Mend it, or take it out"),
    ("test.fail(", "Mend it, or take it out"),
    ("page.pause(", "Leave it to your own machine"),
];

/// Browser tests neither sleep nor leave a test out.
#[must_use]
pub fn browser_tests_wait_for_conditions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.starts_with("end2end/") && path.ends_with(".ts")) {
        for (index, line) in text.lines().enumerate() {
            if let Some((word, remedy)) = FORBIDDEN.iter().find(|(word, _)| line.contains(word)) {
                findings.push(Finding::new(path, index + 1, format!("it contains `{word}`"), remedy));
            }
        }
    }
    findings
}

/// Every surface has its style sheet by its name, and the table of contents imports every sheet.
#[must_use]
pub fn surfaces_have_their_style(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let surfaces =
        tree.folders().filter_map(|folder| folder.strip_prefix("src/ui/")).filter(|name| !name.contains('/'));
    for surface in surfaces {
        let sheet = format!("style/{surface}.css");
        if !tree.has(&sheet) {
            let what = format!("src/ui/{surface} has no {sheet}");
            findings.push(Finding::new(
                &format!("src/ui/{surface}/mod.rs"),
                1,
                what,
                "One name, the same in each place",
            ));
        }
    }
    let contents = tree.text("style/main.css").unwrap_or_default();
    let sheets = tree.texts().filter_map(|(path, _)| path.strip_prefix("style/")).filter(|name| *name != "main.css");
    for sheet in sheets.filter(|sheet| !contents.contains(sheet)) {
        findings.push(Finding::new(
            "style/main.css",
            1,
            format!("it does not import {sheet}"),
            "Import it, or delete it",
        ));
    }
    findings
}
