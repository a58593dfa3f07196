//! The hot statements go by an index: reading a page must not cost more because the log is long.

use rusqlite::Connection;
use tertulia_protocol::{Change, Person, Seq, UserId};

use super::super::{queries, writes};
use super::{File, SqliteOptions};

fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let holes = vec![rusqlite::types::Value::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(holes), |row| row.get("detail")).unwrap();
    steps.map(|step| step.unwrap()).collect()
}

#[test]
fn no_hot_statement_scans_a_table_or_sorts() {
    let file = File::new();
    file.store();
    let db = super::super::connection::Opener::new(&file.path(), SqliteOptions::default()).writer().unwrap();
    for sql in [
        queries::ENTRIES_AFTER,
        queries::ENTRIES_BEFORE,
        queries::HEAD,
        queries::ROOM_BY_ID,
        queries::ROOM_BY_SLUG,
        queries::NEWEST_MOVE,
        queries::MOVED_AFTER,
        queries::SESSION,
        queries::AUTHOR_NAMED,
        writes::AUTHOR,
        writes::NEXT_SEQ,
        writes::ENDED_SESSIONS,
        writes::DELETE_GUEST,
        writes::TELLING,
        writes::NOTE_TOLD,
    ] {
        let plan = plan(&db, sql);
        assert!(plan.iter().any(|step| step.starts_with("SEARCH")), "{sql}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{sql}: {plan:?}");
    }
    let by_action = plan(&db, writes::AUTHOR);
    assert!(by_action.iter().any(|step| step.contains("entries_by_action")), "{by_action:?}");
    let scan = plan(&db, "SELECT * FROM entries WHERE at = ?1");
    assert!(scan.iter().any(|step| step.contains("SCAN")), "the test would see a scan: {scan:?}");
}

#[test]
fn the_kind_of_a_row_is_the_tag_of_its_json() {
    let (message, text) = (Seq(1), String::new);
    for change in [
        Change::Created,
        Change::Posted { body: text(), reply_to: None },
        Change::Edited { message, body: text() },
        Change::Deleted { message },
        Change::Reacted { message, emoji: text() },
        Change::Unreacted { message, emoji: text() },
        Change::Joined,
        Change::Left,
        Change::Renamed { name: text() },
        Change::TopicSet { topic: text() },
        Change::Removed { who: Person { id: UserId(1), name: text() } },
        Change::illegible(),
    ] {
        assert_eq!(serde_json::to_value(&change).unwrap()["kind"], writes::kind(&change));
    }
}
