//! What a tree that anybody may clone does not carry: whose machine it was made on, and where its packages came from.

use super::HERE;
use crate::{Finding, Tree};

/// Hosts of package registries and image stores; a mirror's address is for the machine's settings, not for the tree.
const REGISTRIES: [&str; 12] = [
    "://registry.",
    "crates.io",
    "npmjs.org",
    "npmmirror",
    "jsr.io",
    "pypi.org",
    "ghcr.io",
    "quay.io",
    "docker.io",
    "gcr.io",
    "artifactory",
    "jfrog",
];
/// Folders that belong to one machine or one person.
const MACHINES: [&str; 6] = ["/home/", "/root/", "/Users/", "/work/", "/tmp/", "C:\\"];
/// Cargo writes the name of its default index into the lock file, whatever mirror was used.
const LOCK: &str = "Cargo.lock";

/// No file names the host of a registry.
#[must_use]
pub fn no_file_names_a_registry(tree: &Tree) -> Vec<Finding> {
    found(tree, |path, line| {
        let host = REGISTRIES.iter().find(|host| line.contains(**host))?;
        (path != LOCK).then(|| (format!("it names a registry ({host})"), "Leave it to the settings of the machine"))
    })
}

/// No file names a folder of somebody's machine.
#[must_use]
pub fn no_file_names_a_machine(tree: &Tree) -> Vec<Finding> {
    found(tree, |_, line| {
        let starts = |folder: &&&str| {
            line.match_indices(**folder).any(|(at, _)| {
                // `$HOME/work/x` and `https://host/home/x` are no folders of a machine.
                let before = line[..at].chars().next_back().unwrap_or(' ');
                !(before.is_alphanumeric() || "_-./}~*".contains(before))
            })
        };
        let folder = MACHINES.iter().find(|folder| starts(folder))?;
        Some((format!("it names a folder of a machine ({folder})"), "Say it relative to the tree, or by a variable"))
    })
}

fn found(tree: &Tree, check: impl Fn(&str, &str) -> Option<(String, &'static str)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !path.starts_with(HERE)) {
        for (index, line) in text.lines().enumerate() {
            if let Some((what, remedy)) = check(path, line) {
                findings.push(Finding::new(path, index + 1, what, remedy));
            }
        }
    }
    findings
}
