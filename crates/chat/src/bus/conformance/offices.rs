//! What every bus promises of elections.

use std::time::Duration;

use futures::future::select_all;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Medium, PATIENCE, ready, until_down};

/// Waits until an office is held (or not) here.
///
/// # Panics
/// When it is not within [`PATIENCE`].
pub async fn until_held(office: &mut watch::Receiver<bool>, held: bool) {
    let reached = timeout(PATIENCE, office.wait_for(|now| *now == held)).await;
    assert!(reached.is_ok_and(|closed| closed.is_ok()), "it was never said that held = {held}");
}

fn holders(standing: &[watch::Receiver<bool>]) -> usize {
    standing.iter().filter(|held| *held.borrow()).count()
}

/// The place of whoever holds the office first.
async fn winner(standing: &mut [watch::Receiver<bool>]) -> usize {
    let waiting = standing.iter_mut().map(|held| Box::pin(until_held(held, true)));
    select_all(waiting).await.1
}

/// And it stays that way while nothing happens, whoever asks again.
pub async fn exactly_one_holds_an_office(factory: impl AsyncFnOnce(usize) -> Medium) {
    let medium = ready(factory, 3).await;
    let mut standing: Vec<_> = medium.ends.iter().map(|end| end.bus.elect("quotes")).collect();
    let first = winner(&mut standing).await;
    // Longer than a round of renewals, so that one is proven to keep it.
    for _ in 0..50 {
        assert_eq!(holders(&standing), 1);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!(*standing[first].borrow(), "it did not move without a reason");
    assert!(*medium.ends[first].bus.elect("quotes").borrow(), "asking again says what is");
    assert_eq!(holders(&standing), 1);
}

/// Dropped, as after a crash that was noticed.
pub async fn an_office_passes_on_when_its_holder_goes(factory: impl AsyncFnOnce(usize) -> Medium) {
    let mut medium = ready(factory, 3).await;
    let mut standing: Vec<_> = medium.ends.iter().map(|end| end.bus.elect("quotes")).collect();
    for left in (1..3).rev() {
        let holder = winner(&mut standing).await;
        drop(medium.ends.remove(holder));
        let mut gone = standing.remove(holder);
        // What is borrowed from the channel goes at once: its sender would block a thread of the runtime meanwhile.
        let lost = timeout(PATIENCE, gone.wait_for(|held| !held)).await.is_ok();
        assert!(lost, "whoever is gone holds nothing");
        winner(&mut standing).await;
        assert_eq!((standing.len(), holders(&standing)), (left, 1));
    }
}

/// Held by two, or both by one: but each by one.
pub async fn offices_do_not_depend_on_each_other(factory: impl AsyncFnOnce(usize) -> Medium) {
    let medium = ready(factory, 2).await;
    let mut first = medium.ends[0].bus.elect("bridge:chat");
    until_held(&mut first, true).await;
    let mut second = medium.ends[1].bus.elect("bridge:ops");
    until_held(&mut second, true).await;
    let late = medium.ends[1].bus.elect("bridge:chat");
    assert!(*first.borrow() && *second.borrow() && !*late.borrow());
}

/// And the others are free to go on at once.
pub async fn a_closed_bus_is_down_and_holds_nothing(factory: impl AsyncFnOnce(usize) -> Medium) {
    let medium = ready(factory, 2).await;
    let mut mine = medium.ends[0].bus.elect("quotes");
    until_held(&mut mine, true).await;
    let mut other = medium.ends[1].bus.elect("quotes");
    assert!(timeout(PATIENCE, medium.ends[0].bus.close()).await.is_ok(), "closing ends");
    assert!(!*mine.borrow());
    until_down(&*medium.ends[0].bus, "closed").await;
    until_held(&mut other, true).await;
    assert!(!*mine.borrow() && !*medium.ends[0].bus.elect("quotes").borrow());
}
