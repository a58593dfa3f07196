//! Walking round the list of rooms.

use super::*;

fn rooms(count: i64) -> Vec<RoomInfo> {
    let room = |id| RoomInfo { id: RoomId(id), slug: format!("r{id}"), name: String::new(), topic: String::new() };
    (1..=count).map(room).collect()
}

#[test]
fn the_list_is_a_circle() {
    assert_eq!(neighbour(&rooms(3), RoomId(1), 1).as_deref(), Some("/r/r2"));
    assert_eq!(neighbour(&rooms(3), RoomId(3), 1).as_deref(), Some("/r/r1"));
    assert_eq!(neighbour(&rooms(3), RoomId(1), -1).as_deref(), Some("/r/r3"));
}

#[test]
fn there_is_nowhere_to_go_from_a_lonely_or_unknown_room() {
    assert_eq!(neighbour(&rooms(1), RoomId(1), 1), None);
    assert_eq!(neighbour(&rooms(3), RoomId(9), 1), None);
    assert_eq!(neighbour(&[], RoomId(1), -1), None);
}
