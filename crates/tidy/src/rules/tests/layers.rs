//! Rules about who may know whom.

use super::{found, tells};
use crate::rules::layers;

const GOOD: [(&str, &str); 3] = [
    ("crates/protocol/Cargo.toml", "[dependencies]\nserde.workspace = true\n"),
    ("crates/chat/Cargo.toml", "[dependencies]\ntertulia-protocol.workspace = true\nredis.workspace = true\n"),
    ("crates/timeline/Cargo.toml", "[dependencies]\ntertulia-protocol.workspace = true\n"),
];

/// The good crates with one manifest changed.
fn with(path: &'static str, text: &'static str) -> Vec<(&'static str, &'static str)> {
    GOOD.into_iter().filter(|(other, _)| *other != path).chain([(path, text)]).collect()
}

#[test]
fn a_leaf_that_knows_a_framework_is_found_in_any_kind_of_table() {
    let rule = layers::leaves_know_no_framework;
    assert_eq!(found(rule, &GOOD), Vec::<String>::new());
    for text in [
        "[dependencies]\nleptos = \"1\"\n",
        "[dev-dependencies]\naxum = { version = \"1\" }\n",
        "\n[dependencies.web-sys]\nversion = \"1\"\n",
        "[target.'cfg(x)'.dependencies]\njs-sys.workspace = true\n",
    ] {
        let line = text.lines().position(|line| line.contains("web-sys")).unwrap_or(1) + 1;
        let path = "crates/timeline/Cargo.toml";
        assert_eq!(found(rule, &with(path, text)), [format!("{path}:{line}")], "{text}");
    }
    assert_eq!(found(rule, &with("crates/chat/Cargo.toml", "")), ["crates/chat/Cargo.toml:1"], "a crate that is gone");
}

#[test]
fn leaves_that_know_each_other_are_found() {
    let rule = layers::crates_keep_their_distance;
    assert_eq!(found(rule, &GOOD), Vec::<String>::new());
    let path = "crates/timeline/Cargo.toml";
    assert_eq!(
        found(rule, &with(path, "[dependencies]\ntertulia-chat.workspace = true\n")),
        ["crates/timeline/Cargo.toml:2"]
    );
    let app = "[dependencies]\ntertulia-chat.workspace = true\ntertulia-load.workspace = true\n";
    assert_eq!(found(rule, &with("Cargo.toml", app)), ["Cargo.toml:3"]);
}

#[test]
fn a_driver_outside_chat_is_found_and_the_workspace_may_offer_it() {
    let rule = layers::only_chat_has_drivers;
    assert_eq!(found(rule, &GOOD), Vec::<String>::new());
    tells(
        rule,
        "Cargo.toml",
        2,
        "[dependencies]\nrusqlite.workspace = true\n",
        "[workspace.dependencies]\nrusqlite = \"1\"\n",
    );
}

#[test]
fn a_circle_of_modules_is_found_however_it_is_written() {
    let rule = layers::modules_import_in_one_direction;
    let circle = |back: &str| {
        found(
            rule,
            &[
                ("src/a.rs", "use crate::b::B;"),
                ("src/b/mod.rs", "mod d;"),
                ("src/b/d.rs", back),
                ("src/c.rs", "use super::a;"),
            ],
        )
    };
    assert_eq!(circle("use crate::x::Y;"), Vec::<String>::new());
    for back in ["use crate::a::A;", "use super::super::a;", "use crate::{x::{y, z}, a};", "let a = crate::a::f();"] {
        assert_eq!(circle(back), ["src/a.rs:1", "src/b/d.rs:1"], "{back}");
    }
    assert_eq!(circle("// use crate::a;"), Vec::<String>::new());
    assert_eq!(
        circle("#[cfg(test)]\nmod tests {\n    use crate::a;\n}"),
        Vec::<String>::new(),
        "tests may look anywhere"
    );
    assert_eq!(circle("use crate::c;"), ["src/a.rs:1", "src/b/d.rs:1", "src/c.rs:1"], "through a third");
}
