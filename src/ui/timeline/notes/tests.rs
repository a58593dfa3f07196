//! How many people fit into a quiet line.

use super::*;
use tertulia_protocol::UserId;

fn table(names: &[&str]) -> Vec<Person> {
    let person = |(id, name): (i64, &&str)| Person { id: UserId(id), name: (*name).to_owned() };
    (1..).zip(names).map(person).collect()
}

#[test]
fn many_people_are_folded() {
    assert_eq!(people(&table(&[])), None);
    assert_eq!(people(&table(&["Ana"])).as_deref(), Some("Ana"));
    assert_eq!(people(&table(&["Ana", "Bruno"])).as_deref(), Some("Ana and Bruno"));
    assert_eq!(people(&table(&["Ana", "Bruno", "Cesc"])).as_deref(), Some("Ana, Bruno and 1 other"));
    let seven = table(&["Ana", "Bruno", "C", "D", "E", "F", "G"]);
    assert_eq!(people(&seven).as_deref(), Some("Ana, Bruno and 5 others"));
}

#[test]
fn a_line_may_tell_who_came_and_who_went() {
    assert_eq!(presence(&table(&["Ana"]), &table(&["Bruno"])), "Ana joined · Bruno left");
    assert_eq!(presence(&[], &table(&["Bruno"])), "Bruno left");
}
