//! Every scenario against the fake: an honest one is found correct, and every broken promise is found out.
//!
//! Times are asserted from below only: a busy machine makes everything slower, never faster.

use std::time::Duration;

use super::{Common, delivery, fanout, html, idle, sends};
use crate::fake::{Fake, Quirk};
use crate::ledger::Faults;
use crate::report::Report;
use crate::stage::Source;

fn common(fake: &Fake) -> Common {
    let source = Source::Urls(fake.urls.clone());
    Common { source, seconds: Some(1), warmup: Duration::from_millis(200), quiet: true }
}

fn value(report: &Report, name: &str) -> f64 {
    let figure = report.figures.iter().find(|figure| figure.name == name);
    figure.unwrap_or_else(|| panic!("no figure {name:?}")).value.unwrap_or_else(|| panic!("{name:?} has no value"))
}

const SENDS: sends::Sends = sends::Sends { connections: 6, rooms: Some(2), pipeline: 3, lonely_seconds: 0 };
const DELIVERY: delivery::Delivery = delivery::Delivery { rate: 100.0, senders: 2, receivers: 3, bytes: 120 };

/// What `delivery` finds out about a fake with this quirk: 2 senders and 3 receivers, 5 who hear.
async fn faults(quirk: Quirk) -> Faults {
    let fake = Fake::start(quirk).await;
    delivery::run(&DELIVERY, &common(&fake)).await.unwrap()[0].faults.unwrap()
}

#[tokio::test]
async fn an_honest_server_is_found_correct_by_sends() {
    let fake = Fake::start(Quirk::Honest).await;
    let reports = sends::run(&SENDS, &common(&fake)).await.unwrap();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].is_correct(), "{}", reports[0].table());
    assert!(value(&reports[0], "acked") > 0.0);
    assert!(value(&reports[0], "ack p50") <= value(&reports[0], "ack max"));
    assert_eq!(fake.opened(), 6);
    let stored: usize = fake.state.rooms().iter().map(|room| room.log.len()).sum();
    assert!(stored as f64 >= value(&reports[0], "acked"), "what was acknowledged was stored");
}

#[tokio::test]
async fn a_lonely_speaker_keeps_its_rate() {
    let fake = Fake::start(Quirk::Honest).await;
    let options = sends::Sends { connections: 1, lonely_seconds: 1, ..SENDS };
    let reports = sends::run(&options, &common(&fake)).await.unwrap();
    assert!(reports[1].is_correct());
    // 20 a second for 0.2 s of warm-up and 1 s: an open loop says all of them, however late.
    let said = fake.state.rooms().last().unwrap().log.len();
    assert!((20..=24).contains(&said), "{said} sends");
}

#[tokio::test]
async fn an_honest_server_is_found_correct_by_delivery_and_every_message_is_measured_at_b() {
    let fake = Fake::start(Quirk::Honest).await;
    let report = delivery::run(&DELIVERY, &common(&fake)).await.unwrap().remove(0);
    assert!(report.is_correct(), "{}", report.table());
    // 100 messages are due within the window, and the 3 receivers hear each; the senders' own are not counted.
    assert!((value(&report, "deliveries measured") - 300.0).abs() <= 6.0, "{}", report.table());
}

#[tokio::test]
async fn a_lost_entry_is_found_out_by_everybody() {
    assert_eq!(faults(Quirk::Lose(20)).await, Faults { lost: 5, ..Faults::default() });
}

#[tokio::test]
async fn a_doubled_entry_is_found_out_by_everybody() {
    assert_eq!(faults(Quirk::Double(20)).await, Faults { doubled: 5, ..Faults::default() });
}

#[tokio::test]
async fn an_entry_out_of_order_is_found_out_by_everybody() {
    assert_eq!(faults(Quirk::Swap(20)).await, Faults { out_of_order: 5, ..Faults::default() });
}

#[tokio::test]
async fn an_altered_text_is_found_out_by_everybody() {
    assert_eq!(faults(Quirk::Alter(20)).await, Faults { altered: 5, ..Faults::default() });
}

#[tokio::test]
async fn a_socket_cut_in_the_middle_resumes_without_a_fault_and_says_again_what_was_not_answered() {
    let fake = Fake::start(Quirk::Cut(20)).await;
    let report = delivery::run(&DELIVERY, &common(&fake)).await.unwrap().remove(0);
    assert!(report.is_correct(), "{}", report.table());
    assert!(report.notes.iter().any(|note| note.starts_with("5 sockets closed")), "{:?}", report.notes);
    assert!(!report.notes.iter().any(|note| note.contains("never answered")), "{:?}", report.notes);
    // 5 people and the two who asked whether the instances are linked, and 5 who came back.
    assert_eq!(fake.opened(), 12);
}

#[tokio::test]
async fn a_stall_is_charged_to_every_send_that_was_due_meanwhile() {
    let fake = Fake::start(Quirk::Stall(60, Duration::from_millis(500))).await;
    let options = delivery::Delivery { senders: 1, ..DELIVERY };
    let report = delivery::run(&options, &common(&fake)).await.unwrap().remove(0);
    assert!(report.is_correct());
    // 50 of the 100 were due during the stall: a closed loop would have shown one slow send of a hundred.
    assert!(value(&report, "ack max") >= 450.0, "{}", report.table());
    assert!(value(&report, "ack p90") >= 300.0, "{}", report.table());
}

#[tokio::test]
async fn a_rate_limit_ends_the_run_with_a_hint() {
    let fake = Fake::start(Quirk::Limit).await;
    let error = sends::run(&SENDS, &common(&fake)).await.unwrap_err().to_string();
    assert!(error.contains("TERTULIA_RATE_LIMITS=off"), "{error}");
}

#[tokio::test]
async fn one_room_with_many_members_is_measured() {
    let fake = Fake::start(Quirk::Honest).await;
    let options = fanout::Fanout { members: 50, rate: 20.0, speakers: 2, bytes: 200 };
    let report = fanout::run(&options, &common(&fake)).await.unwrap().remove(0);
    assert!(report.is_correct(), "{}", report.table());
    assert!(value(&report, "deliveries") > 0.0);
    assert!(value(&report, "entries per frame") >= 1.0);
    let wanted = fake.state.rooms()[0].log.len();
    assert!((20..=24).contains(&wanted), "{wanted} messages in 1.2 s at 20/s");
}

#[tokio::test]
async fn idle_sockets_are_all_opened_and_alive() {
    let fake = Fake::start(Quirk::Honest).await;
    let report = idle::run(&idle::Idle { sockets: 100, rooms: 5 }, &common(&fake)).await.unwrap().remove(0);
    assert!((value(&report, "sockets alive at the end") - 100.0).abs() < f64::EPSILON);
    assert_eq!(fake.opened(), 100 + 32);
    assert!(report.table().contains("not seen"), "the memory of a server that is not ours");
}

#[tokio::test]
async fn every_page_that_was_due_is_measured() {
    let fake = Fake::start(Quirk::Honest).await;
    let report = html::run(&html::Html { rate: 50.0, plain: false }, &common(&fake)).await.unwrap().remove(0);
    assert!((value(&report, "pages measured") - 50.0).abs() <= 1.0, "{}", report.table());
    assert!(value(&report, "requests failed").abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_page_without_its_newest_message_is_refused() {
    let fake = Fake::start(Quirk::ShortPage).await;
    let error = html::run(&html::Html { rate: 50.0, plain: true }, &common(&fake)).await.unwrap_err().to_string();
    assert!(error.contains("lacks message 50"), "{error}");
}

#[tokio::test]
async fn a_rate_that_makes_no_schedule_is_refused() {
    let fake = Fake::start(Quirk::Honest).await;
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(html::run(&html::Html { rate, plain: true }, &common(&fake)).await.is_err(), "{rate}");
    }
}

#[tokio::test]
async fn nobody_enters_without_a_session_or_from_elsewhere() {
    let fake = Fake::start(Quirk::Honest).await;
    let mut visitor = fake.web().enter("somebody").await.unwrap();
    assert_eq!(visitor.cookie, "sid=secret");
    visitor.cookie = "sid=wrong".to_owned();
    let error = visitor.rooms().await.unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");
    let open = crate::live::Live::open(&visitor, crate::stamp::Run(1), Vec::new()).await;
    assert!(open.unwrap_err().to_string().contains("401"));
}
