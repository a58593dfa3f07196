//! Closed, the switch keeps every promise of the bus inside; open, nothing passes; healing owes a comparison first.

use bytes::Bytes;
use tertulia_protocol::RoomId;

use super::Switchable;
use crate::bus::conformance::{self, Medium, heard, until_down, until_up};
use crate::bus::embedded::EmbeddedHub;
use crate::bus::{Bus as _, Heard, Link, Topic};

async fn medium(ends: usize) -> Medium {
    let hub = EmbeddedHub::new();
    Medium { ends: (0..ends).map(|_| Switchable::wrap(hub.connect())).collect(), keep: Box::new(()) }
}

conformance::suite!(medium);

fn news(payload: &'static [u8]) -> Heard {
    Heard::News { topic: Topic::Everyone, payload: Bytes::from_static(payload) }
}

#[tokio::test]
async fn a_cut_bus_neither_speaks_nor_hears_and_healing_owes_a_comparison_before_it_is_up() {
    let hub = EmbeddedHub::new();
    let (other, mut others) = hub.open();
    let mut cut = Switchable::wrap(hub.connect());
    assert!(cut.bus.publish(Topic::Everyone, Bytes::from_static(b"before")), "premise: it speaks");
    assert_eq!(heard(&mut cut.heard).await, news(b"before"), "premise: it hears");
    assert_eq!(others.try_recv(), Ok(news(b"before")));

    let switch = cut.bus.switch().expect("there is a switch");
    switch.cut("for the lesson");
    assert!(switch.is_cut());
    assert_eq!(*cut.bus.link().borrow(), Link::Down("for the lesson".to_owned()));
    assert!(!cut.bus.publish(Topic::Everyone, Bytes::from_static(b"unsaid")));
    assert!(other.publish(Topic::Everyone, Bytes::from_static(b"unheard")));
    assert_eq!(others.try_recv(), Ok(news(b"unheard")), "nothing was said meanwhile");
    // The task that passes news on has surely taken this one when the link of the bus inside has turned.
    tokio::task::yield_now().await;

    switch.heal();
    assert!(!switch.is_cut());
    assert!(cut.bus.link().borrow().is_up());
    assert!(other.publish(Topic::Everyone, Bytes::from_static(b"again")));
    assert_eq!(heard(&mut cut.heard).await, Heard::MayHaveMissed);
    let mut next = heard(&mut cut.heard).await;
    // What was on its way through the task at that moment may still arrive: the bus promises no more.
    if next == news(b"unheard") {
        next = heard(&mut cut.heard).await;
    }
    assert_eq!(next, news(b"again"));
}

#[tokio::test]
async fn the_link_inside_is_told_while_closed_and_remembered_while_cut() {
    let hub = EmbeddedHub::new();
    let (inner, inner_heard) = hub.open();
    let mut end = Switchable::wrap(crate::bus::Connected { bus: inner.clone(), heard: inner_heard });
    inner.set_link(false);
    until_down(&*end.bus, "cut on purpose").await;
    inner.set_link(true);
    until_up(&*end.bus).await;
    assert_eq!(heard(&mut end.heard).await, Heard::MayHaveMissed, "said before the link was up");

    let switch = end.bus.switch().expect("there is a switch");
    switch.cut("for the lesson");
    inner.set_link(false);
    tokio::task::yield_now().await;
    until_down(&*end.bus, "for the lesson").await;
    switch.heal();
    until_down(&*end.bus, "cut on purpose").await;
    switch.heal();
    until_down(&*end.bus, "cut on purpose").await;
}

#[tokio::test]
async fn dropping_the_bus_ends_what_it_heard() {
    let mut end = Switchable::wrap(EmbeddedHub::new().connect());
    drop(end.bus);
    assert_eq!(end.heard.recv().await, None);
}

#[tokio::test]
async fn rooms_are_left_and_entered_through_the_switch() {
    let hub = EmbeddedHub::new();
    let end = Switchable::wrap(hub.connect());
    let confirmed = end.bus.subscribe(RoomId(7));
    assert!(*confirmed.borrow());
    end.bus.unsubscribe(RoomId(7));
    assert!(!*confirmed.borrow());
}
