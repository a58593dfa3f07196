//! ARCHITECTURE.md tells the truth: its code map names what is there, its way of a message what the code is called.

use std::collections::BTreeSet;

use super::{code_words, section};
use crate::source::{Source, defined};
use crate::{Finding, Tree};

/// The page that is held to its word.
const PAGE: &str = "ARCHITECTURE.md";
/// Longest page, in lines.
const PAGE_LINES: usize = 400;
/// Fewest rows that make a map; fewer mean that the section was renamed or rewritten beyond recognition.
const FEWEST_PATHS: usize = 5;
/// Fewest steps that make a way.
const FEWEST_STEPS: usize = 3;
/// What can carry a name in Rust.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];

/// The page can be read in one go.
#[must_use]
pub fn the_page_is_short(tree: &Tree) -> Vec<Finding> {
    let lines = tree.text(PAGE).map_or(0, |text| text.lines().count());
    let what = match lines {
        0 => "it is missing".to_owned(),
        1..=PAGE_LINES => return Vec::new(),
        _ => format!("{lines} lines, the most is {PAGE_LINES}"),
    };
    vec![Finding::new(PAGE, 1, what, "Say less, and say it once")]
}

/// Every path of the code map exists and is explained.
#[must_use]
pub fn every_path_of_the_map_exists(tree: &Tree) -> Vec<Finding> {
    let rows = map_rows(tree);
    let mut findings = Vec::new();
    if rows.len() < FEWEST_PATHS {
        findings.push(Finding::new(
            PAGE,
            1,
            "there is no code map",
            "Write `## Code map` with rows `| `path` | words |`",
        ));
    }
    for (line, path, words) in rows {
        if !tree.has(path) {
            findings.push(Finding::new(PAGE, line, format!("{path} does not exist"), "Correct the code map"));
        }
        if words.is_empty() {
            findings.push(Finding::new(PAGE, line, format!("{path} is not explained"), "Say in a line what it is for"));
        }
    }
    findings
}

/// Every folder at the top, every crate and every module with parts is on the code map.
#[must_use]
pub fn every_folder_is_on_the_map(tree: &Tree) -> Vec<Finding> {
    let named: BTreeSet<&str> = map_rows(tree).into_iter().map(|(_, path, _)| path.trim_end_matches('/')).collect();
    // A folder at the top may be named by what is in it.
    let is_named = |folder: &str| {
        named.contains(folder)
            || !folder.contains('/') && named.iter().any(|path| path.split('/').next() == Some(folder))
    };
    let missing = tree.folders().filter(|folder| deserves_a_row(tree, folder) && !is_named(folder));
    missing
        .map(|folder| Finding::new(PAGE, 1, format!("{folder}/ is not on the code map"), "Give it a row of its own"))
        .collect()
}

fn deserves_a_row(tree: &Tree, folder: &str) -> bool {
    if !folder.contains('/') || tree.has(&format!("{folder}/Cargo.toml")) {
        return true;
    }
    let module = tree.has(&format!("{folder}/mod.rs")) && !folder.split('/').any(|part| part == "tests");
    // Inside a module, a folder that holds nothing but a file and its tests is no more than a file.
    let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    let nested = tree.has(&format!("{parent}/mod.rs"));
    module && !(nested && is_a_file_with_tests(tree, folder))
}

fn is_a_file_with_tests(tree: &Tree, folder: &str) -> bool {
    let inside = tree.texts().filter_map(|(path, _)| path.strip_prefix(folder)?.strip_prefix('/'));
    inside.into_iter().all(|name| name == "mod.rs" || name == "tests.rs")
}

/// Rows of the code map: line, path, words.
fn map_rows(tree: &Tree) -> Vec<(usize, &str, &str)> {
    let lines = section(tree.text(PAGE).unwrap_or_default(), "Code map");
    let rows = lines.into_iter().filter_map(|(line, text)| Some((line, text.strip_prefix("| `")?)));
    rows.filter_map(|(line, rest)| {
        let (path, words) = rest.split_once("` |")?;
        Some((line, path, words.trim().trim_end_matches('|').trim()))
    })
    .collect()
}

/// Every symbol on the way of a message is defined in the file that is named with it.
#[must_use]
pub fn every_step_of_the_way_exists(tree: &Tree) -> Vec<Finding> {
    let lines = section(tree.text(PAGE).unwrap_or_default(), "The way of a message");
    let mut findings = Vec::new();
    let mut steps = 0;
    for (line, text) in lines.into_iter().filter(|(_, text)| text.starts_with("| ")) {
        let cells: Vec<&str> = text.trim_matches('|').split(" | ").collect();
        let (Some(symbols), Some(file)) = (cells.first(), cells.get(1)) else { continue };
        let (symbols, files) = (code_words(symbols), code_words(file));
        let [path] = files[..] else { continue };
        steps += 1;
        let source = tree.sources().iter().find(|source| source.path == path);
        for symbol in symbols {
            if !source.is_some_and(|source| defines(source, symbol)) {
                let what = format!("{symbol} is not in {path}");
                findings.push(Finding::new(PAGE, line, what, "Correct the way of a message"));
            }
        }
    }
    if steps < FEWEST_STEPS {
        let remedy = "Write `## The way of a message` with rows `| `Type::function` | `file` | words |`";
        findings.push(Finding::new(PAGE, 1, "the way of a message is not told", remedy));
    }
    findings
}

/// Whether a file defines `name`, or `name` of the type before it: `RoomLog::offer`.
fn defines(source: &Source, symbol: &str) -> bool {
    let mut parts = symbol.rsplit("::");
    let (Some(name), owner) = (parts.next(), parts.next()) else { return false };
    let has = |name: &str| {
        source.product().any(|(_, line)| KEYWORDS.iter().any(|keyword| defined(&line.bare, keyword) == Some(name)))
    };
    let owns = |owner: &str| {
        let of = |line: &str| line.split(|sign: char| !crate::source::is_word(sign)).any(|word| word == owner);
        let blocks = |line: &str| line.trim_start().starts_with("impl") && of(line);
        has(owner) || source.product().any(|(_, line)| blocks(&line.bare))
    };
    has(name) && owner.is_none_or(owns)
}
