//! What is said in several languages says the same: a translation of the README has its commands, links and headings.
//!
//! Sentences cannot be compared, but what is not language can. Whoever changes the README is told what else to change.

use std::collections::BTreeSet;

use super::code_words;
use super::documents::links;
use crate::{Finding, Tree};

const ORIGINAL: &str = "README.md";
const REMEDY: &str = "Say in the translation what the README says, or mend the README";

/// Every `README.*.md` has the README's code blocks, headings, relative links and code words, and its line of languages.
/// Each kind is told once, by the first that differs: what follows is often only moved.
#[must_use]
pub fn translations_follow_the_original(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(ORIGINAL) else { return Vec::new() };
    let original = Outline::of(text);
    let translations = tree.texts().filter(|(path, _)| is_translation(path));
    translations
        .flat_map(|(path, text)| {
            let translation = Outline::of(text);
            let found = [
                languages(path, &original, &translation),
                first_difference(path, "code block", &original.blocks, &translation.blocks),
                first_difference(path, "heading", &original.headings, &translation.headings),
                first_difference(path, "link", &original.links, &translation.links),
                lost_word(path, &original, &translation),
            ];
            found.into_iter().flatten()
        })
        .collect()
}

fn is_translation(path: &str) -> bool {
    path != ORIGINAL && path.starts_with("README.") && path.ends_with(".md")
}

/// Something of a document, with the line it stands in or begins at, from 1.
type Placed = (usize, String);

/// What of a document is the same in every language.
#[derive(Default)]
struct Outline {
    languages: String,
    /// Indented and fenced ones; a fenced one with its fences, because they name the language.
    blocks: Vec<Placed>,
    /// The signs in front of each heading, one per level.
    headings: Vec<Placed>,
    /// Targets inside the tree, but for those that lead from README to README.
    links: Vec<Placed>,
    /// What stands in backticks in a sentence.
    words: Vec<Placed>,
}

impl Outline {
    fn of(text: &str) -> Self {
        let mut outline = Self { languages: text.lines().next().unwrap_or_default().to_owned(), ..Self::default() };
        for part in parts(text) {
            match part {
                Part::Code(line, text) => outline.blocks.push((line, text)),
                Part::Prose(line, text) => outline.read(line, &text),
            }
        }
        outline
    }

    fn read(&mut self, line: usize, text: &str) {
        let level = text.len() - text.trim_start_matches('#').len();
        if level > 0 {
            self.headings.push((line, text[..level].to_owned()));
        }
        let targets = links(text).filter(|target| !target.contains("://") && !target.starts_with("README"));
        self.links.extend(targets.map(|target| (line, target.to_owned())));
        self.words.extend(code_words(text).into_iter().map(|word| (line, word.to_owned())));
    }
}

enum Part {
    Code(usize, String),
    /// A paragraph in one line, so that it does not matter where its lines are broken.
    Prose(usize, String),
}

/// A document's paragraphs and code, in order. Rows of tables are left out: the README alone has the one of settings.
fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut fenced, mut blanks) = (false, 0);
    for (index, line) in text.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        let rest = if blanks == 0 { parts.last_mut() } else { None };
        match rest {
            _ if !fenced && line.trim().is_empty() => blanks += 1,
            _ if !fenced && line.starts_with('|') => blanks = 1,
            Some(Part::Code(_, code)) if fenced => {
                code.push_str(&format!("\n{line}"));
                fenced = !fence;
            }
            Some(Part::Prose(_, prose)) if !fence && !line.starts_with('#') => {
                prose.push_str(&format!(" {}", line.trim()))
            }
            Some(Part::Code(_, code)) if !fence && line.starts_with("    ") => code.push_str(&format!("\n{line}")),
            _ if fence || line.starts_with("    ") => {
                parts.push(Part::Code(index + 1, line.to_owned()));
                (fenced, blanks) = (fence, 0);
            }
            _ => {
                parts.push(Part::Prose(index + 1, line.to_owned()));
                blanks = 0;
            }
        }
    }
    parts
}

/// One line leads to all languages; it is the same everywhere, and leads here as well.
fn languages(path: &str, original: &Outline, translation: &Outline) -> Option<Finding> {
    let leads_here = links(&original.languages).any(|target| target == path);
    if original.languages == translation.languages && leads_here {
        return None;
    }
    let what = if leads_here { "its first line is not that of README.md" } else { "README.md does not lead here" };
    Some(Finding::new(path, 1, what, "Open every README with the same line of links to all languages"))
}

fn first_difference(path: &str, kind: &str, original: &[Placed], translation: &[Placed]) -> Option<Finding> {
    let same = original.iter().zip(translation).take_while(|((_, theirs), (_, ours))| theirs == ours).count();
    let (theirs, ours) = match (original.get(same), translation.get(same)) {
        (None, None) => return None,
        (theirs, ours) => (theirs, ours),
    };
    let lines = |placed: Option<&Placed>| placed.map(|(_, text)| text.clone()).unwrap_or_default();
    let (wanted, found) = (lines(theirs), lines(ours));
    // The first line in which two blocks differ says more than the first line of both.
    let longest = wanted.lines().count().max(found.lines().count());
    let differs = (0..longest).find(|at| wanted.lines().nth(*at) != found.lines().nth(*at)).unwrap_or(0);
    let said = |text: &str| text.lines().nth(differs).map_or_else(|| "nothing".to_owned(), |line| format!("`{line}`"));
    let place = theirs.map_or_else(|| ORIGINAL.to_owned(), |(line, _)| format!("{ORIGINAL}:{}", line + differs));
    let what = format!("{kind} {} is {} here and {} in {place}", same + 1, said(&found), said(&wanted));
    Some(Finding::new(path, ours.map_or(1, |(line, _)| line + differs), what, REMEDY))
}

/// Languages order and repeat their words differently, so only the sets are compared.
fn lost_word(path: &str, original: &Outline, translation: &Outline) -> Option<Finding> {
    let set = |outline: &Outline| outline.words.iter().map(|(_, word)| word.clone()).collect::<BTreeSet<_>>();
    let (wanted, said) = (set(original), set(translation));
    if let Some((line, word)) = original.words.iter().find(|(_, word)| !said.contains(word)) {
        return Some(Finding::new(path, 1, format!("`{word}` of {ORIGINAL}:{line} is not said here"), REMEDY));
    }
    let (line, word) = translation.words.iter().find(|(_, word)| !wanted.contains(word))?;
    Some(Finding::new(path, *line, format!("`{word}` is not said in {ORIGINAL}"), REMEDY))
}
