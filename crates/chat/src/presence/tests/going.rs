//! Nobody is told to have left for being where the news could not come from.

use super::*;

/// This view with another instance, and somebody of that instance who has just lost the connection there.
fn with_one_gone() -> (Presence, Instant) {
    let (mut presence, start) = fresh();
    presence.watch(ROOM);
    presence.hear_roster("b", ROOM, roster([7]), start);
    assert_eq!(told(&mut presence, start).0, 1, "premise: seven is shown");
    presence.hear_roster("b", ROOM, roster([]), start);
    assert_eq!(told(&mut presence, start), (0, vec![], vec![]), "premise: an absence stays unsaid for a while");
    (presence, start)
}

#[test]
fn whoever_comes_back_where_the_bus_is_away_has_not_left() {
    let (mut presence, start) = with_one_gone();
    assert_eq!(presence.tick(start + GRACE * 3, true), [], "the bus is away: silence means nothing");
    let back = start + GRACE * 4;
    assert_eq!(told(&mut presence, back), (0, vec![], vec![]), "nothing to tell, for others have had no time to");
    presence.hear_roster("b", ROOM, roster([7]), back + Duration::from_secs(1));
    assert_eq!(told(&mut presence, back + GRACE * 2), (0, vec![], vec![]));
    assert_eq!(ids(&presence.online(ROOM).0), [7]);
}

#[test]
fn whoever_is_not_heard_of_after_the_bus_is_back_has_left_once() {
    let (mut presence, start) = with_one_gone();
    presence.tick(start + GRACE * 3, true);
    let back = start + GRACE * 4;
    told(&mut presence, back);
    presence.hear_alive("b", back + GRACE);
    assert_eq!(told(&mut presence, back + GRACE), (0, vec![], vec![7]));
    assert_eq!(told(&mut presence, back + GRACE * 2), (0, vec![], vec![]));
}

#[test]
fn news_that_may_be_lost_are_waited_for_before_anybody_is_said_to_have_left() {
    let (mut presence, start) = with_one_gone();
    let late = start + GRACE - Duration::from_secs(1);
    presence.doubt(late);
    assert_eq!(told(&mut presence, start + GRACE), (0, vec![], vec![]), "the others were just asked");
    presence.hear_alive("b", late);
    assert_eq!(told(&mut presence, late + ALIVE_EVERY), (0, vec![], vec![7]));
}

#[test]
fn an_instance_that_knows_of_no_other_tells_who_left_also_without_a_bus() {
    let (mut presence, start) = fresh();
    presence.arrive(ROOM, &person(1));
    presence.watch(ROOM);
    presence.tick(start, true);
    presence.depart(ROOM, UserId(1));
    presence.tick(start, true);
    let changes = presence.tick(start + GRACE, true);
    assert_eq!(changes.iter().map(|(_, change)| ids(&change.left)).collect::<Vec<_>>(), [[1]]);
}
