//! Quiet lines in words: who came, who went, what the room is called now.

#[cfg(test)]
mod tests;

use tertulia_protocol::Person;
use tertulia_timeline::{Note, Row, What};

/// People named in one line; the others are counted.
const NAMED: usize = 2;

/// The line of a note; empty for what is no note.
#[must_use]
pub fn words(row: &Row) -> String {
    let who = &row.by.name;
    let What::Note(note) = &row.what else { return String::new() };
    match note {
        Note::Created => format!("{who} made this room"),
        Note::Joined => format!("{who} joined"),
        Note::Left => format!("{who} left"),
        Note::Renamed { name } => format!("{who} renamed the room to {name}"),
        Note::Topic { topic } if topic.is_empty() => format!("{who} took the topic away"),
        Note::Topic { topic } => format!("{who} set the topic: {topic}"),
        Note::Removed { who: gone } => format!("{who} removed {}", gone.name),
        Note::Presence { joined, left } => presence(joined, left),
    }
}

fn presence(joined: &[Person], left: &[Person]) -> String {
    let came = people(joined).map(|names| format!("{names} joined"));
    let went = people(left).map(|names| format!("{names} left"));
    came.into_iter().chain(went).collect::<Vec<_>>().join(" · ")
}

/// `Ana`, `Ana and Bruno`, `Ana, Bruno and 5 others`; `None` for nobody.
#[must_use]
pub fn people(people: &[Person]) -> Option<String> {
    let names: Vec<&str> = people.iter().take(NAMED).map(|person| person.name.as_str()).collect();
    let others = people.len().saturating_sub(NAMED);
    Some(match (names.as_slice(), others) {
        ([], _) => return None,
        (names, 0) => names.join(" and "),
        (names, 1) => format!("{} and 1 other", names.join(", ")),
        (names, _) => format!("{} and {others} others", names.join(", ")),
    })
}
