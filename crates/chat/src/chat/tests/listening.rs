//! Those who follow one room without speaking the wire.

use std::collections::VecDeque;

use tertulia_protocol::{Change, Code, Seq};
use tokio::time::timeout;

use super::support::{Cluster, Instance, LOBBY, PATIENCE, foreign_epoch};
use crate::listener::{Happened, Listener, happened, resume};
use crate::presence::Visibility;
use crate::{Member, Start, Token};

/// A listener and what it has not been asked for yet.
struct Ear {
    listener: Listener,
    heard: VecDeque<Happened>,
}

impl Ear {
    async fn open(instance: &Instance, member: Member, start: Start, visibility: Visibility) -> Self {
        let listener = Listener::open(instance.chat.clone(), member, None, start, visibility).await;
        Self { listener: listener.expect("listening begins"), heard: VecDeque::new() }
    }

    async fn next(&mut self) -> Happened {
        loop {
            if let Some(next) = self.heard.pop_front() {
                return next;
            }
            let queue = self.listener.queue();
            timeout(PATIENCE, queue.ready()).await.expect("something happens");
            let frames = queue.take().expect("nobody ends it");
            self.heard.extend(frames.iter().flat_map(|frame| happened(frame)));
        }
    }

    async fn entry(&mut self) -> (i64, String) {
        loop {
            if let Happened::Entry(entry) = self.next().await {
                let body = match entry.change {
                    Change::Posted { body, .. } => body,
                    other => format!("{other:?}"),
                };
                return (entry.seq.0, body);
            }
        }
    }
}

async fn member(instance: &Instance, name: &str) -> Member {
    let (person, _) = instance.chat.enter(name).await.expect("the name is fine");
    instance.chat.member(&person, LOBBY).await.expect("the lobby is open")
}

#[tokio::test]
async fn a_listener_hears_every_entry_once_and_in_order_on_every_instance() {
    let cluster = Cluster::of(2);
    let mut ana = cluster.instances[0].guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    let first = ana.post(LOBBY, "before").await;
    let there = &cluster.instances[1];
    let mut late = Ear::open(there, member(there, "Late").await, Start::Last(1), Visibility::Hidden).await;
    let mut fresh = Ear::open(there, member(there, "Fresh").await, Start::Now, Visibility::Hidden).await;
    for number in 0..50 {
        ana.post(LOBBY, &format!("message {number}")).await;
    }
    assert_eq!(late.entry().await, (first, "before".to_owned()));
    for number in 0..50 {
        let expected = (first + 1 + number, format!("message {number}"));
        assert_eq!(late.entry().await, expected);
        assert_eq!(fresh.entry().await, expected);
    }
}

#[tokio::test]
async fn a_listener_resumes_by_number_and_begins_afresh_in_another_store() {
    let cluster = Cluster::of(1);
    let instance = &cluster.instances[0];
    let mut ana = instance.guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    let (one, two) = (ana.post(LOBBY, "one").await, ana.post(LOBBY, "two").await);
    let start = resume(&instance.chat, &instance.chat.epoch(), Seq(one));
    assert_eq!(start, Start::After(Seq(one)));
    let mut ear = Ear::open(instance, member(instance, "Eva").await, start, Visibility::Hidden).await;
    assert_eq!(ear.entry().await, (two, "two".to_owned()));

    let start = resume(&instance.chat, &foreign_epoch(), Seq(two + 1_000));
    let mut ear = Ear::open(instance, member(instance, "Eva").await, start, Visibility::Hidden).await;
    assert_eq!(ear.next().await, Happened::Afresh { after: Seq::ZERO });
    assert_eq!(ear.entry().await.0, 1, "the whole room, from its first entry");
}

#[tokio::test]
async fn only_who_is_shown_is_said_to_come_and_go() {
    let cluster = Cluster::of(2);
    let [here, there] = &cluster.instances[..] else { panic!("two instances") };
    let mut watcher = Ear::open(here, member(here, "Watcher").await, Start::Now, Visibility::Hidden).await;
    let hidden = Ear::open(there, member(there, "Hidden").await, Start::Now, Visibility::Hidden).await;
    let shown = Ear::open(there, member(there, "Shown").await, Start::Now, Visibility::Shown).await;
    let person = shown.listener.member().person().clone();
    assert_eq!(watcher.next().await, Happened::Joined(person.clone()));
    drop((hidden, shown));
    assert_eq!(watcher.next().await, Happened::Left(person));
}

#[tokio::test]
async fn the_end_of_its_session_ends_a_listener() {
    let cluster = Cluster::of(1);
    let chat = &cluster.instances[0].chat;
    let (person, token) = chat.enter("Ana").await.expect("the name is fine");
    let hash = Token::hash_of(token.reveal()).expect("a token has a hash");
    let member = chat.member(&person, LOBBY).await.expect("the lobby is open");
    let open = || Listener::open(chat.clone(), member.clone(), Some(hash), Start::Now, Visibility::Shown);
    let mut listener = open().await.expect("listening begins");
    listener.revalidate().await.expect("the session lives");
    chat.leave(hash).await.expect("the session ends");
    assert!(listener.queue().ended().is_some());
    listener.revalidate().await.expect_err("the session is gone");
    // Whoever was let in by it a moment ago and begins only now.
    let late = open().await.map(|_| ()).map_err(|refusal| refusal.code);
    assert_eq!(late, Err(Code::Unauthorized));
}
