//! Goals are judged, and the tables say what the figures say.

use super::{Goal, Report, summary};
use crate::ledger::Faults;

#[test]
fn a_goal_is_met_exactly_up_to_its_bound() {
    assert!(Goal::AtLeast(5.0).is_met(5.0) && !Goal::AtLeast(5.0).is_met(4.9));
    assert!(Goal::Under(5.0).is_met(4.9) && !Goal::Under(5.0).is_met(5.0));
    assert!(Goal::AtMost(5.0).is_met(5.0) && !Goal::AtMost(5.0).is_met(5.1));
}

fn report() -> Report {
    let mut report = Report::new("sends: 64 connections, 5 s");
    report.figure("acked", 6_123.4, "/s");
    report.goal(Goal::AtLeast(5_000.0));
    report.figure("ack p99", 31.25, "ms");
    report.goal(Goal::Under(30.0));
    report.figure("server CPU per send", None, "us");
    report.faults = Some(Faults { lost: 2, ..Faults::default() });
    report.notes.push("3 sends refused: busy".to_owned());
    report
}

#[test]
fn the_table_says_value_goal_and_verdict() {
    let table = report().table();
    let wanted = "\
sends: 64 connections, 5 s
  acked                                         6123 /s  >= 5000  met
  ack p99                                      31.25 ms  < 30     MISSED
  server CPU per send                          not seen
  lost / doubled / out of order / altered  2 / 0 / 0 / 0  all 0    WRONG
  note: 3 sends refused: busy
";
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeezed(&table), squeezed(wanted));
    assert!(!report().is_correct());
}

#[test]
fn the_summary_has_goals_only_and_adds_up_the_faults() {
    let text = summary(&[report(), report()]);
    assert_eq!(text.matches("sends: acked").count(), 2);
    assert!(!text.contains("server CPU"));
    assert!(text.contains("4 / 0 / 0 / 0"));
}

#[test]
fn a_figure_that_is_no_number_is_not_seen() {
    let mut report = Report::new("x");
    report.figure("per nothing", f64::NAN, "us");
    report.goal(Goal::Under(1.0));
    assert_eq!(report.figures[0].met, None);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["figures"][0]["value"], serde_json::Value::Null);
    assert_eq!(json["figures"][0]["goal"]["under"], 1.0);
}

#[test]
fn a_summary_of_nothing_delivered_claims_nothing() {
    let mut report = report();
    report.faults = None;
    assert!(!summary(&[report]).contains("lost"));
    assert!(!summary(&[]).contains("met"));
}
