//! What `/proc` says, and what becomes of processes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::proc::{Memory, cpu, memory, memory_of, ticks_of};
use super::{Source, Stage};

#[test]
fn processor_time_is_read_behind_a_name_with_brackets_and_spaces() {
    let stat = "42 (a) (b c) S 1 42 42 0 -1 4194560 100 0 0 0 17 25 0 0 20 0 4 0 100 1000 10";
    assert_eq!(ticks_of(stat), Some(42));
    assert_eq!(ticks_of("42 (short) S 1"), None);
}

#[test]
fn memory_is_read_in_kib_and_missing_fields_are_told() {
    let status = "Name:\tx\nVmRSS:\t    1200 kB\nRssAnon:\t     800 kB\nRssFile:\t 400 kB\n";
    assert_eq!(memory_of(status), Some(Memory { rss: 1200, anonymous: 800 }));
    assert_eq!(memory_of("VmRSS:\t 1200 kB\n"), None);
}

#[test]
fn this_very_process_can_be_measured() {
    let pid = std::process::id();
    assert!(cpu(pid).is_ok());
    let memory = memory(pid).unwrap();
    assert!(memory.anonymous > 0 && memory.rss >= memory.anonymous);
}

fn script(dir: &Path, text: &str) -> Source {
    let server = dir.join("server");
    std::fs::write(&server, text).unwrap();
    std::fs::set_permissions(&server, std::fs::Permissions::from_mode(0o755)).unwrap();
    Source::Binary { server, redis: "redis-server".into(), dir: dir.join("bench") }
}

#[tokio::test]
async fn a_server_that_ends_at_its_start_is_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let source = script(dir.path(), "#!/bin/sh\necho \"no such flag: $1 $2\" >&2\nexit 2\n");
    let error = Stage::set(&source, 1).await.unwrap_err().to_string();
    assert!(error.contains("no such flag: serve --port"), "{error}");
    let left = std::fs::read_dir(dir.path().join("bench")).unwrap().count();
    assert_eq!(left, 0, "its folder is removed");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::Binary {
        server: dir.path().join("absent"),
        redis: "redis-server".into(),
        dir: dir.path().join("bench"),
    };
    let error = Stage::set(&source, 1).await.unwrap_err().to_string();
    assert!(error.contains("absent"), "{error}");
}

#[tokio::test]
async fn too_few_addresses_are_refused_before_anything_starts() {
    let source = Source::Urls(vec!["http://127.0.0.1:9".to_owned()]);
    let error = Stage::set(&source, 2).await.unwrap_err().to_string();
    assert!(error.contains("--url 2 times"), "{error}");
}
