//! Small runs, written by hand.

use std::time::Duration;

use tertulia_protocol::{Epoch, Key, RoomId, Seq, UserId};

use super::{Held, Honesty, honesty};
use crate::journal::{
    Attempt, Channel, Digest, Door, Event, Final, Follow, Freed, How, Kind, Logged, Mono, Process, Revoked, Slumber,
    Stamp, Step, Switch, What,
};

fn at(second: u64, p: &str, what: What) -> Event {
    Event { mono: Mono(second * 1_000_000_000), p: p.to_owned(), what }
}

fn fault(second: u64, t: Switch, f: &str, on: &str) -> Event {
    at(second, "nemesis", What::Fault { t, f: f.to_owned(), on: on.to_owned() })
}

/// Redis is frozen from second 10 on.
fn frozen(stop: u64, mut said: Vec<Event>) -> Honesty {
    said.extend([fault(10, Switch::Start, "freeze-redis", ""), fault(stop, Switch::Stop, "freeze-redis", "")]);
    said.push(at(90, "nemesis", What::Unknown));
    said.sort_by_key(|event| event.mono);
    honesty(&said)
}

fn word(second: u64, word: &str) -> Event {
    at(second, "c1", What::Status { word: word.to_owned(), via: "b".to_owned() })
}

fn lost(second: u64) -> Event {
    at(second, "c1", What::Lost { own: false })
}

#[test]
fn a_page_that_says_so_in_time_is_honest() {
    let honesty = frozen(40, vec![word(1, "live"), word(16, "degraded"), word(42, "live")]);
    let (degraded, live) = (Some(Duration::from_secs(6)), Some(Duration::from_secs(2)));
    assert_eq!(honesty, Honesty { degraded, live, ..Honesty::default() });
}

#[test]
fn a_page_that_says_nothing_lies() {
    assert_eq!(frozen(40, vec![word(1, "live")]).lies.len(), 1);
    assert_eq!(frozen(40, vec![word(1, "live"), word(12, "degraded")]).lies.len(), 1, "stuck");
    assert_eq!(frozen(15, vec![word(1, "live")]).lies.len(), 0, "too short to be noticed");
}

#[test]
fn a_page_whose_link_was_lost_has_time_from_when_it_is_back() {
    let back = frozen(40, vec![word(1, "live"), lost(12), word(30, "degraded"), word(41, "live")]);
    assert_eq!((back.degraded, back.lies), (Some(Duration::ZERO), vec![]), "told with the welcome");
    let late = frozen(40, vec![word(1, "live"), lost(12), word(29, "live")]);
    assert_eq!(late.lies.len(), 1, "for 11 s it knew better: {late:?}");
    let away = frozen(40, vec![word(1, "live"), lost(12), word(35, "live")]);
    assert_eq!(away.lies.len(), 0, "{away:?}");
}

#[test]
fn only_pages_of_the_instance_that_is_cut_off_must_say_so() {
    let cut_off = |on, mut said: Vec<Event>| {
        said.extend([fault(10, Switch::Start, "black-hole", on), fault(40, Switch::Stop, "black-hole", on)]);
        said.push(at(90, "nemesis", What::Unknown));
        said.sort_by_key(|event| event.mono);
        honesty(&said)
    };
    assert_eq!(cut_off("b", vec![word(1, "live")]).lies.len(), 1, "it was cut off, and said nothing");
    assert_eq!(cut_off("b", vec![word(1, "live"), word(17, "degraded"), word(43, "live")]).lies, Vec::<String>::new());
    assert_eq!(cut_off("c", vec![word(1, "live")]).lies, Vec::<String>::new(), "another one was");
}

fn freed(t: Slumber, seconds: u64, code: Option<u16>, more: Vec<Event>) -> Honesty {
    let via = "b".to_owned();
    let mut all = more;
    all.push(at(60, "c4", What::Freed(Freed { t, via, ms: seconds * 1_000, code })));
    all.sort_by_key(|event| event.mono);
    honesty(&all)
}

#[test]
fn a_server_that_holds_on_to_who_reads_no_more_breaks_its_promise() {
    let held = |seconds, told| Held { times: 1, told, longest: Duration::from_secs(seconds) };
    let stalled = freed(Slumber::Stalled, 11, Some(4010), vec![]);
    assert_eq!((stalled.stalled, stalled.lies), (held(11, 1), vec![]));
    assert_eq!(freed(Slumber::Stalled, 17, None, vec![]).lies.len(), 1);
    let silent = freed(Slumber::Silent, 33, Some(4012), vec![]);
    assert_eq!((silent.silent, silent.lies), (held(33, 1), vec![]));
    assert_eq!(freed(Slumber::Silent, 37, None, vec![]).lies.len(), 1);
    assert_eq!(freed(Slumber::Silent, 33, Some(4500), vec![]).lies.len(), 1, "no reason to stay away");
}

#[test]
fn an_instance_that_was_tormented_itself_is_not_judged_by_who_it_let_go_of() {
    let frozen =
        |on| vec![fault(30, Switch::Start, "freeze-instance", on), fault(50, Switch::Stop, "freeze-instance", on)];
    assert_eq!(freed(Slumber::Silent, 55, None, frozen("b")), Honesty::default());
    assert_eq!(freed(Slumber::Silent, 55, None, frozen("c")).lies.len(), 1);
}

#[test]
fn a_session_that_ended_elsewhere_must_end_here_and_by_its_code() {
    let revoked = |seconds: u64, code| {
        let (via, door) = ("b".to_owned(), Door::Sse);
        honesty(&[at(60, "leaver", What::Revoked(Revoked { via, door, ms: seconds * 1_000, code }))])
    };
    assert_eq!((revoked(29, Some(4500)).revoked.times, revoked(29, Some(4500)).lies), (1, vec![]));
    assert_eq!(revoked(31, Some(4500)).lies.len(), 1);
    assert_eq!(revoked(3, Some(4010)).lies.len(), 1, "that would bring them back");
}

#[test]
fn whose_instance_was_killed_must_soon_be_back_on_another() {
    let follow = |second: u64, via: &str| {
        let (room, epoch, via, door) = (RoomId(1), Epoch("e".to_owned()), via.to_owned(), Door::Live);
        at(second, "c1", What::Subscribe(Follow { room, epoch, after: Seq(0), via, door }))
    };
    let killed =
        at(10, "nemesis", What::Process(Process::Down { name: "b".to_owned(), how: How::Kill, code: None, ms: 0 }));
    let back = |second: u64, more: Vec<Event>| {
        let mut all = vec![follow(1, "b"), killed.clone(), follow(second, "a")];
        all.extend(more);
        all.sort_by_key(|event| event.mono);
        honesty(&all)
    };
    assert_eq!(back(13, vec![]), Honesty { back: Some(Duration::from_secs(3)), ..Honesty::default() });
    assert_eq!(back(21, vec![]).lies.len(), 1);
    assert_eq!(back(21, vec![at(9, "c1", What::Lost { own: true })]), Honesty::default(), "away by its own doing");
    assert_eq!(back(21, vec![follow(5, "c")]), Honesty::default(), "it had been elsewhere");
}

/// Message `n` is sent at one second, and so answered at another.
fn said(n: u32, sent: u64, answered: u64, step: Step) -> [Event; 2] {
    let stamp = Stamp { sender: 1, counter: n, random: 7 };
    let (room, via, door, h) = (RoomId(1), "a".to_owned(), Door::Live, Digest::of("x"));
    let invoke = Step::Invoke { key: None, author: None, n: 1, h, via, door, conn: None };
    [(sent, invoke), (answered, step)].map(|(second, step)| at(second, "c1", What::Send(Attempt { room, stamp, step })))
}

#[test]
fn a_store_that_cannot_be_written_must_say_so_and_acknowledge_nothing() {
    let full = |answers: Vec<[Event; 2]>| {
        let mut all: Vec<Event> = answers.into_iter().flatten().collect();
        all.extend([fault(10, Switch::Start, "disk-full", ""), fault(20, Switch::Stop, "disk-full", "")]);
        all.sort_by_key(|event| event.mono);
        honesty(&all)
    };
    let fail = |code: &str| Step::Fail { code: code.to_owned() };
    let ok = |dup| Step::Ok { seq: Seq(1), id: None, dup };
    let refused = || said(1, 12, 13, fail("storage_unavailable"));
    assert_eq!(full(vec![refused()]), Honesty { refusals: 1, ..Honesty::default() });
    assert_eq!(full(vec![said(1, 12, 13, fail("busy"))]).lies.len(), 1, "it was not full");
    assert_eq!(full(vec![refused(), said(2, 14, 15, ok(false))]).lies.len(), 1, "an acknowledgement of nothing");
    assert_eq!(full(vec![refused(), said(2, 14, 15, ok(true))]).lies.len(), 0, "stored before");
    assert_eq!(full(vec![refused(), said(2, 14, 21, ok(false))]).lies.len(), 0, "stored after");
}

/// What a terminal notes, event by event; 0 is a connection that ended and came back.
fn terminal(heard: &[i64]) -> Honesty {
    let room = RoomId(1);
    // Number 1 made the room, 4 came from the channel itself; the others were said in the room.
    let entry = |seq| {
        let kind = if seq == 1 { Kind::Created } else { Kind::Posted };
        let key = Some(if seq == 4 { Key::mint_foreign() } else { Key::mint() }).filter(|_| seq > 1);
        Logged { seq: Seq(seq), kind, author: UserId(1), key, h: None, stamp: None }
    };
    let log = (1..=9).map(entry).collect();
    let last = What::Final(Final { room, via: "a".to_owned(), epoch: Epoch("e".to_owned()), log });
    let note = |what| at(5, "terminal", What::Channel(what));
    let mut all = vec![note(Channel::Listening)];
    for seq in heard {
        match seq {
            0 => all.extend([note(Channel::Lost), note(Channel::Listening)]),
            seq => all.push(note(Channel::Heard { room, seq: Seq(*seq) })),
        }
    }
    all.extend([note(Channel::Lost), at(90, "fin", last)]);
    honesty(&all)
}

#[test]
fn a_channel_that_is_told_each_message_once_and_in_order_is_honest() {
    assert_eq!(terminal(&[2, 3, 5, 6, 7, 8, 9]), Honesty { told: 7, ..Honesty::default() });
    assert_eq!(terminal(&[3, 5]).lies, Vec::<String>::new(), "before and after, nobody listened");
    assert_eq!(terminal(&[2, 0, 6, 7]).lies, Vec::<String>::new(), "nor in between");
    assert_eq!(honesty(&[]).lies, Vec::<String>::new(), "nobody listened at all");
}

#[test]
fn a_channel_that_is_told_twice_or_late_or_not_all_is_found_out() {
    for (heard, lie) in [
        (&[2, 3, 3][..], "1-3 came again"),
        (&[2, 3, 5, 0, 5, 6], "1-5 came again"),
        (&[2, 3, 0, 2, 3, 5], "1-2 came again"),
        (&[3, 2], "1-2 came after 1-3"),
        (&[5, 0, 3], "1-3 came after 1-5"),
        (&[2, 5], "1 messages after 1-2 had not"),
        (&[2, 3, 8], "3 messages after 1-3 had not"),
        (&[2, 3, 4, 5], "1-4 came on the channel and is no message"),
        (&[1, 2], "1-1 came on the channel and is no message"),
        (&[], "nothing was heard"),
        (&[0, 0], "nothing was heard"),
    ] {
        let lies = terminal(heard).lies;
        assert!(lies.iter().any(|told| told.contains(lie)), "{heard:?}: {lies:?}");
    }
}
