//! The README's table of settings is the one that the program prints.

use crate::server::config::markdown;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));

#[test]
fn the_readme_has_the_table_that_the_program_prints() {
    let (_, after) = README.split_once("<!-- settings -->\n").expect("the table has a beginning");
    let (table, _) = after.split_once("<!-- /settings -->").expect("the table has an end");
    assert!(table.lines().count() > 2, "a table has rows");
    assert_eq!(table, markdown(), "put the output of `tertulia settings --markdown` between the README's two marks");
}
