//! Who may know whom: packages by their Cargo.toml, modules by their `use` (ARCHITECTURE.md, invariants 1 and 2).

use std::collections::{BTreeMap, BTreeSet};

use super::HERE;
use crate::source::{Source, is_word};
use crate::{Finding, Tree};

/// The crates that the rules of a chat live in.
const LEAVES: [&str; 3] = ["protocol", "chat", "timeline"];
/// How the packages begin that belong to a framework, a server or a browser.
const FRAMEWORKS: [&str; 10] =
    ["leptos", "axum", "web-sys", "js-sys", "wasm-bindgen", "gloo", "hyper", "tower", "server_fn", "console_error"];
/// What each of our crates must not know.
const STRANGERS: [(&str, &[&str]); 6] = [
    ("protocol", &["tertulia-chat", "tertulia-timeline"]),
    ("chat", &["tertulia-timeline"]),
    ("timeline", &["tertulia-chat"]),
    // Independent clients: they may share the words, never the decisions.
    ("visitor", &["tertulia-chat", "tertulia-timeline"]),
    ("load", &["tertulia-chat", "tertulia-timeline"]),
    ("faults", &["tertulia-chat", "tertulia-timeline"]),
];
/// Crates that are tools: nothing depends on them.
const TOOLS: [&str; 4] = ["tertulia", "tertulia-load", "tertulia-faults", "tertulia-tidy"];

/// The one import against the grain: pages ask the server through functions whose bodies the browser's build leaves out.
const SEAM: (&str, &str) = ("src/api.rs", "server");

/// `protocol`, `chat` and `timeline` know no framework, no server and no browser.
#[must_use]
pub fn leaves_know_no_framework(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for leaf in LEAVES {
        let path = format!("crates/{leaf}/Cargo.toml");
        let found = dependencies(tree, &path);
        if found.is_empty() {
            findings.push(Finding::new(&path, 1, "it names no dependency at all", "Is the crate still there?"));
        }
        for (line, name) in found {
            if FRAMEWORKS.iter().any(|framework| name.starts_with(framework)) {
                let what = format!("{leaf} depends on {name}");
                findings.push(Finding::new(&path, line, what, "Keep it in the app (src/), behind a seam"));
            }
        }
    }
    findings
}

/// `chat` and `timeline` meet in `protocol` alone, and nothing depends on a tool.
#[must_use]
pub fn crates_keep_their_distance(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifests = tree.texts().filter(|(path, _)| path.ends_with("Cargo.toml"));
    for (path, _) in manifests {
        let own = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml")).unwrap_or_default();
        let strangers = STRANGERS.iter().find(|(name, _)| *name == own).map_or(&[][..], |(_, strangers)| strangers);
        for (line, name) in dependencies(tree, path) {
            if strangers.contains(&name) || TOOLS.contains(&name) {
                let what = format!("it depends on {name}");
                findings.push(Finding::new(path, line, what, "Let them meet in crates/protocol"));
            }
        }
    }
    findings
}

/// Only `chat` depends on the drivers of SQL and Redis.
#[must_use]
pub fn only_chat_has_drivers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifests = tree.texts().filter(|(path, _)| path.ends_with("Cargo.toml") && *path != "crates/chat/Cargo.toml");
    for (path, _) in manifests {
        for (line, name) in dependencies(tree, path) {
            if ["redis", "rusqlite", "sqlx", "tokio-postgres"].contains(&name) {
                let what = format!("it depends on {name}");
                findings.push(Finding::new(path, line, what, "Go through `Store` or `Bus`"));
            }
        }
    }
    findings
}

/// The dependencies a manifest names, with their lines; not those a workspace only offers to its members.
fn dependencies<'a>(tree: &'a Tree, path: &str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in tree.text(path).unwrap_or_default().lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies") && !table.starts_with("workspace");
            if let Some((_, name)) = table.split_once("dependencies.").filter(|_| !table.starts_with("workspace")) {
                found.push((index + 1, name));
            }
        } else if inside && line.contains('=') && !line.starts_with('#') {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            found.push((index + 1, name.trim_matches('"')));
        }
    }
    found
}

/// The modules at the top of a crate import each other in one direction: no two need each other, by however many steps.
#[must_use]
pub fn modules_import_in_one_direction(tree: &Tree) -> Vec<Finding> {
    let roots = tree.sources().iter().filter_map(|source| source.path.find("src/").map(|at| &source.path[..at + 4]));
    let roots: BTreeSet<&str> = roots.filter(|root| !root.starts_with(HERE)).collect();
    roots.into_iter().flat_map(|root| circles(tree, root)).collect()
}

type Imports<'a> = BTreeMap<&'a str, BTreeMap<String, (&'a str, usize)>>;

fn circles(tree: &Tree, root: &str) -> Vec<Finding> {
    let mut imports: Imports<'_> = BTreeMap::new();
    for source in tree.sources().iter().filter(|source| source.path.starts_with(root)) {
        let Some(module) = top_module(&source.path, root) else { continue };
        for (line, other) in imported(source, root) {
            if other != module && (source.path.as_str(), other.as_str()) != SEAM {
                imports.entry(module).or_default().entry(other).or_insert((&source.path, line));
            }
        }
    }
    let reaches = |from: &str, to: &str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(module) = next.pop() {
            for other in imports.get(module).into_iter().flat_map(BTreeMap::keys) {
                if other == to {
                    return true;
                }
                if seen.insert(other.as_str()) {
                    next.push(other);
                }
            }
        }
        false
    };
    let mut findings = Vec::new();
    for (module, others) in &imports {
        for (other, (path, line)) in others {
            if reaches(other, module) {
                let what = format!("`{module}` imports `{other}`, which needs `{module}`");
                let remedy = "Move what both need into a module that needs neither";
                findings.push(Finding::new(path, *line, what, remedy));
            }
        }
    }
    findings
}

/// The module at the top of its crate that a file belongs to; `None` for the crate's root.
fn top_module<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let inside = path.strip_prefix(root)?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&module)).then_some(module)
}

/// The modules at the top of the crate that a file names, with the lines.
fn imported(source: &Source, root: &str) -> Vec<(usize, String)> {
    // How many `super` lead to the top from here: `src/a.rs` and `src/a/mod.rs` need one, `src/a/b.rs` two.
    let depth = source.module_folder().strip_prefix(root).map_or(0, |inside| inside.split('/').count());
    let to_the_top = "super::".repeat(depth);
    let mut found = Vec::new();
    for (number, line) in source.product() {
        for start in ["crate::", to_the_top.as_str()].into_iter().filter(|start| !start.is_empty()) {
            for (at, _) in line.bare.match_indices(start) {
                let before = line.bare[..at].chars().next_back().unwrap_or(' ');
                let rest = &line.bare[at + start.len()..];
                if !is_word(before) && before != ':' && !rest.starts_with("super") {
                    found.extend(first_names(rest).into_iter().map(|name| (number, name)));
                }
            }
        }
    }
    // What the root re-exports begins with a capital letter: a name, not a module.
    found.retain(|(_, name)| name.starts_with(|sign: char| sign.is_ascii_lowercase()));
    found
}

/// `a::B` begins with `a`; `{a::B, c}` with `a` and `c`.
fn first_names(path: &str) -> Vec<String> {
    let name = |part: &str| part.trim().chars().take_while(|sign| is_word(*sign)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut depth = 0_usize;
    let mut parts = vec![String::new()];
    for sign in group.chars() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {}
        }
        if let (Some(part), true) = (parts.last_mut(), sign != ',') {
            part.push(sign);
        }
    }
    parts.iter().map(|part| name(part)).collect()
}
