//! The table of settings for the README.

use super::table::{Fallback, Id, PORT_ALIAS, SETTINGS, Setting};

const HEAD: &str = "\
| Flag | Variable | Key in the file | Default | Unit | Allowed | What it is for |
|---|---|---|---|---|---|---|
";

/// All settings as a Markdown table; it ends with a line break.
#[must_use]
pub fn markdown() -> String {
    SETTINGS.iter().fold(HEAD.to_owned(), |table, setting| table + &row(setting))
}

fn row(setting: &Setting) -> String {
    let alias = if setting.id == Id::Port { format!(", `{PORT_ALIAS}`") } else { String::new() };
    let default = match setting.default {
        Fallback::Value(value) => format!("`{value}`"),
        Fallback::Words(words) => with_code(words),
    };
    let cells = [
        format!("`{}`", setting.flag()),
        format!("`{}`{alias}", setting.variable()),
        setting.key().map(|key| format!("`{key}`")).unwrap_or_default(),
        default,
        setting.unit.to_owned(),
        with_code(&setting.allowed()),
        with_code(setting.help),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// Marks addresses as code; Markdown would make links of them.
fn with_code(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let address = word.trim_end_matches([',', ';', ':']);
        if address.contains("://") { format!("`{address}`{}", &word[address.len()..]) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}
