//! The contract in prose (docs/PROTOCOL.md) says what the code says: examples, tables, words.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{golden, samples};
use crate::close::Close;
use crate::codec::{decode, decode_client, decode_server};
use crate::entry::Entry;
use crate::frame::{SUBPROTOCOL, ServerFrame};
use crate::limits;
use crate::refusal::Code;
use crate::room::Snapshot;

fn prose() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/PROTOCOL.md");
    fs::read_to_string(path).expect("docs/PROTOCOL.md is there")
}

/// The lines of every fenced block of JSON.
fn examples(prose: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in prose.lines() {
        match line {
            "```json" => inside = true,
            "```" => inside = false,
            _ if inside => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// The cells of the table under a heading, without its two head lines.
fn table(prose: &str, heading: &str) -> Vec<Vec<String>> {
    let section = prose.split_once(&format!("\n## {heading}\n")).expect("the heading is there").1;
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
}

#[test]
fn every_golden_frame_is_an_example_and_every_example_is_one_or_can_be_read() {
    let prose = prose();
    let shown = examples(&prose);
    let golden = golden::expected();
    let frames = golden.iter().filter(|(name, _)| !matches!(name.as_str(), "refusals.json" | "closes.json"));
    let mut told = 0;
    for (name, content) in frames {
        assert!(shown.contains(&content.as_str()), "{name} is not in docs/PROTOCOL.md:\n{content}");
        told += 1;
    }
    assert!(told > 40, "only {told} examples");
    for line in shown {
        let known = golden.values().any(|content| content == line);
        let heard = matches!(decode_server(line), Ok(frame) if frame != ServerFrame::Unknown);
        let read = heard || decode_client(line).is_ok() || decode::<Entry>(line).is_ok();
        assert!(known || read || serde_json::from_str::<Snapshot>(line).is_ok(), "nobody says this: {line}");
    }
}

#[test]
fn everything_that_can_be_said_has_its_heading() {
    let prose = prose();
    let headings: Vec<BTreeSet<&str>> = ["What a client says", "What the server says"]
        .iter()
        .map(|part| {
            let section = prose.split_once(&format!("\n## {part}\n")).expect("the part is there").1;
            let section = section.split("\n## ").next().unwrap_or(section);
            section.lines().filter_map(|line| line.strip_prefix("### ")).flat_map(|line| line.split(", ")).collect()
        })
        .collect();
    assert_eq!(headings, [BTreeSet::from(samples::CLIENT_KINDS), BTreeSet::from(samples::SERVER_KINDS)]);
    let kinds = table(&prose, "Entries");
    let kinds: BTreeSet<&str> = kinds.iter().flat_map(|row| row[0].split(", ")).collect();
    assert_eq!(kinds, BTreeSet::from(samples::ENTRY_KINDS));
    assert!(prose.contains(&format!("`{SUBPROTOCOL}`")));
}

#[test]
fn the_table_of_refusals_is_the_code_s() {
    let told: Vec<_> = table(&prose(), "Refusals").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let yes_no = |yes| if yes { "yes" } else { "no" }.to_owned();
    let codes = Code::ALL.map(|code| (code.as_str().to_owned(), yes_no(code.is_temporary())));
    assert_eq!(told, codes);
}

#[test]
fn the_table_of_close_codes_is_the_code_s() {
    let told = table(&prose(), "Closing");
    assert_eq!(told.len(), Close::ALL.len());
    for (row, close) in told.iter().zip(Close::ALL) {
        let back = if Close::should_return(close.code()) { "yes" } else { "no" };
        assert_eq!(row[..3], [close.code().to_string(), close.reason().to_owned(), back.to_owned()]);
        assert_eq!(row[3].starts_with("Do not"), back == "no", "{row:?}");
    }
}

#[test]
fn the_table_of_limits_is_the_code_s() {
    macro_rules! values {
        ($($name:ident)*) => { vec![$((stringify!($name), limits::$name.to_string())),*] };
    }
    let values = values![
        BODY_CHARS BODY_BYTES ROOM_NAME_CHARS PERSON_NAME_CHARS TOPIC_CHARS EMOJI_BYTES CLIENT_CHARS INTEGER_MAX
        FRAME_BYTES FRAMES_PER_REQUEST JSON_DEPTH ROOMS_PER_SOCKET ENTRIES_PER_PAGE HISTORY_PAGE_MAX PAGE_BYTES PRESENCE_NAMES
        ROOMS_LISTED
        QUEUE_BYTES QUEUE_EVENTS QUEUE_AGE_MS PING_MS PONG_MS HELLO_MS MESSAGE_MS WRITE_MS REVALIDATE_MS
        MALFORMED_FRAMES MALFORMED_WINDOW_MS MEND_MS TYPING_SHOWN_MS TYPING_EVERY_MS
    ];
    let told = table(&prose(), "Limits");
    let told: Vec<_> = told.iter().map(|row| (row[0].as_str(), row[1].clone())).collect();
    assert_eq!(told, values);
}

#[test]
fn words_that_only_the_server_may_use_are_told() {
    let prose = prose();
    for name in ["admin", "all", "everyone", "here", "system", "tertulia"] {
        assert!(prose.contains(&format!("`{name}`")), "{name}");
        #[cfg(feature = "names")]
        assert!(crate::names::PersonName::parse(name).is_err(), "{name}");
    }
}
