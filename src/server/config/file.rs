//! The file of settings: TOML, each key with its own type, some in a table of theirs. Errors say the line, never the
//! line's text, which may hold a password.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::{SettingError, Source};
use super::sources::Found;
use super::suggest::nearest;
use super::table::{Kind, SETTINGS, Setting};

/// What is wrong with a table of settings that is none.
const NO_TABLE: &str = "in the file it is a table";

/// What is wrong with a table of pairs that is none.
const IN_PAIRS: &str = "in the file it is a table of texts in quotes";

/// Reads the file's text into what was found.
pub(super) fn read(path: &Path, text: &str, found: &mut Found) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let source = |at: Option<usize>, key: Option<&str>| Source::File {
        path: path.to_owned(),
        line: at.map(|at| line_of(text, at)),
        key: key.map(str::to_owned),
    };
    if !errors.is_empty() {
        // What could be recovered from a broken file would be guessed at: only say where it is broken.
        found.errors.extend(errors.iter().map(|error| {
            let at = error.span().map(|span| span.start);
            SettingError::other(source(at, None), format!("this is not TOML: {}", error.message()))
        }));
        return;
    }
    for (at, name, value) in entries(table.get_ref()) {
        let source = source(Some(at), Some(&name));
        match SETTINGS.iter().find(|setting| setting.key() == Some(&name)) {
            None if is_table(&name) => found.errors.push(SettingError::other(source, NO_TABLE.to_owned())),
            None => {
                let known = nearest(&name, SETTINGS.iter().filter_map(Setting::key));
                found.errors.push(SettingError::unknown(source, known.map(str::to_owned)));
            }
            Some(setting) => match text_of(setting, value) {
                Ok(text) => found.offer(setting.id, text, source),
                Err(reason) => found.errors.push(SettingError::value(setting.id, source, &shown(value), Some(reason))),
            },
        }
    }
}

/// Every key with where it stands, in the order of the file; those in a table of settings as `table.key`.
fn entries<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(usize, String, &'a DeValue<'i>)> {
    let mut entries = Vec::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Table(inner) if is_table(name) => entries.extend(
                inner
                    .iter()
                    .map(|(key, value)| (key.span().start, format!("{name}.{}", key.get_ref()), value.get_ref())),
            ),
            value => entries.push((key.span().start, name.to_owned(), value)),
        }
    }
    entries.sort_by_key(|(at, ..)| *at);
    entries
}

/// Whether settings stand in a table of this name.
fn is_table(name: &str) -> bool {
    let in_it = |key: &str| key.split_once('.').is_some_and(|(table, _)| table == name);
    SETTINGS.iter().filter_map(Setting::key).any(in_it)
}

/// The value as the text a flag would carry, if it has the setting's type.
fn text_of(setting: &Setting, value: &DeValue<'_>) -> Result<String, &'static str> {
    match (setting.kind, value) {
        (Kind::Number { .. }, DeValue::Integer(number)) => Ok(i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.to_string(), |number| number.to_string())),
        (Kind::Number { .. }, _) => Err("in the file it is a number without quotes"),
        (Kind::Choice(["on", "off"]), DeValue::Boolean(on)) => Ok(if *on { "on" } else { "off" }.to_owned()),
        (Kind::Choice(["on", "off"]), value) if value.as_str().is_none() => {
            Err("in the file it is true or false, or the word in quotes")
        }
        (Kind::Choice(_) | Kind::Text(_), DeValue::String(text)) => Ok(text.to_string()),
        (Kind::Choice(_) | Kind::Text(_), _) => Err("in the file it is a text in quotes"),
        (Kind::List(_), DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str())
            .collect::<Option<Vec<_>>>()
            .map(|texts| texts.join(","))
            .ok_or("in the file it is an array of texts in quotes"),
        // An empty table says that there shall be none; an empty text would say nothing.
        (Kind::Pairs(_), DeValue::Table(items)) if items.is_empty() => Ok("none".to_owned()),
        (Kind::Pairs(_), DeValue::Table(items)) => items
            .iter()
            .map(|(key, item)| item.get_ref().as_str().map(|text| format!("{}={text}", key.get_ref())))
            .collect::<Option<Vec<_>>>()
            .map(|pairs| pairs.join(","))
            .ok_or(IN_PAIRS),
        (Kind::Pairs(_), _) => Err(IN_PAIRS),
        (Kind::List(_), _) => Err("in the file it is an array of texts in quotes"),
        (Kind::Records { fields, .. }, DeValue::Array(items)) => {
            let rows: Result<Vec<_>, _> = items.iter().map(|item| row_of(fields, item.get_ref())).collect();
            rows.map(|rows| rows.join(","))
        }
        (Kind::Records { .. }, _) => Err("in the file it is an array of tables"),
    }
}

/// A table as a row of fields. Separators inside a value would move it into the next field, so they are refused.
fn row_of(fields: &[&str], item: &DeValue<'_>) -> Result<String, &'static str> {
    let table = item.as_table().ok_or("in the file it is an array of tables")?;
    if table.keys().any(|key| !fields.contains(&key.get_ref().as_ref())) {
        return Err("one of the tables has a key that is not known");
    }
    let cells =
        fields.iter().map(|field| table.get(*field).map_or(Ok(String::new()), |value| cell_of(value.get_ref())));
    Ok(cells.collect::<Result<Vec<_>, _>>()?.join(":").trim_end_matches(':').to_owned())
}

fn cell_of(value: &DeValue<'_>) -> Result<String, &'static str> {
    let plain = |text: &str| {
        if text.contains([',', ':', '+']) {
            Err("a value contains a comma, a colon or a plus")
        } else {
            Ok(text.to_owned())
        }
    };
    match value {
        DeValue::String(text) => plain(text),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Boolean(truth) => Ok(truth.to_string()),
        DeValue::Array(parts) => {
            let text = |part: &toml::Spanned<DeValue<'_>>| {
                part.get_ref().as_str().ok_or("the array holds more than texts in quotes").and_then(plain)
            };
            Ok(parts.iter().map(text).collect::<Result<Vec<_>, _>>()?.join("+"))
        }
        _ => Err("a value is neither text, number, true or false, nor an array of texts"),
    }
}

/// A value of the wrong type, as an error shows it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(_) => "[…]".to_owned(),
        DeValue::Table(_) => "{…}".to_owned(),
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
