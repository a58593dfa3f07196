//! Rules about documents, scripts, browser tests, and what a clone must not carry.

use super::{found, tells};
use crate::rules::{browser_tests, code_map, documents, hygiene};

const PAGE: &str = "ARCHITECTURE.md";

/// A page with a code map of its own rows, and rows enough to be one.
fn map(rows: &str) -> String {
    format!("# A\n## Code map\n{rows}\n{}## Next\n| `not/on/the/map` | x |\n", "| `src/` | The app. |\n".repeat(5))
}

#[test]
fn a_page_that_is_missing_or_too_long_is_found() {
    tells(code_map::the_page_is_short, PAGE, 1, &"a\n".repeat(401), &"a\n".repeat(400));
    assert_eq!(found(code_map::the_page_is_short, &[]), ["ARCHITECTURE.md:1"]);
}

#[test]
fn a_path_that_is_gone_or_unexplained_is_found() {
    let of = |row: &str| found(code_map::every_path_of_the_map_exists, &[(PAGE, &map(row)), ("src/a/mod.rs", "")]);
    assert_eq!(of("| `src/a/` | A. |"), Vec::<String>::new());
    assert_eq!(of("| `src/a/mod.rs` | A. |"), Vec::<String>::new());
    assert_eq!(of("| `src/b/` | B. |"), ["ARCHITECTURE.md:3"]);
    assert_eq!(of("| `src/a/` |  |"), ["ARCHITECTURE.md:3"]);
    assert_eq!(
        found(code_map::every_path_of_the_map_exists, &[(PAGE, "# A\n")]),
        ["ARCHITECTURE.md:1"],
        "no map at all"
    );
}

#[test]
fn a_folder_without_a_row_is_found() {
    let of = |path: &str| {
        let page = map("| `crates/one/` | One. |\n| `tests/it/` | Tests. |");
        found(code_map::every_folder_is_on_the_map, &[(PAGE, &page), ("src/main.rs", ""), (path, "")]).len()
    };
    for known in ["src/b.rs", "src/tests/mod.rs", "src/pictures/a.svg", "crates/one/Cargo.toml", "tests/it/main.rs"] {
        assert_eq!(of(known), 0, "{known}");
    }
    let nested = |other: &str| {
        let files = [(PAGE, "## Code map\n| `src/ui/` | x |\n"), ("src/ui/mod.rs", ""), ("src/ui/a/mod.rs", "")];
        found(code_map::every_folder_is_on_the_map, &[&files[..], &[(other, "")]].concat()).len()
    };
    assert_eq!((nested("src/ui/a/tests.rs"), nested("src/ui/a/b.rs")), (0, 1), "a file with its tests, and a module");
    for unknown in ["top/a.txt", "src/b/mod.rs", "crates/two/Cargo.toml"] {
        assert_eq!(of(unknown), 1, "{unknown}");
    }
}

#[test]
fn a_step_that_was_renamed_or_moved_is_found() {
    let of = |symbol: &str, file: &str| {
        let step = "| `Log::offer` | `src/log.rs` | x |\n".repeat(3);
        let page = format!("## The way of a message\n| `{symbol}` | `{file}` | x |\n{step}");
        let code = "struct Log;\nimpl Log {\n    pub fn offer(&self) {}\n}\nconst NEXT: u8 = 1;\n// fn gone() {}\n";
        found(code_map::every_step_of_the_way_exists, &[(PAGE, &page), ("src/log.rs", code)])
    };
    for known in ["offer", "Log::offer", "Log", "NEXT"] {
        assert_eq!(of(known, "src/log.rs"), Vec::<String>::new(), "{known}");
    }
    for unknown in ["take", "Queue::offer", "gone"] {
        assert_eq!(of(unknown, "src/log.rs"), ["ARCHITECTURE.md:2"], "{unknown}");
    }
    assert_eq!(of("offer", "src/other.rs"), ["ARCHITECTURE.md:2"]);
    assert_eq!(
        found(code_map::every_step_of_the_way_exists, &[(PAGE, "# A\n")]),
        ["ARCHITECTURE.md:1"],
        "no way at all"
    );
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let of = |link: &str| {
        let text = format!("# Title\n{link}\n```\n[code](gone.md)\n```\n");
        found(
            documents::links_lead_somewhere,
            &[("docs/a.md", &text), ("docs/b.md", "## Two words, & more\n"), ("c.md", "")],
        )
    };
    for good in
        ["[b](b.md)", "[c](../c.md)", "[b](b.md#two-words--more)", "[t](#title)", "[x](https://example.org/gone.md)"]
    {
        assert_eq!(of(good), Vec::<String>::new(), "{good}");
    }
    for bad in
        ["[b](gone.md)", "[b](b.md#three)", "<img src=\"gone.png\">", "<source srcset=\"gone.png\">", "[c](c.md)"]
    {
        assert_eq!(of(bad), ["docs/a.md:2"], "{bad}");
    }
}

#[test]
fn a_command_that_is_gone_or_does_not_know_its_option_is_found() {
    let of = |line: &str| found(documents::commands_exist, &[("a.md", line), ("bin/run", "#!/bin/sh\n# --port N\n")]);
    for good in
        ["Type `bin/run`.", "`bin/run --port 3001`", "    bin/run -- --data x", "`bin/run`, or `x --unknown`", "bin/"]
    {
        assert_eq!(of(good), Vec::<String>::new(), "{good}");
    }
    for bad in ["Type `bin/walk`.", "`bin/run --prot 3001`", "    bin/run --quick"] {
        assert_eq!(of(bad), ["a.md:1"], "{bad}");
    }
}

#[test]
fn a_script_that_does_not_explain_itself_is_found() {
    let good = "#!/bin/sh\n# Runs.\n#   bin/run\n#   --help   this text\nhelp_and_exit\n";
    tells(documents::scripts_answer_help, "bin/run", 1, "#!/bin/sh\n# Runs.\n#   bin/run\nexec x\n", good);
    tells(documents::scripts_answer_help, "bin/run", 1, &good.replace("bin/run", "bin/walk"), good);
}

#[test]
fn a_registry_is_found_but_for_cargos_own_word() {
    let host = concat!("https://registry", ".npmjs.org/x");
    tells(hygiene::no_file_names_a_registry, "a/package-lock.json", 1, host, "https://example.org");
    assert_eq!(
        found(hygiene::no_file_names_a_registry, &[("Cargo.lock", "registry+x/crates.io-index")]),
        Vec::<String>::new()
    );
    assert_eq!(
        found(hygiene::no_file_names_a_registry, &[("src/a.rs", "self.registry.reset()")]),
        Vec::<String>::new()
    );
}

#[test]
fn a_folder_of_somebodys_machine_is_found() {
    let rule = hygiene::no_file_names_a_machine;
    for bad in ["cd /home/ana/x", "\"/root/.cargo\"", "C:\\Users\\ana", "path=/work/x"] {
        tells(rule, "docs/a.md", 1, bad, "cd ~/work/x; https://example.org/home/; ./tmp/x");
    }
}

#[test]
fn a_browser_test_that_sleeps_or_is_left_out_is_found() {
    let rule = browser_tests::browser_tests_wait_for_conditions;
    for bad in ["await page.waitForTimeout(500);", "test.skip('x', f);", "test.only('x', f);", "test.fixme('x');"] {
        tells(rule, "end2end/tests/a.spec.ts", 1, bad, "await expect(row).toBeVisible();");
    }
}

#[test]
fn a_surface_without_its_style_is_found_and_a_sheet_that_nobody_imports() {
    let rule = browser_tests::surfaces_have_their_style;
    let surface = ("src/ui/room/mod.rs", "");
    let contents = ("style/main.css", "@import url('room.css');");
    assert_eq!(found(rule, &[surface, contents, ("style/room.css", "")]), Vec::<String>::new());
    assert_eq!(found(rule, &[surface, contents]), ["src/ui/room/mod.rs:1"]);
    assert_eq!(found(rule, &[contents, ("style/old.css", "")]), ["style/main.css:1"]);
}
