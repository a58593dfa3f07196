//! Every rule holds in this very tree, but for the debts that are written down here.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use crate::Tree;
use crate::rules::{Rule, browser_tests, code_map, documents, hygiene, layers, one_place, shape, translations};

mod debts;

use self::debts::DEBTS;

/// Far fewer than there are: a tree that was not found must not pass for a tidy one.
const FEWEST_FILES: usize = 150;

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Tree::read(&root).unwrap_or_else(|error| panic!("{} cannot be read: {error}", root.display()))
});

/// One test per rule, and the list of all of them.
macro_rules! rules {
    ($($subject:ident::$rule:ident,)*) => {
        const RULES: &[(&str, Rule)] = &[$((stringify!($rule), $subject::$rule),)*];
        $(
            #[test]
            fn $rule() {
                check(stringify!($rule), $subject::$rule);
            }
        )*
    };
}

rules! {
    shape::files_fit_a_sitting,
    shape::functions_fit_a_screen,
    shape::files_say_what_they_are_for,
    shape::modules_with_parts_are_folders,
    shape::nothing_unwraps_outside_tests,
    shape::nothing_is_left_to_panic,
    shape::loose_ends_have_an_issue,
    shape::selects_say_why_cancelling_is_safe,
    one_place::one_file_each_opens_the_ways_to_the_server,
    one_place::one_file_reads_the_clock,
    one_place::one_file_reads_the_environment,
    one_place::redis_is_spoken_to_in_one_folder,
    one_place::sql_stands_in_one_folder,
    one_place::one_place_reads_and_writes_json,
    one_place::one_file_each_draws_secrets_and_identities,
    one_place::no_channel_is_unbounded,
    one_place::no_text_becomes_markup,
    one_place::features_show_at_the_seams_only,
    layers::leaves_know_no_framework,
    layers::crates_keep_their_distance,
    layers::only_chat_has_drivers,
    layers::modules_import_in_one_direction,
    code_map::the_page_is_short,
    code_map::every_path_of_the_map_exists,
    code_map::every_folder_is_on_the_map,
    code_map::every_step_of_the_way_exists,
    documents::links_lead_somewhere,
    documents::commands_exist,
    documents::scripts_answer_help,
    translations::translations_follow_the_original,
    hygiene::no_file_names_a_registry,
    hygiene::no_file_names_a_machine,
    browser_tests::browser_tests_wait_for_conditions,
    browser_tests::surfaces_have_their_style,
}

fn check(name: &str, rule: Rule) {
    assert!(TREE.texts().count() >= FEWEST_FILES, "the tree was not found");
    let found = rule(&TREE).into_iter().filter(|finding| {
        !DEBTS.iter().any(|debt| debt.rule == name && debt.path == finding.path && finding.what.contains(debt.what))
    });
    let found: Vec<String> = found.map(|finding| finding.to_string()).collect();
    assert!(found.is_empty(), "{} to mend:\n{}", found.len(), found.join("\n"));
}

/// What a rule cannot see, because it comes out only when the script runs.
#[test]
fn the_help_of_every_script_is_for_people() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let scripts = TREE.texts().map(|(path, _)| path).filter(|path| path.starts_with("bin/") && *path != "bin/lib.sh");
    let scripts: Vec<&str> = scripts.collect();
    assert!(scripts.len() >= 6, "the scripts were not found: {scripts:?}");
    for script in scripts {
        let ran = Command::new(root.join(script)).arg("--help").output().expect("the script starts");
        let said = String::from_utf8(ran.stdout).expect("its help is text");
        assert!(ran.status.success() && said.contains("--help"), "{script} says how it is called: {said}");
        assert!(!said.contains("shellcheck source"), "{script} shows what is meant for a tool: {said}");
        assert!(said.ends_with('\n') && said.trim_end().len() + 1 == said.len(), "{script} ends in its last line");
    }
}

/// A debt that is paid is crossed out, or it would hide the next one.
#[test]
fn every_debt_is_still_owed() {
    for debt in DEBTS {
        let rule = RULES.iter().find(|(name, _)| *name == debt.rule);
        let (_, rule) = rule.unwrap_or_else(|| panic!("there is no rule {}", debt.rule));
        let owed = rule(&TREE).iter().any(|finding| finding.path == debt.path && finding.what.contains(debt.what));
        assert!(owed, "{} keeps `{}` by now: take the debt out of debts.rs", debt.path, debt.rule);
        assert!(!debt.reason.is_empty(), "{}: a debt says why it is one", debt.path);
    }
}

/// A rule that cannot fail says nothing, so each is shown something bad in `rules/tests`.
#[test]
fn every_rule_is_proven_able_to_fail() {
    let proofs = TREE.texts().filter(|(path, _)| path.starts_with("crates/tidy/src/rules/tests/"));
    let proofs: String = proofs.map(|(_, text)| text).collect();
    let unproven: Vec<&str> = RULES.iter().map(|(name, _)| *name).filter(|name| !proofs.contains(name)).collect();
    assert!(RULES.len() > 30 && unproven.is_empty(), "without a proof: {unproven:?}");
}
