//! Rules about the shape of files and functions.

use super::{found, tells};
use crate::rules::shape;

#[test]
fn a_long_file_is_found_and_a_long_document_is_not() {
    let long = "a\n".repeat(401);
    tells(shape::files_fit_a_sitting, "src/a.rs", 401, &long, &"a\n".repeat(400));
    assert_eq!(found(shape::files_fit_a_sitting, &[("docs/a.md", &long)]), Vec::<String>::new());
}

#[test]
fn a_long_function_is_found_and_comments_do_not_count() {
    let with = |line: &str, count: usize| format!("//! x\nfn f() {{\n{}}}\n", line.repeat(count));
    tells(shape::functions_fit_a_screen, "src/a.rs", 2, &with("a;\n", 71), &with("a;\n", 70));
    tells(shape::functions_fit_a_screen, "src/a.rs", 2, &with("a;\n", 71), &with("// a\n", 90));
}

#[test]
fn a_file_without_a_header_is_found_and_so_is_a_long_header() {
    tells(shape::files_say_what_they_are_for, "src/a.rs", 1, "use x;\n", "//! What for.\nuse x;\n");
    let long = "//! a\n".repeat(6);
    tells(shape::files_say_what_they_are_for, "src/a.rs", 1, &long, &"//! a\n".repeat(5));
}

#[test]
fn a_file_beside_its_folder_is_found() {
    let rule = shape::modules_with_parts_are_folders;
    assert_eq!(found(rule, &[("src/a.rs", ""), ("src/a/b.rs", "")]), ["src/a.rs:1"]);
    assert_eq!(found(rule, &[("src/a/mod.rs", ""), ("src/a/b.rs", "")]), Vec::<String>::new());
}

#[test]
fn unwrapping_is_found_outside_tests_only() {
    let rule = shape::nothing_unwraps_outside_tests;
    tells(rule, "src/a.rs", 2, "//! x\nlet a = b.unwrap();", "//! x\nlet a = b.unwrap_or(1); // no .unwrap()");
    let proven = "//! x\n#[expect(clippy::expect_used, reason = \"three is not nought\")]\nlet a = b.expect(\"y\");";
    tells(rule, "src/a.rs", 2, "//! x\nlet a = b.expect(\"y\");", proven);
    let constant = "//! x\nconst A: NonZero = NonZero::new(3).unwrap();";
    tells(rule, "src/a.rs", 2, "//! x\nstatic_call(b.unwrap());", constant);
    let inline = "//! x\n#[cfg(test)]\nmod tests {\n    fn a() {\n        b.unwrap();\n    }\n}\n";
    assert_eq!(found(rule, &[("src/a.rs", inline)]), Vec::<String>::new());
    let declared = [("src/lib.rs", "#[cfg(test)]\nmod a;"), ("src/a.rs", "b.unwrap();")];
    assert_eq!(found(rule, &declared), Vec::<String>::new());
}

#[test]
fn a_placeholder_is_found_in_tests_as_well() {
    tells(shape::nothing_is_left_to_panic, "src/tests.rs", 1, "todo!()", "// todo!() is what we never write");
}

#[test]
fn a_loose_end_without_an_issue_is_found() {
    let loose = concat!("// TO", "DO: mend this");
    let named = concat!("// TO", "DO(#12): mend this");
    tells(shape::loose_ends_have_an_issue, "src/a.rs", 1, loose, named);
    tells(shape::loose_ends_have_an_issue, "style/a.css", 1, concat!("/* FIX", "ME */"), "/* mended */");
}

#[test]
fn a_select_without_a_reason_is_found() {
    let with = |comment: &str| {
        format!("//! x\nfn f() {{\n    tokio::select! {{\n        {comment}\n        a = b() => {{}}\n    }}\n}}")
    };
    let rule = shape::selects_say_why_cancelling_is_safe;
    tells(rule, "src/a.rs", 3, &with("// first a"), &with("// Safe to cancel: b takes nothing."));
    let above = "fn f() {\n    // Either may be dropped: nothing is lost.\n    tokio::select! {\n        a = b() => {}\n    }\n}";
    assert_eq!(found(rule, &[("src/a.rs", above)]), Vec::<String>::new());
}
