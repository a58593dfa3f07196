//! The program itself: what it prints, how it ends, and what is still there when it was killed.

use std::collections::BTreeMap;

use tertulia::server::config::table::SETTINGS;
use tertulia_chat::bus::conformance::RealRedis;
use tertulia_protocol::{Key, ServerFrame};
use tokio::net::TcpListener;

use crate::support::binary::{Binary, run};
use crate::support::guest::Guest;
use crate::support::http::Request;
use crate::support::server::folder;
use crate::support::socket::{Socket, bodies};
use crate::support::{LOBBY, eventually};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_goes_to_standard_output_and_names_every_setting() {
    let folder = folder();
    for args in [&["--help"][..], &["serve", "--help"], &["-h"], &["--version"], &["settings", "--markdown"]] {
        let output = run(&folder, args, &[]).await;
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{args:?}: {output:?}");
    }
    let help = text(&run(&folder, &["serve", "--help"], &[]).await.stdout);
    for setting in &SETTINGS {
        assert!(help.contains(&setting.flag()) && help.contains(&setting.variable()), "{}", setting.name);
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "help makes no file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_settings_are_named_all_at_once_with_exit_code_2() {
    let folder = folder();
    std::fs::write(folder.path().join("tertulia.toml"), "session_days = 0\nsesion_days = 3\n").expect("a file");
    let args = ["serve", "--port", "99999", "--listen", "nowhere", "--database", "mysql://x"];
    let env = [("TERTULIA_LOG", "loud"), ("TERTULIA_REDIS", "redis://:sesame@"), ("TERTULIA_PROT", "1")];
    let output = run(&folder, &args, &env).await;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for name in [
        "--port",
        "--listen",
        "--database",
        "TERTULIA_LOG",
        "TERTULIA_REDIS",
        "TERTULIA_PROT",
        "session_days",
        "sesion_days",
    ] {
        assert!(said.contains(name), "{name} is not named in: {said}");
    }
    for value in ["99999", "nowhere", "loud"] {
        assert!(said.contains(value), "{value} is not shown in: {said}");
    }
    assert!(!said.contains("sesame"), "{said}");
    let unknown = run(&folder, &["serve", "--prot", "1"], &[]).await;
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_said_plainly_with_exit_code_1() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("its number").to_string();
    let port = address.rsplit(':').next().expect("a port");
    let output = run(&folder, &["serve", "--port", port], &[]).await;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_just_made_opens_its_room_and_no_other() {
    let folder = folder();
    let made =
        run(&folder, &["token", "new", "--name", "ci", "--rooms", "chat", "--publish", "--rate", "500"], &[]).await;
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let said = text(&made.stdout);
    let secret = said.lines().nth(2).expect("the secret stands in the third line").trim();
    let table = said.lines().skip_while(|line| !line.contains("[[tokens]]")).take_while(|line| !line.trim().is_empty());
    let table: String = table.map(|line| format!("{}\n", line.trim())).collect();
    let file = folder.path().join("tertulia.toml");
    std::fs::write(file, table).expect("the file is written");
    let server = Binary::serve(&folder, &[], &[]).await;
    let publish = async |room: &str, secret: &str| {
        let request = Request::new("POST", &format!("/publish/{room}")).body(b"\"done\"".to_vec());
        let request = request.header("content-type", "application/json");
        request.header("authorization", &format!("Bearer {secret}")).send(&server.door).await.status
    };
    assert_eq!(publish("chat", secret).await, 201);
    assert_eq!(publish("ops", secret).await, 403);
    assert_eq!(publish("chat", "another").await, 401);
    assert!(!server.log().contains(secret), "no secret is logged");
    for wrong in [
        &["--name", "a,b"][..],
        &["--name", "admin"],
        &["--name", "ci", "--rate", "0"],
        &["--name", "ci", "--rooms", "?"],
    ] {
        let refused = run(&folder, &[&["token", "new"], wrong].concat(), &[]).await;
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}: {refused:?}");
        assert!(text(&refused.stderr).starts_with("This cannot be: "), "{wrong:?}: {refused:?}");
    }
}

/// Sends without pause until the connection ends; what was acknowledged, and how it ended.
async fn chatter(guest: Guest, name: usize) -> (BTreeMap<i64, String>, Option<u16>, Option<ServerFrame>) {
    let mut socket = guest.socket().await;
    let mut asked = BTreeMap::new();
    let mut acked = BTreeMap::new();
    for n in 0.. {
        let (key, body) = (Key::mint(), format!("{name} {n}"));
        asked.insert(key, body.clone());
        let frame = format!(r#"{{"t":"send","room":1,"key":"{key}","body":"{body}"}}"#);
        let _ = socket.send(tokio_tungstenite::tungstenite::Message::text(frame)).await;
        loop {
            match socket.next().await {
                Ok(ServerFrame::Ack { key, seq, .. }) => {
                    acked.insert(seq.0, asked.remove(&key).expect("it was asked for"));
                    break;
                }
                Ok(bye @ ServerFrame::Bye { .. }) => return (acked, socket.closed().await.0, Some(bye)),
                Ok(ServerFrame::Nack { refusal, .. }) => panic!("refused: {refusal:?}"),
                Ok(_) => {}
                Err(code) => return (acked, code, None),
            }
        }
    }
    unreachable!("numbers do not end")
}

/// Every acknowledged message is where the ack said, after the server was started again.
async fn assert_kept(door_of: &Binary, acked: &BTreeMap<i64, String>) {
    let guest = Guest::enter(&door_of.door, "Reader").await;
    let mut socket = Socket::open(&guest).await;
    socket.hello("").await;
    socket.say(r#"{"t":"subscribe","room":1,"after":0}"#).await;
    let last = *acked.keys().last().expect("premise: something was acknowledged");
    let entries = socket.entries_until(LOBBY, last).await;
    for (seq, body) in acked {
        let entry = entries.get(usize::try_from(*seq - 1).expect("a number from 1")).expect("an entry");
        assert_eq!(bodies(std::slice::from_ref(entry)), std::slice::from_ref(body), "entry {seq}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_under_load_it_says_goodbye_to_all_and_loses_nothing_acknowledged() {
    let folder = folder();
    let mut server = Binary::serve(&folder, &[], &[]).await;
    let guest = Guest::enter(&server.door, "Ana").await;
    let crowd: Vec<_> = (0..12).map(|name| tokio::spawn(chatter(guest.clone(), name))).collect();
    // A connection that is open and silent must not hold the end up.
    let silent = tokio::net::TcpStream::connect(server.door.address).await.expect("the server accepts");
    let mut watcher = guest.socket().await;
    watcher.follow(LOBBY).await;
    let from = watcher.seq;
    watcher.entries_until(LOBBY, from + 200).await;
    server.signal("TERM").await;
    let mut acked = BTreeMap::new();
    let mut hints = Vec::new();
    for one in crowd {
        let (kept, code, bye) = one.await.expect("no panic");
        acked.extend(kept);
        assert_eq!(code, Some(1012));
        let Some(ServerFrame::Bye { code: 1012, retry_after_ms: Some(hint), .. }) = bye else { panic!("{bye:?}") };
        hints.push(hint);
    }
    assert_eq!(watcher.closed().await.0, Some(1012));
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
    assert!(!server.log().contains("did not end in time"), "{}", server.log());
    hints.sort_unstable();
    hints.dedup();
    assert!(hints.len() > 6, "people are told to come back at different moments: {hints:?}");
    drop(silent);
    let again = Binary::serve(&folder, &[], &[]).await;
    assert_kept(&again, &acked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_has_lost_nothing_acknowledged() {
    let folder = folder();
    let mut server = Binary::serve(&folder, &[], &[]).await;
    let guest = Guest::enter(&server.door, "Ana").await;
    let crowd: Vec<_> = (0..12).map(|name| tokio::spawn(chatter(guest.clone(), name))).collect();
    let mut watcher = guest.socket().await;
    watcher.follow(LOBBY).await;
    let from = watcher.seq;
    watcher.entries_until(LOBBY, from + 200).await;
    server.signal("KILL").await;
    assert_eq!(server.ended().await.code(), None, "premise: it was killed");
    let mut acked = BTreeMap::new();
    for one in crowd {
        acked.extend(one.await.expect("no panic").0);
    }
    assert!(acked.len() >= 100, "premise: much was acknowledged: {}", acked.len());
    let again = Binary::serve(&folder, &[], &[]).await;
    assert_kept(&again, &acked).await;
}

/// A copy of an older day is put in place and said to be one: who knew more starts afresh, and nobody takes a number that
/// comes again for the message that had it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_brought_back_is_another_to_those_who_knew_more() {
    let folder = folder();
    let mut server = Binary::serve(&folder, &[], &[]).await;
    let guest = Guest::enter(&server.door, "Ana").await;
    guest.tells(LOBBY, "in the backup").await;
    let refused = run(&folder, &["restored"], &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("is in use"), "{}", text(&refused.stderr));
    server.signal("TERM").await;
    server.ended().await;
    let data = folder.path().join("data");
    std::fs::copy(data.join("tertulia.db"), data.join("backup.db")).expect("a copy");

    let mut server = Binary::serve(&folder, &[], &[]).await;
    let guest = guest.at(&server.door);
    let mut socket = guest.socket().await;
    socket.follow(LOBBY).await;
    socket.seq = socket.tell(LOBBY, "lost with the disk").await;
    let position = socket.position(LOBBY);
    server.signal("TERM").await;
    server.ended().await;
    std::fs::rename(data.join("backup.db"), data.join("tertulia.db")).expect("put in place");
    let done = run(&folder, &["restored", "--data", "data"], &[]).await;
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));

    let server = Binary::serve(&folder, &[], &[]).await;
    let guest = guest.at(&server.door);
    guest.tells(LOBBY, "said since").await;
    let mut again = Socket::open(&guest).await;
    again.hello_again(&position).await;
    let (epoch, head) = again
        .until(|frame| match frame {
            ServerFrame::Reset { epoch, seq, .. } => Some((epoch, seq.0)),
            _ => None,
        })
        .await;
    assert_ne!(epoch, socket.epoch, "it is another store");
    assert_eq!(head, socket.seq, "premise: the number came again, with other words");
    let page = guest.get("/r/chat").await.body;
    assert!(page.contains("in the backup") && page.contains("said since") && !page.contains("lost with the disk"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_in_order_however_early_it_is_asked() {
    let folder = folder();
    for _ in 0..5 {
        let mut server = Binary::serve(&folder, &[], &[]).await;
        server.signal("INT").await;
        assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_of_redis_is_never_told() {
    let redis = RealRedis::start_with(&["--requirepass", "sesame-right"]).await;
    let folder = folder();
    for password in ["sesame-right", "sesame-wrong"] {
        let url = redis.url_with_password(password);
        let env = [("TERTULIA_REDIS", url.as_str()), ("TERTULIA_LOG", "trace"), ("RUST_BACKTRACE", "1")];
        let server = Binary::serve(&folder, &[], &env).await;
        let guest = Guest::enter(&server.door, "Ana").await;
        let mut socket = guest.socket().await;
        socket.tell(LOBBY, "hello").await;
        let wanted = if password == "sesame-right" { "live" } else { "degraded: " };
        eventually(wanted, async || {
            let ready = guest.get("/readyz").await;
            assert!(!ready.body.contains("sesame"), "{ready:?}");
            ready.json()["bus"].as_str().is_some_and(|bus| bus.starts_with(wanted)).then_some(())
        })
        .await;
        let command = std::fs::read(format!("/proc/{}/cmdline", server.pid())).expect("the command line");
        assert!(!text(&command).contains("sesame"));
        let token = guest.cookie.split_once('=').expect("a cookie has a value").1;
        let log = server.log();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "premise: everything is logged");
        assert!(!log.contains("sesame"), "the password is in the log");
        assert!(!log.contains(token), "a session is in the log");
        let debug = run(&folder, &["serve", "--redis", &url, "--port", "x"], &[]).await;
        assert!(!text(&debug.stderr).contains("sesame"), "{debug:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_on_a_disk_that_takes_nothing_are_refused_with_a_moment_and_work_again_later() {
    let folder = folder();
    let server = Binary::serve(&folder, &[], &[]).await;
    let guest = Guest::enter(&server.door, "Ana").await;
    let mut socket = guest.socket().await;
    socket.follow(LOBBY).await;
    let before = socket.tell(LOBBY, "before").await;
    // From now on nothing is written beyond the first byte of any file: what a full disk looks like, also to root.
    crate::support::binary::shell(&format!("prlimit --pid {} --fsize=1:unlimited", server.pid())).await;
    let (key, body) = (Key::mint(), "y".repeat(9_000));
    socket.post(LOBBY, key, &body).await;
    let refusal = socket
        .until(|frame| match frame {
            ServerFrame::Nack { key: k, refusal } if k == key => Some(refusal),
            ServerFrame::Ack { .. } => panic!("acknowledged, and the disk took nothing"),
            _ => None,
        })
        .await;
    assert_eq!(refusal.code.as_str(), "storage_unavailable", "{refusal:?}");
    assert!(refusal.retry_after_ms.is_some_and(|ms| ms > 0), "{refusal:?}");
    assert!(!refusal.message.contains("SQL") && !refusal.message.contains('/'), "{refusal:?}");
    let ready = guest.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["database"]), (503, &"not writable".into()));
    assert_eq!(guest.get("/healthz").await.status, 200);
    let form = guest.post("/r/chat/messages", &[("body", "by form")]).await;
    assert_eq!(form.status, 503, "what was written stays in the browser: no redirect");
    assert_eq!(guest.get("/r/chat").await.status, 200, "what is there can still be read");
    crate::support::binary::shell(&format!("prlimit --pid {} --fsize=unlimited:unlimited", server.pid())).await;
    eventually("it can be written again", async || (guest.get("/readyz").await.status == 200).then_some(())).await;
    socket.post(LOBBY, key, &body).await;
    let (seq, duplicate) = socket.acked(key).await;
    assert!(!duplicate, "the refused one was not stored");
    let mut reader = Socket::open(&guest).await;
    reader.hello("").await;
    reader.say(&format!(r#"{{"t":"subscribe","room":1,"after":{before}}}"#)).await;
    reader.seq = before;
    assert_eq!(bodies(&reader.entries_until(LOBBY, seq).await), [body]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_ends_neither_the_process_nor_the_storing() {
    let folder = folder();
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    let server = Binary::without_a_log(&folder, port).await;
    let guest = Guest::enter(&server.door, "Ana").await;
    let mut socket = guest.socket().await;
    socket.follow(LOBBY).await;
    socket.tell(LOBBY, "before").await;
    // What the thread that writes the database has to say now can be said nowhere.
    crate::support::binary::shell(&format!("prlimit --pid {} --fsize=1:unlimited", server.pid())).await;
    let key = Key::mint();
    socket.post(LOBBY, key, "on a full disk").await;
    let code = socket
        .until(|frame| match frame {
            ServerFrame::Nack { key: k, refusal } if k == key => Some(refusal.code),
            _ => None,
        })
        .await;
    assert_eq!(code.as_str(), "storage_unavailable");
    crate::support::binary::shell(&format!("prlimit --pid {} --fsize=unlimited:unlimited", server.pid())).await;
    eventually("it can be written again", async || (guest.get("/readyz").await.status == 200).then_some(())).await;
    socket.post(LOBBY, key, "on a full disk").await;
    assert!(!socket.acked(key).await.1, "the refused one was not stored");
}
