//! Who is here, as the other instances and the clients hear of it: in order, healing, and never behind the lines.

use std::sync::Arc;

use tertulia_protocol::{Key, Person, Seq, ServerFrame, UserId, codec};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::support::{Client, Cluster, LOBBY, PATIENCE, seqs};
use crate::bus::embedded::EmbeddedBus;
use crate::bus::{Bus, Heard, Topic};
use crate::fanout::Start;
use crate::news::{self, News};
use crate::presence::Visibility;
use crate::queue::Queue;

/// Somebody who listens to the bus and can speak on it.
struct Spy {
    bus: Arc<EmbeddedBus>,
    heard: mpsc::Receiver<Heard>,
    epoch: tertulia_protocol::Epoch,
}

impl Spy {
    fn on(cluster: &Cluster) -> Self {
        let (bus, heard) = cluster.hub.open();
        bus.subscribe(LOBBY);
        Self { bus, heard, epoch: cluster.instances[0].chat.epoch() }
    }

    fn say(&self, topic: Topic, news: News) {
        assert!(self.bus.publish(topic, news::encode(&self.epoch, "spy", news)), "the bus carries");
    }

    /// The next news of others for which `pick` has an answer. One patience for all that is passed over, since
    /// signs of life never cease.
    async fn until<T>(&mut self, mut pick: impl FnMut(News) -> Option<T>) -> T {
        let found = async {
            loop {
                let Heard::News { payload, .. } = self.heard.recv().await.expect("the hub lives") else { continue };
                // Its own echo is nothing; everything else on this bus is news.
                let Some((_, news)) = news::hear(&self.epoch, "spy", &payload) else { continue };
                if let Some(found) = pick(news) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("news come")
    }

    async fn asked(&mut self) {
        self.until(|news| matches!(news, News::Who { .. }).then_some(())).await;
    }

    async fn roster(&mut self) -> Vec<String> {
        let names = |people: Vec<Person>| people.into_iter().map(|person| person.name).collect();
        self.until(|news| if let News::Roster { people, .. } = news { Some(names(people)) } else { None }).await
    }
}

#[tokio::test]
async fn whoever_opens_the_page_is_told_of_those_without_a_name_as_well() {
    let cluster = Cluster::of(1);
    let [a] = cluster.instances.as_slice() else { panic!("one instance") };
    let spy = Spy::on(&cluster);
    let mut ana = a.guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    let crowd = vec![Person { id: UserId(900), name: "Biel".to_owned() }];
    spy.say(Topic::Room(LOBBY), News::Roster { room: LOBBY, people: crowd, more: 700, first: false, back: Vec::new() });
    ana.until(|frame| matches!(frame, ServerFrame::Presence { online: 702, .. }).then_some(())).await;
    let (person, _) = a.chat.enter("Carla").await.expect("fine");
    let member = a.chat.member_by_slug(&person, "chat").await.expect("the lobby is open");
    let (named, all) = a.chat.online(&member);
    assert_eq!((named.len(), all), (2, 702));
}

/// The next whole list, as names and the count.
async fn list(client: &mut Client) -> (Vec<String>, u64) {
    client
        .until(|frame| match frame {
            ServerFrame::Presence { full: true, joined, online, .. } => {
                Some((joined.into_iter().map(|person| person.name).collect(), online))
            }
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_link_that_went_and_came_back_unnoticed_is_answered_with_rosters_and_questions() {
    let cluster = Cluster::of(1);
    let mut spy = Spy::on(&cluster);
    let mut ana = cluster.instances[0].guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    assert_eq!(spy.roster().await, ["Ana"], "premise: told once");
    spy.asked().await;
    cluster.instances[0].bus.set_link(false);
    cluster.instances[0].bus.set_link(true);
    assert_eq!(spy.roster().await, ["Ana"]);
    spy.asked().await;
}

#[tokio::test]
async fn a_stranger_who_begins_with_a_roster_is_told_and_asked() {
    let cluster = Cluster::of(1);
    let mut spy = Spy::on(&cluster);
    let mut ana = cluster.instances[0].guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    assert_eq!(spy.roster().await, ["Ana"], "premise: told once");
    spy.asked().await;
    spy.say(
        Topic::Room(LOBBY),
        News::Roster { room: LOBBY, people: Vec::new(), more: 0, first: false, back: Vec::new() },
    );
    assert_eq!(spy.roster().await, ["Ana"]);
    spy.asked().await;
}

#[tokio::test]
async fn people_beyond_those_named_are_counted() {
    let cluster = Cluster::of(1);
    let mut spy = Spy::on(&cluster);
    let mut ana = cluster.instances[0].guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    spy.asked().await;
    spy.say(
        Topic::Room(LOBBY),
        News::Roster { room: LOBBY, people: Vec::new(), more: 7, first: false, back: Vec::new() },
    );
    ana.until(|frame| matches!(frame, ServerFrame::Presence { online: 8, .. }).then_some(())).await;
}

#[tokio::test]
async fn whoever_begins_afresh_is_in_at_once_and_gets_the_whole_list_once() {
    let cluster = Cluster::of(1);
    let chat = &cluster.instances[0].chat;
    let (person, _) = chat.enter("Ana").await.expect("fine");
    let member = chat.member(&person, LOBBY).await.expect("the lobby is open");
    for turn in 0..120 {
        chat.send(&member, Key::mint(), &format!("{turn}"), None).await.expect("sent");
    }
    for start in [Start::After(Seq(999)), Start::OtherEpoch] {
        let queue = Arc::new(Queue::default());
        let conn = chat.next_conn();
        let paging = chat.follow(&member, conn, &queue, start, Visibility::Shown).await.expect("readable");
        assert!(paging.is_none(), "{start:?}: a second list comes when a task that pages has ended");
        let mut said = Vec::new();
        for frame in queue.take().expect("it was not ended") {
            let frame = std::str::from_utf8(&frame).expect("frames are UTF-8");
            said.push(codec::decode_server(frame).expect("our own frames decode"));
        }
        let [reset, subscribed, between @ .., last] = &said[..] else { panic!("{start:?}: {said:?}") };
        assert!(matches!(reset, ServerFrame::Reset { after: Seq(71), seq: Seq(121), .. }), "{start:?}: {reset:?}");
        assert!(matches!(subscribed, ServerFrame::Subscribed { seq: Seq(121), .. }), "{start:?}: {subscribed:?}");
        let entries = between.iter().map(|frame| match frame {
            ServerFrame::Entries { entries, .. } => entries.len(),
            other => panic!("{start:?}: {other:?}"),
        });
        assert_eq!(entries.sum::<usize>(), 50, "{start:?}: a page");
        assert!(matches!(last, ServerFrame::Presence { full: true, .. }), "{start:?}: {last:?}");
        chat.unfollow(LOBBY, &person, conn, Visibility::Shown);
    }
}

#[tokio::test]
async fn whoever_pages_through_the_past_gets_the_whole_list_again_afterwards() {
    let cluster = Cluster::of(1);
    let instance = &cluster.instances[0];
    let (person, _) = instance.chat.enter("Ana").await.expect("fine");
    let member = instance.chat.member(&person, LOBBY).await.expect("the lobby is open");
    // More than the ring holds, so that the past is paged from SQL.
    for turn in 0..600 {
        instance.chat.send(&member, Key::mint(), &format!("{turn}"), None).await.expect("sent");
    }
    let mut biel = instance.guest("Biel").await;
    biel.subscribe(LOBBY, Some(1)).await;
    assert_eq!(list(&mut biel).await, (vec!["Biel".to_owned()], 1), "the first, at once");
    assert_eq!(seqs(&biel.entries_until(LOBBY, 601).await).len(), 600);
    assert_eq!(list(&mut biel).await, (vec!["Biel".to_owned()], 1), "the second, once joined");
}
