//! What the documents promise: links that lead somewhere, commands that exist and explain themselves.

use crate::{Finding, Tree};

/// Every link of a document leads to a file of the tree, and to a heading where it names one.
#[must_use]
pub fn links_lead_somewhere(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in documents(tree) {
        for (line, target) in prose(text).flat_map(|(line, text)| links(text).map(move |target| (line, target))) {
            if let Some(what) = broken(tree, path, target) {
                findings.push(Finding::new(path, line, what, "Correct the link, or add what it promises"));
            }
        }
    }
    findings
}

/// Every `bin/…` that a document names exists, can be run, and knows the options that are given with it.
#[must_use]
pub fn commands_exist(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in documents(tree) {
        for (index, line) in text.lines().enumerate() {
            for (command, options) in commands(line) {
                let what = match tree.text(&command) {
                    None => format!("there is no {command}"),
                    Some(_) if !tree.is_executable(&command) => format!("{command} cannot be run"),
                    Some(script) => match options.iter().find(|option| !script.contains(*option)) {
                        Some(option) => format!("{command} does not know {option}"),
                        None => continue,
                    },
                };
                findings.push(Finding::new(path, index + 1, what, "Correct the document, or write the command"));
            }
        }
    }
    findings
}

/// Every script in `bin/` explains itself: it answers `--help` with the comment at its top, which shows how it is called.
#[must_use]
pub fn scripts_answer_help(tree: &Tree) -> Vec<Finding> {
    let scripts = tree.texts().filter(|(path, _)| path.starts_with("bin/") && tree.is_executable(path));
    let mute = scripts.filter(|(path, text)| {
        let top: Vec<&str> = text.lines().skip(1).take_while(|line| line.starts_with('#')).collect();
        // `help_and_exit` of bin/lib.sh prints that comment.
        let answers = text.contains("help_and_exit") && top.iter().any(|line| line.contains("--help"));
        let shown = top.iter().any(|line| line.trim_start_matches(['#', ' ']).starts_with(path));
        !(path.ends_with(".sh") || answers && shown)
    });
    mute.map(|(path, _)| {
        let remedy = "Open it with a comment that shows its calls and --help, and call help_and_exit";
        Finding::new(path, 1, "it does not explain itself", remedy)
    })
    .collect()
}

fn documents(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.texts().filter(|(path, _)| path.ends_with(".md"))
}

/// The lines outside fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// The targets of Markdown links and of HTML's `src`, `srcset` and `href`.
pub(super) fn links(line: &str) -> impl Iterator<Item = &str> {
    let markdown = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let html = ["src=\"", "srcset=\"", "href=\""].into_iter();
    let html = html.flat_map(|start| line.split(start).skip(1)).filter_map(|rest| rest.split('"').next());
    markdown.chain(html)
}

fn broken(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
    let path = if file.is_empty() { from.to_owned() } else { resolved(from, file) };
    if !tree.has(&path) {
        return Some(format!("{target} leads nowhere"));
    }
    let heading = heading?;
    let headings = prose(tree.text(&path)?).filter(|(_, line)| line.starts_with('#'));
    let known = headings.map(|(_, line)| anchor(line)).any(|known| known == heading);
    (!known).then(|| format!("{path} has no heading for #{heading}"))
}

/// A link's path from the root of the tree.
fn resolved(from: &str, file: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A heading's address, as the usual renderers make it.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|sign| sign.is_alphanumeric() || [' ', '-', '_'].contains(sign));
    kept.map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

/// The scripts named in a line, each with the options that directly follow it. Backticks end a call, and so does a
/// lone `--`: what comes after it is for somebody else.
fn commands(line: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for call in line.split('`') {
        let mut open = false;
        for word in call.split_whitespace() {
            let word = word.trim_start_matches(|sign: char| !(sign.is_alphanumeric() || sign == '-' || sign == '.'));
            let end = word.find(|sign: char| !(sign.is_alphanumeric() || "-_./".contains(sign))).unwrap_or(word.len());
            let word = word[..end].trim_end_matches('.');
            if word.starts_with("bin/") && word.len() > 4 {
                found.push((word.to_owned(), Vec::new()));
                open = true;
            } else if word == "--" {
                open = false;
            } else if let (true, true, Some((_, options))) = (open, word.starts_with("--"), found.last_mut()) {
                options.push(word.to_owned());
            }
        }
    }
    found
}
