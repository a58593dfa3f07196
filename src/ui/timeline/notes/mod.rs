//! Quiet lines in words: who came, who went, what the room is called now.

#[cfg(test)]
mod tests;

use tertulia_protocol::Person;
use tertulia_timeline::{Note, Row, What};

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
    match (came, went) {
        (Some(came), Some(went)) => format!("{came} · {went}"),
        (came, went) => came.or(went).unwrap_or_default(),
    }
}

/// `Ana`, `Ana and Bruno`, `Ana, Bruno and 5 others`; `None` for nobody.
#[must_use]
pub fn people(people: &[Person]) -> Option<String> {
    Some(match people {
        [] => return None,
        [one] => one.name.clone(),
        [one, two] => format!("{} and {}", one.name, two.name),
        [one, two, _] => format!("{}, {} and 1 other", one.name, two.name),
        [one, two, others @ ..] => format!("{}, {} and {} others", one.name, two.name, others.len()),
    })
}
