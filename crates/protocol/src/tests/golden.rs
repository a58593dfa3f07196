//! The golden files: what this version says, byte for byte. `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::samples;
use crate::close::Close;
use crate::codec::encode;
use crate::refusal::Code;

/// Every golden file with the content it must have, without the line end that closes it.
pub(super) fn expected() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut add = |name: String, content: String| {
        assert!(files.insert(name.clone(), content).is_none(), "two examples are called {name}");
    };
    for frame in samples::client() {
        add(format!("client.{}.json", samples::said_by_client(&frame)), encode(&frame));
    }
    for (which, frame) in samples::server() {
        let dot = if which.is_empty() { "" } else { "." };
        add(format!("server.{}{dot}{which}.json", samples::said_by_server(&frame)), encode(&frame));
    }
    for entry in samples::entries() {
        let kind = samples::kind_of(&entry.change);
        let which = if entry.by == samples::bruno() && kind == "posted" { ".reply" } else { "" };
        add(format!("entry.{kind}{which}.json"), encode(&entry));
    }
    add("snapshot.json".to_owned(), encode(&samples::snapshot()));
    add("refusals.json".to_owned(), lines(Code::ALL.iter().map(|code| json!([code, code.is_temporary()]))));
    add(
        "closes.json".to_owned(),
        lines(Close::ALL.iter().map(|close| {
            let code = close.code();
            json!({"code": code, "come_back": Close::should_return(code), "reason": close.reason()})
        })),
    );
    files
}

/// A list with one row per line, so that a change of one row is a change of one line.
fn lines(rows: impl Iterator<Item = serde_json::Value>) -> String {
    format!("[\n{}\n]", rows.map(|row| row.to_string()).collect::<Vec<_>>().join(",\n"))
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn what_is_said_is_what_the_golden_files_say_and_no_file_is_left_over() {
    let folder = folder();
    let expected = expected();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(&folder).expect("the folder of golden files can be made");
        for (name, content) in &expected {
            fs::write(folder.join(name), format!("{content}\n")).expect("a golden file can be written");
        }
    }
    let mut found = BTreeMap::new();
    for file in fs::read_dir(&folder).expect("the folder of golden files is there") {
        let path = file.expect("the folder can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        found.insert(name, fs::read_to_string(&path).expect("a golden file can be read"));
    }
    for (name, content) in &expected {
        let golden = found.remove(name).unwrap_or_else(|| panic!("{name} is missing; UPDATE_GOLDEN=1 writes it"));
        assert_eq!(golden, format!("{content}\n"), "{name}: clients out there rely on the old bytes");
    }
    assert!(found.is_empty(), "no example has these names: {:?}", found.keys());
}
