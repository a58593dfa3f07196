//! The shape of files and functions (docs/STYLE.md): size, headers, modules, and no loose ends.

use crate::{Finding, Source, Tree};

/// Longest file, in lines: one subject, read in one sitting.
const FILE_LINES: usize = 400;
/// Longest function, in lines as clippy counts: what fits on a screen.
const FUNCTION_LINES: usize = 70;
/// Longest header of a file, in lines.
const HEADER_LINES: usize = 5;
/// Words for work that is not done.
const LOOSE_ENDS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Files that people write and read as code.
fn is_code(path: &str) -> bool {
    let script = path.starts_with("bin/") || path.starts_with("deploy/");
    script || [".rs", ".ts", ".mjs", ".css", ".sql", ".sh"].iter().any(|end| path.ends_with(end))
}

/// A file has one subject and at most 400 lines.
#[must_use]
pub fn files_fit_a_sitting(tree: &Tree) -> Vec<Finding> {
    let long = tree.texts().filter(|(path, text)| is_code(path) && text.lines().count() > FILE_LINES);
    long.map(|(path, text)| {
        let what = format!("{} lines, the most is {FILE_LINES}", text.lines().count());
        Finding::new(path, FILE_LINES + 1, what, "Split it by meaning")
    })
    .collect()
}

/// A function fits on a screen: at most 70 lines.
#[must_use]
pub fn functions_fit_a_screen(tree: &Tree) -> Vec<Finding> {
    each(tree, |source| {
        let long = source.functions().into_iter().filter(|function| function.length > FUNCTION_LINES);
        long.map(|function| {
            let what = format!("`{}` has {} lines, the most is {FUNCTION_LINES}", function.name, function.length);
            Finding::new(&source.path, function.line, what, "Split it by meaning")
        })
        .collect()
    })
}

/// Every Rust file opens with `//!` and what it is for, in at most five lines.
#[must_use]
pub fn files_say_what_they_are_for(tree: &Tree) -> Vec<Finding> {
    each(tree, |source| {
        let header = source.lines.iter().take_while(|line| line.raw.starts_with("//!")).count();
        let what = match header {
            0 => "it does not open with `//!`".to_owned(),
            1..=HEADER_LINES => return Vec::new(),
            _ => format!("its header has {header} lines, the most is {HEADER_LINES}"),
        };
        vec![Finding::new(&source.path, 1, what, "Say in a sentence or two what the file is for")]
    })
}

/// A module with parts is a folder with `mod.rs` in it.
#[must_use]
pub fn modules_with_parts_are_folders(tree: &Tree) -> Vec<Finding> {
    let beside = |source: &&Source| {
        let ours = source.path.starts_with("src/") || source.path.contains("/src/");
        let folder = source.path.trim_end_matches(".rs");
        ours && tree.sources().iter().any(|other| other.path.starts_with(&format!("{folder}/")))
    };
    let beside = tree.sources().iter().filter(beside);
    beside
        .map(|source| Finding::new(&source.path, 1, "a file beside a folder of its name", "Move it in as `mod.rs`"))
        .collect()
}

/// Outside tests nothing unwraps: what cannot happen is proven in an `#[expect]`, what can is handled.
#[must_use]
pub fn nothing_unwraps_outside_tests(tree: &Tree) -> Vec<Finding> {
    each(tree, |source| {
        let mut findings = Vec::new();
        for (number, line) in source.product() {
            let code = line.bare.trim();
            // A constant is computed by the compiler: a failure there is a failure to build.
            let constant = code.starts_with("const ") || code.starts_with("pub const ") || code.starts_with("pub(");
            let unwraps = code.contains(".unwrap()") || code.contains(".expect(\"");
            if unwraps && !(constant && code.contains("const ")) && !is_proven(source, number) {
                findings.push(Finding::new(&source.path, number, "it may panic", "Handle the failure"));
            }
        }
        findings
    })
}

/// Whether one of the few lines above carries the reason why this cannot fail.
fn is_proven(source: &Source, number: usize) -> bool {
    let above = &source.lines[number.saturating_sub(8)..number];
    above.iter().any(|line| line.plain.contains("expect(clippy::expect_used") && line.plain.contains("reason"))
}

/// Nothing is left half done: no placeholder that panics, in tests neither.
#[must_use]
pub fn nothing_is_left_to_panic(tree: &Tree) -> Vec<Finding> {
    each(tree, |source| {
        let left = source
            .numbered()
            .filter(|(_, line)| ["todo!(", "unimplemented!(", "dbg!("].iter().any(|call| line.bare.contains(call)));
        left.map(|(number, _)| Finding::new(&source.path, number, "a placeholder", "Write it, or leave it out"))
            .collect()
    })
}

/// What is left to do names its issue.
#[must_use]
pub fn loose_ends_have_an_issue(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_code(path)) {
        for (index, line) in text.lines().enumerate() {
            let loose = line.split(|sign: char| !sign.is_alphanumeric()).any(|word| LOOSE_ENDS.contains(&word));
            let has_issue =
                line.split(['#', ' ', '(']).any(|word| word.starts_with(|sign: char| sign.is_ascii_digit()));
            if loose && !has_issue {
                findings.push(Finding::new(path, index + 1, "a loose end without an issue", "Name its issue: #12"));
            }
        }
    }
    findings
}

/// Every arm of a `select!` may be dropped half way, so every `select!` says why that is safe.
#[must_use]
pub fn selects_say_why_cancelling_is_safe(tree: &Tree) -> Vec<Finding> {
    each(tree, |source| {
        let mut findings = Vec::new();
        for (number, line) in source.product() {
            if !line.bare.contains("select! {") {
                continue;
            }
            let (_, end) = source.end_of_block(number - 1).unwrap_or((0, source.lines.len() - 1));
            // The reason may stand in the two lines above as well.
            let said = source.lines[number.saturating_sub(3)..=end].iter().any(|line| {
                let comment = line.raw.replacen(line.plain.trim(), "", 1).to_lowercase();
                comment.contains("cancel") || comment.contains("drop")
            });
            if !said {
                let remedy = "Say in a comment why dropping each arm is safe, with the word cancel or drop";
                findings.push(Finding::new(&source.path, number, "a `select!` without a reason", remedy));
            }
        }
        findings
    })
}

fn each(tree: &Tree, check: impl Fn(&Source) -> Vec<Finding>) -> Vec<Finding> {
    tree.sources().iter().flat_map(check).collect()
}
