//! A translation that says something else than the README is found, and told by the first that differs.

use super::found;
use crate::Tree;
use crate::rules::translations::translations_follow_the_original as rule;

const LANGUAGES: &str = "[English](README.md) · [Català](README.ca.md)";

/// A small README: both kinds of code, two levels of headings, a link, a table, code in a sentence.
const ENGLISH: &str = "# Title\n\nType `bin/run`, then\nread [this](docs/a.md).\n\n    bin/run\n\n    more\n\n## Settings\n\n\
    | `a` | [b](b.md) |\n|---|---|\n\n```sh\n    curl\n\n# no heading\n```\n\n1. Listen:\n\n       redis-cli\n\n   The end.\n";
const CATALAN: &str = "# Títol\n\nLlegeix [això](docs/a.md). Abans, `bin/run`.\n\n    bin/run\n\n    more\n\n## Opcions\n\n\
    Vegeu [la taula](README.md#settings).\n\n```sh\n    curl\n\n# no heading\n```\n\n1. Escolta:\n\n       redis-cli\n\n   Fi.\n";

/// What the rule says of the small README beside this text in Catalan.
fn told(catalan: &str) -> Vec<String> {
    let english = format!("{LANGUAGES}\n\n{ENGLISH}");
    let tree = Tree::of(&[("README.md", &english), ("README.ca.md", &format!("{LANGUAGES}\n\n{catalan}"))]);
    rule(&tree).iter().map(ToString::to_string).collect()
}

#[test]
fn a_translation_that_differs_in_words_alone_is_true() {
    assert_eq!(told(CATALAN), Vec::<String>::new());
    let reflowed = CATALAN.replace("Abans, `bin/run`.", "Abans,\nsempre `bin/run`, sí, `bin/run`.");
    assert_ne!(reflowed, CATALAN);
    assert_eq!(told(&reflowed), Vec::<String>::new(), "lines broken elsewhere, a word said twice");
}

#[test]
fn the_first_block_that_differs_is_named() {
    let of = |from: &str, to: &str| {
        let bad = CATALAN.replacen(from, to, 1);
        assert_ne!(bad, CATALAN, "{from}");
        told(&bad)
    };
    let start = |told: &[String], what: &str| {
        assert!(matches!(told, [one] if one.starts_with(what)), "expected {what}\n{told:#?}");
    };
    start(
        &of("    more", "    less"),
        "README.ca.md:9: code block 2 is `    less` here and `    more` in README.md:10",
    );
    start(
        &of("    curl", "    wget"),
        "README.ca.md:16: code block 3 is `    wget` here and `    curl` in README.md:18",
    );
    start(&of("```sh", "```json"), "README.ca.md:15: code block 3 is `");
    start(&of("       redis-cli\n\n", ""), "README.ca.md:1: code block 4 is nothing here and `       redis-cli` in");
    start(&of("   Fi.", "   Fi.\n\n    x"), "README.ca.md:27: code block 5 is `    x` here and nothing in README.md.");
}

#[test]
fn a_heading_a_link_or_a_word_that_differs_is_found() {
    for (from, to, line) in [
        ("## Opcions", "### Opcions", 11),
        ("## Opcions", "Opcions", 1),
        ("docs/a.md", "docs/b.md", 5),
        ("[això](docs/a.md)", "això", 1),
        ("`bin/run`", "bin/run", 1),
        ("Escolta:", "Escolta `x`:", 21),
    ] {
        let bad = CATALAN.replacen(from, to, 1);
        assert_ne!(bad, CATALAN, "{from}");
        let told = told(&bad);
        let place = format!("README.ca.md:{line}: ");
        assert!(matches!(&told[..], [one] if one.starts_with(&place)), "{to}: expected {place}\n{told:#?}");
    }
}

#[test]
fn a_language_that_the_first_line_does_not_name_is_found() {
    let of = |english: &str, catalan: &str| found(rule, &[("README.md", english), ("README.ca.md", catalan)]);
    assert_eq!(of(LANGUAGES, LANGUAGES), Vec::<String>::new());
    assert_eq!(of(LANGUAGES, "[English](README.md)"), ["README.ca.md:1"]);
    assert_eq!(of("[English](README.md)", "[English](README.md)"), ["README.ca.md:1"]);
    assert_eq!(found(rule, &[("README.ca.md", "# Sol\n")]), Vec::<String>::new(), "no original, no translation");
}
