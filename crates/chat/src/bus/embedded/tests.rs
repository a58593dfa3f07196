//! The embedded bus: the suite every bus passes, and the switches only this one has.

use bytes::Bytes;
use tertulia_protocol::RoomId;

use super::EmbeddedHub;
use crate::bus::conformance::{self, Medium};
use crate::bus::{Bus, Heard, Link, Topic};

async fn medium(ends: usize) -> Medium {
    let hub = EmbeddedHub::new();
    Medium { ends: (0..ends).map(|_| hub.connect()).collect(), keep: Box::new(()) }
}

conformance::suite!(medium);

fn news(topic: Topic, payload: &'static [u8]) -> Heard {
    Heard::News { topic, payload: Bytes::from_static(payload) }
}

#[test]
fn a_severed_end_says_why_and_carries_nothing() {
    let hub = EmbeddedHub::new();
    let (_other, mut heard) = hub.open();
    let severed = hub.severed("not today");
    assert_eq!(*severed.bus.link().borrow(), Link::Down("not today".to_owned()));
    assert!(!*severed.bus.subscribe(RoomId(1)).borrow());
    assert!(!severed.bus.publish(Topic::Everyone, Bytes::from_static(b"unsaid")));
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_cut_end_neither_speaks_nor_hears_and_learns_of_it_when_joined_again() {
    let hub = EmbeddedHub::new();
    let (other, mut other_heard) = hub.open();
    let (cut, mut heard) = hub.open();
    let confirmed = cut.subscribe(RoomId(1));
    assert!(*confirmed.borrow(), "premise: confirmed while up");

    cut.set_link(false);
    assert_eq!(*cut.link().borrow(), Link::Down("cut on purpose".to_owned()));
    assert!(!*confirmed.borrow());
    assert!(!*cut.subscribe(RoomId(2)).borrow(), "a subscription made while cut is unconfirmed");
    assert!(!cut.publish(Topic::Everyone, Bytes::from_static(b"unsaid")));
    assert!(other.publish(Topic::Everyone, Bytes::from_static(b"unheard")));
    assert_eq!(other_heard.try_recv(), Ok(news(Topic::Everyone, b"unheard")));
    assert!(heard.try_recv().is_err());

    cut.set_link(true);
    assert!(*confirmed.borrow() && cut.link().borrow().is_up());
    assert!(other.publish(Topic::Room(RoomId(2)), Bytes::from_static(b"again")));
    assert_eq!(heard.try_recv(), Ok(Heard::MayHaveMissed));
    assert_eq!(heard.try_recv(), Ok(news(Topic::Room(RoomId(2)), b"again")));
}

#[test]
fn switching_to_the_present_state_changes_nothing() {
    let (bus, mut heard) = EmbeddedHub::new().open();
    bus.set_link(true);
    assert!(heard.try_recv().is_err());
}

#[test]
fn every_third_news_is_lost_without_a_word() {
    let (bus, mut heard) = EmbeddedHub::new().open();
    bus.drop_every(3);
    for n in 1..=7_u8 {
        assert!(bus.publish(Topic::Everyone, Bytes::copy_from_slice(&[n])));
    }
    let mut arrived = Vec::new();
    while let Ok(Heard::News { payload, .. }) = heard.try_recv() {
        arrived.push(payload[0]);
    }
    assert_eq!(arrived, [1, 2, 4, 5, 7]);
}

#[test]
fn an_end_that_was_dropped_leaves_the_hub() {
    let hub = EmbeddedHub::new();
    let (bus, mut heard) = hub.open();
    drop(bus);
    assert!(hub.open().0.publish(Topic::Everyone, Bytes::from_static(b"late")));
    assert_eq!(heard.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Disconnected));
}
