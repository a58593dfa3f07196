//! Small histories, written by hand: what the verdict says, and what it must not be fooled by.

use tertulia_protocol::{Epoch, RoomId, Seq, UserId};

use super::super::{Report, Terms, Word, check};
use crate::journal::{
    Attempt, Digest, Door, Event, Final, Follow, Kind, Life, Logged, Mono, Person, Presence, Reason, Receipt, Resync,
    Src, Stamp, Step, Switch, Told, What,
};

const ROOM: RoomId = RoomId(3);

fn at(ms: u64, p: &str, what: What) -> Event {
    Event { mono: Mono(ms * 1_000_000), p: p.to_owned(), what }
}

fn stamp(counter: u32) -> Stamp {
    Stamp { sender: 1, counter, random: 0xabc }
}

fn digest(counter: u32) -> Digest {
    Digest::of(&stamp(counter).body(64))
}

fn step(ms: u64, counter: u32, step: Step) -> Event {
    at(ms, "c1", What::Send(Attempt { room: ROOM, stamp: stamp(counter), step }))
}

fn intent(ms: u64, counter: u32) -> Event {
    let (h, via, door) = (digest(counter), "a".to_owned(), Door::Live);
    step(ms, counter, Step::Invoke { key: None, author: None, n: 64, h, via, door, conn: None })
}

fn acked(ms: u64, counter: u32, seq: i64) -> Event {
    step(ms, counter, Step::Ok { seq: Seq(seq), id: None, dup: false })
}

fn follow(ms: u64, p: &str, door: Door, epoch: &str, after: i64) -> Event {
    let (epoch, via) = (Epoch(epoch.to_owned()), "b".to_owned());
    at(ms, p, What::Subscribe(Follow { room: ROOM, epoch, after: Seq(after), via, door }))
}

/// Entry `seq` holds message `seq`, which keeps the tests readable.
fn recv(ms: u64, p: &str, epoch: &str, seq: i64, src: Src) -> Event {
    let (epoch, h) = (Epoch(epoch.to_owned()), Some(digest(seq as u32)));
    at(ms, p, What::Recv(Receipt { room: ROOM, epoch, seq: Seq(seq), id: None, key: None, h, src }))
}

fn reset(ms: u64, p: &str, from: i64, to: i64) -> Event {
    at(ms, p, What::Resync(Resync { room: ROOM, reason: Reason::Reset, from: Seq(from), to: Seq(to) }))
}

fn fault(ms: u64, t: Switch, f: &str, on: &str) -> Event {
    at(ms, "nem", What::Fault { t, f: f.to_owned(), on: on.to_owned() })
}

/// The log of so many messages.
fn fin(ms: u64, epoch: &str, entries: i64) -> Event {
    let logged = |seq: i64| Logged {
        seq: Seq(seq),
        kind: Kind::Posted,
        author: UserId(1),
        key: None,
        h: Some(digest(seq as u32)),
        stamp: Some(stamp(seq as u32)),
    };
    let (via, epoch, log) = ("a".to_owned(), Epoch(epoch.to_owned()), (1..=entries).map(logged).collect());
    at(ms, "fin", What::Final(Final { room: ROOM, via, epoch, log }))
}

/// So many messages, one each 100 ms, acknowledged after 10 ms.
fn said(entries: u32) -> Vec<Event> {
    (1..=entries)
        .flat_map(|n| [intent(u64::from(n) * 100, n), acked(u64::from(n) * 100 + 10, n, i64::from(n))])
        .collect()
}

fn judge(mut events: Vec<Event>) -> Report {
    events.sort_by_key(|event| event.mono);
    check(events, Terms::default())
}

/// How often each word was said.
fn words(report: &Report) -> Vec<(Word, u64)> {
    assert!(report.unchecked.is_empty(), "premise: all was checked\n{report}");
    report.words.iter().map(|(word, count)| (*word, *count)).collect()
}

#[test]
fn a_finding_is_one_line_that_says_where_to_look() {
    let mut events = said(3);
    events.extend([fault(350, Switch::Start, "F-01", "a"), acked(420, 4, 4), intent(400, 4), fin(900, "e1", 3)]);
    let report = judge(events);
    let lines: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    let wanted = "LOST room 3, entry 4, message 1:4:0000000000000abc, c1, from 0.400 s to 0.420 s, during F-01 on a: \
                  acknowledged, and in no log";
    assert_eq!(lines, [wanted]);
    let text = report.to_string();
    assert!(text.starts_with(wanted) && text.ends_with("FAILED: 1 LOST"), "{text}");
}

#[test]
fn what_cannot_be_checked_is_not_clean() {
    let unchecked = |events: Vec<Event>, wanted: &str| {
        let report = judge(events);
        assert!(!report.is_clean() && report.words.is_empty(), "{report}");
        assert!(report.unchecked.iter().any(|puzzle| puzzle.contains(wanted)), "{report}");
        assert!(report.to_string().contains("not checked"), "{report}");
    };
    unchecked(Vec::new(), "nothing was sent");
    unchecked(said(2), "room 3: no instance told its final log");
    unchecked([said(2), vec![acked(300, 9, 9), fin(900, "e1", 2)]].concat(), "of which there is no intent");
    let mut other = intent(300, 2);
    if let What::Send(Attempt { step: Step::Invoke { h, .. }, .. }) = &mut other.what {
        *h = digest(7);
    }
    unchecked([said(2), vec![other, fin(900, "e1", 2)]].concat(), "two tries of 1:2:0000000000000abc differ");
}

#[test]
fn a_retry_settles_what_a_timeout_left_open_and_a_refusal_does_not() {
    let tries = |steps: &[Step], entries| {
        let mut events = vec![follow(0, "c2", Door::Live, "e1", 0)];
        for (ms, outcome) in (0..).step_by(100).zip(steps) {
            events.extend([intent(ms, 1), step(ms + 10, 1, outcome.clone())]);
        }
        events.extend((1..=entries).map(|seq| recv(500, "c2", "e1", seq, Src::Live)));
        words(&judge([events, vec![fin(900, "e1", entries)]].concat()))
    };
    let (info, fail) = (Step::Info { code: "timeout".to_owned() }, Step::Fail { code: "busy".to_owned() });
    let ok = |dup| Step::Ok { seq: Seq(1), id: None, dup };
    let settled = [info.clone(), fail.clone(), ok(true)];
    for clean in [&[info.clone(), ok(true)][..], &[info.clone(), fail.clone()], &[fail.clone(), ok(false)], &settled] {
        assert_eq!(tries(clean, 1), [], "{clean:?}");
    }
    assert_eq!(tries(&[info.clone(), fail.clone()], 0), []);
    assert_eq!(tries(&[fail.clone(), fail.clone()], 1), [(Word::FalseFail, 1)]);
    assert_eq!(tries(&[fail.clone(), fail.clone(), ok(true)], 1), [(Word::FalseFail, 1)], "one of them had stored it");
    assert_eq!(tries(&[fail.clone(), info.clone(), ok(true)], 1), [], "the second may have");
    // Everybody hears it at 500 ms.
    let late = |last: Step| [vec![fail.clone(); 6], vec![last]].concat();
    assert_eq!(tries(&late(ok(false)), 1), [(Word::FalseFail, 1)], "heard before the try that was taken");
    assert_eq!(tries(&late(info.clone()), 1), [(Word::FalseFail, 1)]);
    assert_eq!(tries(&[info], 0), []);
}

#[test]
fn figures_are_told_by_fault_and_recovery_is_the_slowest_observer() {
    let mut events = said(4);
    events.extend([
        fault(250, Switch::Start, "F-03", ""),
        fault(350, Switch::Stop, "F-03", ""),
        follow(0, "c2", Door::Live, "e1", 0),
        follow(0, "w3", Door::Raw, "e1", 0),
    ]);
    for (p, src, times) in [("c2", Src::Live, [115, 215, 330, 430]), ("w3", Src::Raw, [120, 220, 800, 801])] {
        events.extend((1..).zip(times).map(|(seq, ms)| recv(ms, p, "e1", seq, src)));
    }
    let report = judge([events.clone(), vec![fin(900, "e1", 4)]].concat());
    assert!(report.is_clean(), "{report}");
    let timing = &report.timing;
    assert_eq!((timing.acks.calm.count, timing.acks.calm.max), (3, 10.0));
    assert_eq!((timing.acks.during["F-03"].count, timing.acks.during["F-03"].p50), (1, 10.0));
    let during = timing.deliveries.during["F-03"];
    assert_eq!((during.count, during.p50, during.p99), (2, 20.0, 490.0), "of entry 3, acknowledged at 310 ms");
    let calm = timing.deliveries.calm;
    assert_eq!((calm.count, calm.p50, calm.max), (6, 10.0, 391.0));
    // Entry 3 was acknowledged before the fault ended at 350 ms, entry 4 after.
    assert_eq!(timing.recoveries[0].took_ms, Some(450.0));
    assert!(report.to_string().contains("recovery from F-03, over at 0.350 s: 450 ms"), "{report}");

    let never =
        events.into_iter().filter(|event| !matches!(&event.what, What::Recv(it) if it.seq.0 > 2 && event.p == "w3"));
    let report = judge([never.collect(), vec![fin(900, "e1", 4)]].concat());
    assert_eq!(words(&report), [(Word::NotDelivered, 1)], "two entries, one finding");
    assert_eq!(report.timing.recoveries[0].took_ms, None);
    assert!(report.to_string().contains("over at 0.350 s: never"), "{report}");
}

#[test]
fn who_broke_the_own_link_is_not_waited_for_meanwhile() {
    let took = |own: bool| {
        let mut events = said(4);
        events.extend([fault(250, Switch::Start, "F-03", ""), fault(350, Switch::Stop, "F-03", "")]);
        events.extend([follow(0, "c2", Door::Live, "e1", 0), follow(900, "c2", Door::Live, "e1", 2)]);
        events.extend((1..).zip([115, 215, 910, 911]).map(|(seq, ms)| recv(ms, "c2", "e1", seq, Src::Live)));
        events.push(at(300, "c2", What::Lost { own }));
        let report = judge([events, vec![fin(1_000, "e1", 4)]].concat());
        assert!(report.is_clean(), "{report}");
        report.timing.recoveries[0].took_ms
    };
    assert_eq!(took(false), Some(560.0));
    assert_eq!(took(true), Some(10.0), "back at 900 ms, whole at 910");
    let acks = |own: bool| {
        let lost = at(305, "c1", What::Lost { own });
        judge([said(4), vec![lost, fin(1_000, "e1", 4)]].concat()).timing.acks.calm.count
    };
    assert_eq!((acks(false), acks(true)), (4, 3), "the answer to message 3 was on its way at 305 ms");
}

#[test]
fn another_store_is_followed_afresh_when_it_is_said() {
    let live = |resets: bool| {
        let mut events = vec![follow(0, "c2", Door::Live, "old", 0), recv(50, "c2", "old", 1, Src::Live)];
        events.extend(resets.then(|| reset(100, "c2", 2, 1)));
        events.extend([follow(101, "c2", Door::Live, "new", 1), recv(250, "c2", "new", 2, Src::Live)]);
        events
    };
    let plain = |resets: bool| {
        let mut events = vec![follow(0, "e3", Door::Events, "old", 0), recv(50, "e3", "old", 1, Src::Events)];
        events.extend(resets.then(|| reset(100, "e3", 1, 1)));
        events.push(recv(250, "e3", "new", 2, Src::Events));
        events
    };
    let verdict = |events: Vec<Event>| words(&judge([said(2), events, vec![fin(900, "new", 2)]].concat()));
    assert_eq!(verdict([live(true), plain(true)].concat()), []);
    assert_eq!(verdict(live(false)), [], "the new subscription says it");
    assert_eq!(verdict(plain(false)), [(Word::SilentGap, 1)]);
    let behind = vec![follow(0, "c2", Door::Live, "old", 0), recv(50, "c2", "old", 1, Src::Live)];
    assert_eq!(verdict(behind), [(Word::NotDelivered, 1)], "it never heard of the new store");
}

#[test]
fn in_a_store_without_a_final_log_observers_are_held_against_each_other() {
    let mut other = recv(60, "c4", "old", 1, Src::Live);
    if let What::Recv(receipt) = &mut other.what {
        receipt.h = Some(digest(9));
    }
    let mut events = vec![recv(50, "c2", "old", 1, Src::Live), other];
    for p in ["c2", "c4"] {
        events.extend([follow(0, p, Door::Live, "old", 0), reset(100, p, 1, 2), follow(101, p, Door::Live, "new", 2)]);
    }
    // A number that nobody can have must not keep the checker busy either.
    events.push(recv(70, "c4", "old", 1 << 52, Src::Live));
    let verdict = words(&judge([said(2), events, vec![fin(900, "new", 2)]].concat()));
    assert_eq!(verdict, [(Word::Diverged, 1), (Word::SilentGap, 1)]);
}

#[test]
fn a_lost_link_does_not_end_what_is_owed_and_leaving_does() {
    let heard = vec![follow(0, "c2", Door::Live, "e1", 0), recv(150, "c2", "e1", 1, Src::Live)];
    let verdict =
        |end: What| words(&judge([said(3), heard.clone(), vec![at(160, "c2", end), fin(900, "e1", 3)]].concat()));
    assert_eq!(verdict(What::Lost { own: false }), [(Word::NotDelivered, 1)]);
    assert_eq!(verdict(What::Unsubscribe { room: ROOM }), []);
}

#[test]
fn of_each_word_a_hundred_findings_are_kept_and_all_are_counted() {
    let mut events = said(250);
    events.push(fin(90_000, "e1", 0));
    let report = judge(events);
    assert_eq!(words(&report), [(Word::Lost, 250)]);
    assert_eq!(report.findings.len(), 100);
    assert!(report.to_string().ends_with("FAILED: 250 LOST"), "{report}");
}

fn person(ms: u64, t: Life) -> Event {
    at(ms, "c1", What::Person(Person { room: ROOM, who: "Ana".to_owned(), t, via: "b".to_owned(), since: None }))
}

fn told(ms: u64, t: Told) -> Event {
    at(ms, "c2", What::Presence(Presence { room: ROOM, t, who: vec!["Ana".to_owned()] }))
}

#[test]
fn a_fault_gives_presence_more_time_but_not_for_ever() {
    let shown = |stop: u64, end: u64| {
        let faults = vec![fault(2_000, Switch::Start, "F-03", ""), fault(stop, Switch::Stop, "F-03", "")];
        let people = vec![person(500, Life::Came), told(510, Told::Joined), person(3_000, Life::Went)];
        words(&judge([said(1), faults, people, vec![fin(end, "e1", 1)]].concat()))
    };
    assert_eq!(shown(2_500, 47_000), [], "45 seconds are not over");
    assert_eq!(shown(2_500, 49_000), [(Word::Stayed, 1)]);
    assert_eq!(shown(30_000, 74_000), [], "the fault froze it");
    assert_eq!(shown(30_000, 76_000), [(Word::Stayed, 1)]);
}

#[test]
fn who_was_not_listening_cannot_say_that_somebody_left_twice() {
    let away = [person(500, Life::Came), told(510, Told::Joined), person(3_000, Life::Went), told(15_100, Told::Left)];
    let back = [person(20_000, Life::Came), person(30_000, Life::Went), told(42_100, Told::Left)];
    let verdict = |more: Vec<Event>| {
        words(&judge([said(1), away.to_vec(), back.to_vec(), more, vec![fin(90_000, "e1", 1)]].concat()))
    };
    let lost = at(19_000, "c2", What::Lost { own: false });
    let list = |ms| at(ms, "c2", What::Presence(Presence { room: ROOM, t: Told::List, who: Vec::new() }));
    assert_eq!(verdict(vec![]), [(Word::LeftTwice, 1)]);
    assert_eq!(verdict(vec![lost.clone()]), [], "it did not hear that they came back");
    assert_eq!(verdict(vec![lost, list(25_000)]), [(Word::LeftTwice, 1)], "and then was told that they are not there");
}

#[test]
fn who_may_have_been_missed_may_be_said_to_have_left() {
    let verdict = |since: Option<u64>| {
        let mut went = person(25_000, Life::Went);
        if let What::Person(person) = &mut went.what {
            person.since = since.map(|ms| Mono(ms * 1_000_000));
        }
        let people = [person(500, Life::Came), told(510, Told::List), told(20_000, Told::Left), went];
        let back = [person(25_100, Life::Came), told(25_110, Told::Joined)];
        words(&judge([said(1), people.to_vec(), back.to_vec(), vec![fin(90_000, "e1", 1)]].concat()))
    };
    assert_eq!(verdict(Some(5_000)), [], "nothing was heard on that link for 20 s");
    assert_eq!(verdict(Some(15_000)), [(Word::Flicker, 1)], "for 10 s");
    assert_eq!(verdict(None), [(Word::Flicker, 1)], "until 25 s all was well");
    assert_eq!(verdict(Some(0)), [], "a sign of life from before they came is none");
}

#[test]
fn the_people_of_an_instance_that_was_shut_off_may_be_said_to_have_left() {
    let verdict = |on: &str, stop: u64, left: u64| {
        let faults = vec![fault(2_000, Switch::Start, "F-08", on), fault(stop, Switch::Stop, "F-08", on)];
        let people = vec![person(500, Life::Came), told(510, Told::List), told(left, Told::Left)];
        words(&judge([said(1), faults, people, vec![fin(90_000, "e1", 1)]].concat()))
    };
    assert_eq!(verdict("b", 32_000, 26_000), [], "who is there cannot be seen");
    assert_eq!(verdict("b", 32_000, 33_000), [], "and the news of it takes a moment");
    assert_eq!(verdict("c", 32_000, 26_000), [(Word::Flicker, 1)], "another instance");
    assert_eq!(verdict("", 32_000, 26_000), [(Word::Flicker, 1)], "all of them: nobody knows anything");
    assert_eq!(verdict("b", 9_000, 10_000), [(Word::Flicker, 1)], "for 7 s");
    assert_eq!(verdict("b", 32_000, 12_000), [(Word::Flicker, 1)], "too early");
    assert_eq!(verdict("b", 32_000, 50_000), [(Word::Flicker, 1)], "long over");
}

#[test]
fn who_came_back_through_an_instance_that_was_shut_off_did_so_unseen() {
    let verdict = |on: &str, start: u64, stop: u64| {
        let faults = vec![fault(start, Switch::Start, "F-08", on), fault(stop, Switch::Stop, "F-08", on)];
        let away = [person(500, Life::Came), told(510, Told::List), person(20_000, Life::Went)];
        let back = [person(23_000, Life::Came), told(32_100, Told::Left)];
        words(&judge([said(1), faults, away.to_vec(), back.to_vec(), vec![fin(90_000, "e1", 1)]].concat()))
    };
    assert_eq!(verdict("b", 22_000, 40_000), []);
    assert_eq!(verdict("c", 22_000, 40_000), [(Word::Flicker, 1)], "another instance");
    assert_eq!(verdict("b", 24_000, 40_000), [(Word::Flicker, 1)], "they were seen before");
    assert_eq!(verdict("b", 22_000, 26_000), [(Word::Flicker, 1)], "they were seen in time");
}

#[test]
fn who_went_and_did_not_come_back_may_be_said_to_have_left_once() {
    let people =
        vec![person(500, Life::Came), told(510, Told::List), person(3_000, Life::Went), told(15_100, Told::Left)];
    let verdict =
        |more: Vec<Event>| words(&judge([said(1), people.clone(), more, vec![fin(90_000, "e1", 1)]].concat()));
    assert_eq!(verdict(vec![]), []);
    assert_eq!(verdict(vec![told(15_200, Told::Left)]), [(Word::LeftTwice, 1)]);
    assert_eq!(verdict(vec![person(8_000, Life::Came)]), [(Word::Flicker, 1)], "back after 5 s, said all the same");
    let back = vec![person(20_000, Life::Came), told(20_010, Told::Joined), person(30_000, Life::Went)];
    assert_eq!(verdict([back, vec![told(42_100, Told::Left)]].concat()), [], "once for each time");
}
