//! What is written is read back, in the order of time, whatever was killed meanwhile and whoever is newer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tertulia_protocol::{Epoch, Key, RoomId, Seq, UserId};

use super::{
    Attempt, Channel, Clock, Digest, Door, Event, Final, Follow, Freed, How, JournalError, Kind, Life, Logged, Merged,
    Mono, Person, Presence, Process, Reason, Receipt, Resync, Revoked, Slumber, Src, Stamp, Step, Switch, Told, What,
    Writer,
};

const STAMP: Stamp = Stamp { sender: 17, counter: 4, random: 0xc0ff_ee00 };
const KEY: &str = "019cfd2b-4f10-7d2e-8a31-6b0c9f2e4104";

fn key() -> Key {
    Key::parse(KEY).expect("a key")
}

fn send(step: Step) -> What {
    What::Send(Attempt { room: RoomId(3), stamp: STAMP, step })
}

fn invoke() -> Step {
    let h = Digest::of(&STAMP.body(64));
    let (key, author) = (Some(key()), Some(UserId(7)));
    Step::Invoke { key, author, n: 64, h, via: "a".to_owned(), door: Door::Live, conn: Some(2) }
}

fn receipt(seq: i64) -> Receipt {
    let (room, epoch, h) = (RoomId(3), Epoch("e1".to_owned()), Some(Digest(0xff)));
    Receipt { room, epoch, seq: Seq(seq), id: Some("e1-3-9".to_owned()), key: Some(key()), h, src: Src::Events }
}

/// Every event, and how it is written: what stands on disk outlives a version of the tool.
fn every_event() -> Vec<(What, &'static str)> {
    let (room, epoch) = (RoomId(3), Epoch("e1".to_owned()));
    let logged = Logged { seq: Seq(1), kind: Kind::Created, author: UserId(7), key: None, h: None, stamp: None };
    let posted = Logged {
        seq: Seq(2),
        kind: Kind::Posted,
        key: Some(key()),
        h: Some(Digest(1)),
        stamp: Some(STAMP),
        ..logged.clone()
    };
    let via = "a".to_owned();
    vec![
        (
            send(invoke()),
            r#""op":"send","room":3,"stamp":"17:4:00000000c0ffee00","t":"invoke","key":"019cfd2b-4f10-7d2e-8a31-6b0c9f2e4104","author":7,"n":64,"h":"330d02263155c02f","via":"a","door":"live","conn":2"#,
        ),
        (
            send(Step::Ok { seq: Seq(9), id: None, dup: true }),
            r#""op":"send","room":3,"stamp":"17:4:00000000c0ffee00","t":"ok","seq":9,"dup":true"#,
        ),
        (
            send(Step::Fail { code: "rate_limited".to_owned() }),
            r#""op":"send","room":3,"stamp":"17:4:00000000c0ffee00","t":"fail","code":"rate_limited""#,
        ),
        (
            send(Step::Info { code: "timeout".to_owned() }),
            r#""op":"send","room":3,"stamp":"17:4:00000000c0ffee00","t":"info","code":"timeout""#,
        ),
        (
            What::Recv(receipt(9)),
            r#""op":"recv","room":3,"epoch":"e1","seq":9,"id":"e1-3-9","key":"019cfd2b-4f10-7d2e-8a31-6b0c9f2e4104","h":"00000000000000ff","src":"events""#,
        ),
        (
            What::Resync(Resync { room, reason: Reason::Gap, from: Seq(5), to: Seq(8) }),
            r#""op":"resync","room":3,"reason":"gap","from":5,"to":8"#,
        ),
        (
            What::Subscribe(Follow { room, epoch: epoch.clone(), after: Seq(4), via: via.clone(), door: Door::Sse }),
            r#""op":"subscribe","room":3,"epoch":"e1","after":4,"via":"a","door":"sse""#,
        ),
        (What::Unsubscribe { room }, r#""op":"unsubscribe","room":3"#),
        (What::Lost { own: false }, r#""op":"lost""#),
        (What::Lost { own: true }, r#""op":"lost","own":true"#),
        (What::Join { room, seq: Seq(4) }, r#""op":"join","room":3,"seq":4"#),
        (What::Leave { room, seq: Seq(8) }, r#""op":"leave","room":3,"seq":8"#),
        (
            What::Fault { t: Switch::Start, f: "F-06".to_owned(), on: String::new() },
            r#""op":"fault","t":"start","f":"F-06""#,
        ),
        (
            What::Final(Final { room, via, epoch, log: vec![logged, posted] }),
            r#""op":"final","room":3,"via":"a","epoch":"e1","log":[{"seq":1,"kind":"created","author":7},{"seq":2,"kind":"posted","author":7,"key":"019cfd2b-4f10-7d2e-8a31-6b0c9f2e4104","h":"0000000000000001","stamp":"17:4:00000000c0ffee00"}]"#,
        ),
    ]
}

/// The same of people and processes.
fn every_event_of_people() -> Vec<(What, &'static str)> {
    let (room, who) = (RoomId(3), "Ana".to_owned());
    vec![
        (
            What::Person(Person { room, who: who.clone(), t: Life::Went, via: String::new(), since: None }),
            r#""op":"person","room":3,"who":"Ana","t":"went""#,
        ),
        (
            What::Person(Person { room, who: who.clone(), t: Life::Went, via: "b".to_owned(), since: Some(Mono(7)) }),
            r#""op":"person","room":3,"who":"Ana","t":"went","via":"b","since":7"#,
        ),
        (
            What::Presence(Presence { room, t: Told::List, who: vec![who] }),
            r#""op":"presence","room":3,"t":"list","who":["Ana"]"#,
        ),
        (What::Process(Process::Up { name: "a".to_owned() }), r#""op":"process","t":"up","name":"a""#),
        (
            What::Process(Process::Down { name: "a".to_owned(), how: How::Term, code: Some(0), ms: 1_200 }),
            r#""op":"process","t":"down","name":"a","how":"term","code":0,"ms":1200"#,
        ),
        (
            What::Freed(Freed { t: Slumber::Stalled, via: "b".to_owned(), ms: 10_900, code: Some(4010) }),
            r#""op":"freed","t":"stalled","via":"b","ms":10900,"code":4010"#,
        ),
        (
            What::Revoked(Revoked { via: "b".to_owned(), door: Door::Sse, ms: 29_000, code: Some(4500) }),
            r#""op":"revoked","via":"b","door":"sse","ms":29000,"code":4500"#,
        ),
        (What::Channel(Channel::Listening), r#""op":"channel","t":"listening""#),
        (
            What::Channel(Channel::Heard { room: RoomId(3), seq: Seq(12) }),
            r#""op":"channel","t":"heard","room":3,"seq":12"#,
        ),
        (
            What::Status { word: "degraded".to_owned(), via: "b".to_owned() },
            r#""op":"status","word":"degraded","via":"b""#,
        ),
    ]
}

#[test]
fn every_event_is_written_as_it_always_was_and_read_back() {
    for (what, written) in every_event().into_iter().chain(every_event_of_people()) {
        let event = Event { mono: Mono(12), p: "c17".to_owned(), what };
        let line = serde_json::to_string(&event).expect("an event is JSON");
        assert_eq!(line, format!(r#"{{"mono":12,"p":"c17",{written}}}"#));
        assert_eq!(serde_json::from_str::<Event>(&line).expect("it is read back"), event, "{line}");
    }
}

#[test]
fn what_a_newer_tool_says_is_read_as_far_as_it_is_known() {
    let read = |text: &str| serde_json::from_str::<Event>(text).map(|event| event.what);
    let newer = r#"{"mono":1,"p":"x","op":"lost","why":"a reset","at":{"line":3}}"#;
    assert_eq!(read(newer).expect("a field more"), What::Lost { own: false });
    assert_eq!(read(r#"{"mono":1,"p":"x","op":"moon","phase":3}"#).expect("an unknown op"), What::Unknown);
    let entry: Logged = serde_json::from_str(r#"{"seq":4,"kind":"pinned","author":7}"#).expect("an unknown kind");
    assert_eq!(entry.kind, Kind::Unknown);
    assert!(read(r#"{"mono":1,"p":"x","op":"recv","room":3}"#).is_err(), "half an event is none");
    assert!(read(r#"{"mono":1,"op":"lost"}"#).is_err(), "somebody must have noted it");
}

#[test]
fn a_stamp_is_found_in_its_body_and_nowhere_else() {
    for bytes in [0, 25, 26, 27, 512] {
        let body = STAMP.body(bytes);
        assert_eq!(Stamp::of(&body), Some(STAMP), "{body}");
        assert!(body.len() >= bytes && body.trim() == body, "{body}");
    }
    for other in [
        "",
        "hello",
        "17:4",
        "17:4:c0ffee00",
        "+17:4:00000000c0ffee00",
        "17:4:00000000C0FFEE00 .",
        "17:4:00000000c0ffee00:1",
    ] {
        assert_eq!(Stamp::of(other), None, "{other:?}");
    }
    assert_ne!(Digest::of(&STAMP.body(64)), Digest::of(&STAMP.body(65)), "the padding counts");
}

#[test]
fn clocks_of_one_run_agree() {
    let clock = Clock::start();
    let other = Clock::of(clock.origin());
    let times = [clock.now(), other.now(), clock.now(), other.now()];
    assert!(times.is_sorted(), "{times:?}");
    let moment = Mono(12_345_678_901);
    assert_eq!(moment.to_string(), "12.345 s");
    assert_eq!((moment + Duration::from_secs(1)).since(moment), Duration::from_secs(1));
    assert_eq!(moment.since(moment + Duration::from_secs(1)), Duration::ZERO);
    assert_eq!(moment - Duration::from_secs(60), Mono(0));
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).expect("a journal").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_intent_is_in_the_file_before_it_is_carried_out() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("c17.jsonl");
    let writer = Writer::create(&path, "c17", Clock::start()).expect("a journal");
    writer.note(What::Recv(receipt(1))).expect("noted");
    assert_eq!(lines(&path).len(), 0, "premise: what has happened waits in memory");
    writer.note(send(invoke())).expect("noted");
    assert_eq!(lines(&path).len(), 2, "an intent takes along what was before it");
    writer.intend(Attempt { room: RoomId(3), stamp: STAMP, step: invoke() }).await.expect("noted");
    assert_eq!(lines(&path).len(), 3);
    writer.note(What::Lost { own: false }).expect("noted");
    writer.flush().expect("flushed");
    assert_eq!(lines(&path).len(), 4);
    assert!(Writer::create(&path, "c17", Clock::start()).is_err(), "nobody writes into a journal that is there");
}

#[test]
fn lines_of_many_threads_are_whole_and_in_the_order_of_time() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("c17.jsonl");
    let writer = Writer::create(&path, "c17", Clock::start()).expect("a journal");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let writer = writer.clone();
            scope.spawn(move || {
                for n in 0..100 {
                    writer.note(What::Recv(receipt(thread * 100 + n))).expect("noted");
                }
            });
        }
    });
    writer.flush().expect("flushed");
    let events: Result<Vec<Event>, _> = Merged::open([&path]).expect("it opens").collect();
    assert_eq!(events.expect("in order").len(), 400);
}

/// Journals with these lines.
fn journals(files: &[&[String]]) -> (TempDir, Vec<PathBuf>) {
    let dir = TempDir::new().expect("a folder");
    let write = |(index, lines): (usize, &&[String])| {
        let path = dir.path().join(format!("{index}.jsonl"));
        std::fs::write(&path, lines.concat()).expect("a file");
        path
    };
    let paths = files.iter().enumerate().map(write).collect();
    (dir, paths)
}

fn line(mono: u64, p: &str) -> String {
    format!("{{\"mono\":{mono},\"p\":\"{p}\",\"op\":\"lost\"}}\n")
}

#[test]
fn several_journals_become_one_history() {
    let a = [line(1, "a"), line(5, "a"), line(5, "a")];
    let b = [line(0, "b"), line(5, "b"), line(9, "b")];
    let (_dir, paths) = journals(&[&a, &[], &b]);
    let events = Merged::open(&paths).expect("they open").map(|event| event.expect("an event"));
    let events: Vec<(u64, String)> = events.map(|event| (event.mono.0, event.p)).collect();
    let wanted = [(0, "b"), (1, "a"), (5, "a"), (5, "a"), (5, "b"), (9, "b")];
    assert_eq!(events, wanted.map(|(mono, p)| (mono, p.to_owned())));
}

#[test]
fn a_line_torn_by_a_kill_is_left_out_and_counted() {
    let torn = line(2, "a");
    let (_dir, paths) = journals(&[&[line(1, "a"), torn[..torn.len() - 1].to_owned()], &[line(3, "b")]]);
    let mut merged = Merged::open(&paths).expect("they open");
    let times: Vec<u64> = merged.by_ref().map(|event| event.expect("an event").mono.0).collect();
    assert_eq!((times, merged.torn()), (vec![1, 3], 1));
}

#[test]
fn what_is_no_journal_is_named_by_file_and_line() {
    let bad = [line(1, "a"), "{\"mono\":2}\n".to_owned(), line(3, "a")];
    let back = [line(4, "b"), line(3, "b")];
    for (lines, wanted) in [(&bad[..], "0.jsonl line 2: missing field"), (&back[..], "0.jsonl line 2: its time")] {
        let (_dir, paths) = journals(&[lines]);
        let events: Vec<Result<Event, JournalError>> = Merged::open(&paths).expect("it opens").collect();
        assert_eq!(events.len(), 2, "one event, one error, and no more");
        let error = events[1].as_ref().expect_err("the second line").to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let (_dir, paths) = journals(&[&["garbage\n".to_owned()]]);
    assert!(matches!(Merged::open(&paths), Err(JournalError::Line { line: 1, .. })));
    assert!(matches!(Merged::open(["no such journal"]), Err(JournalError::Io { .. })));
}
