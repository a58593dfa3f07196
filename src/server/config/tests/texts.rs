//! The texts made of the table: `--help`, the command line, the README's table.

use super::World;
use crate::server::config::table::SETTINGS;
use crate::server::config::{Command, command, markdown};

#[test]
fn help_names_every_setting_in_all_its_forms() {
    let help = |args: &[&str]| World::default().args(args).run().expect_err("help is not a command");
    let long = help(&["serve", "--help"]);
    assert_eq!(long.code(), 0);
    let (long, short) = (long.to_string(), help(&["serve", "-h"]).to_string());
    for setting in &SETTINGS {
        for part in [setting.flag(), setting.variable(), setting.allowed(), setting.help.to_owned()] {
            assert!(long.contains(&part), "{part} is not in --help");
        }
        assert!(long.contains(&format!("[default: {}", setting.default_words())), "{}", setting.name);
        assert!(short.contains(&setting.flag()) && short.contains(setting.help), "{} is not in -h", setting.name);
    }
    assert!(long.contains("then PORT"));
}

#[test]
fn the_command_line_is_well_formed_and_answers_for_itself() {
    command().debug_assert();
    let said = |args: &[&str]| World::default().args(args).run().expect_err("nothing to run");
    assert_eq!((said(&["--version"]).code(), said(&["--help"]).code()), (0, 0));
    assert!(said(&["--version"]).to_string().contains(env!("CARGO_PKG_VERSION")));
    assert_eq!((said(&[]).code(), said(&["bogus"]).code()), (2, 2));
    assert!(said(&[]).to_string().contains("serve"));
    for table in [&["settings"][..], &["settings", "--markdown"]] {
        let table = World::default().args(table).env("TERTULIA_PORT", "x").run();
        assert!(matches!(table, Ok(Command::PrintSettingsMarkdown)));
    }
}

#[test]
fn the_markdown_table_has_one_row_per_setting_in_the_order_of_the_table() {
    let table = markdown();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert_eq!(rows.len(), SETTINGS.len());
    for (row, setting) in rows.iter().zip(&SETTINGS) {
        assert!(row.starts_with(&format!("| `{}` | `{}`", setting.flag(), setting.variable())), "{row}");
        assert_eq!(row.matches('|').count(), 8, "seven cells: {row}");
    }
    assert_eq!(table, markdown());
    assert!(table.ends_with("|\n") && !table.contains("  \n"));
}
