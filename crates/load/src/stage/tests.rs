//! What becomes of servers that do not start.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Source, Stage};

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
