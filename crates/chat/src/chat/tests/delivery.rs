//! What everybody gets, in which order, whatever the bus does.

use std::time::Duration;

use tertulia_protocol::{BusState, Code, Key, ServerFrame};
use tokio::time::timeout;

use super::support::{Cluster, LOBBY, bodies, foreign_epoch, seqs};

#[tokio::test]
async fn a_message_reaches_every_client_of_the_room_on_every_instance_once_and_in_one_order() {
    let cluster = Cluster::of(3);
    let [a, b, c] = cluster.instances.as_slice() else { panic!("three instances") };
    let (mut ana, mut biel, mut carla) = (a.guest("Ana").await, b.guest("Biel").await, c.guest("Carla").await);
    for client in [&mut ana, &mut biel, &mut carla] {
        client.subscribe(LOBBY, Some(1)).await;
    }
    for turn in 0..20 {
        ana.post(LOBBY, &format!("ana {turn}")).await;
        biel.post(LOBBY, &format!("biel {turn}")).await;
    }
    let expected: Vec<i64> = (2..=41).collect();
    // Waiting for the acks passed over frames, so whoever only listened has the whole stream.
    let heard = carla.entries_until(LOBBY, 41).await;
    assert_eq!(seqs(&heard), expected);
    let resumed = &mut c.guest("Dolors").await;
    resumed.subscribe(LOBBY, Some(1)).await;
    assert_eq!(resumed.entries_until(LOBBY, 41).await, heard, "live and resumed streams are the same");
}

#[tokio::test]
async fn rooms_are_isolated() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let mut ana = a.guest("Ana").await;
    let mut biel = b.guest("Biel").await;
    let person = a.chat.enter("Host").await.expect("fine").0;
    let kitchen = a.chat.create_room(&person, "Kitchen").await.expect("fine").id;
    assert_ne!(kitchen, LOBBY, "premise: another room");
    ana.subscribe(LOBBY, Some(1)).await;
    biel.subscribe(kitchen, Some(1)).await;
    ana.post(LOBBY, "for the lobby").await;
    let last = ana.post(kitchen, "for the kitchen").await;
    let heard = biel.entries_until(kitchen, last).await;
    assert_eq!(bodies(&heard), ["for the kitchen"]);
}

#[tokio::test]
async fn the_same_key_is_stored_once_on_whatever_instance_it_is_sent() {
    let cluster = Cluster::of(2);
    let [a, _] = cluster.instances.as_slice() else { panic!("two instances") };
    let mut ana = a.guest("Ana").await;
    let key = Key::mint();
    let first = ana.post_with(key, LOBBY, "once").await;
    assert_eq!(first, (2, false));
    assert_eq!(ana.post_with(key, LOBBY, "twice, and changed").await, (2, true));
    assert_eq!(ana.post(LOBBY, "next").await, 3, "the repeat took no number");
}

#[tokio::test]
async fn what_the_bus_loses_is_read_from_sql() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let mut ana = a.guest("Ana").await;
    let mut biel = b.guest("Biel").await;
    biel.subscribe(LOBBY, Some(1)).await;
    b.bus.drop_every(2);
    for turn in 0..50 {
        ana.post(LOBBY, &format!("{turn}")).await;
    }
    // The last ones may be lost without a hole to show it; the comparison of heads finds them.
    assert_eq!(seqs(&biel.entries_until(LOBBY, 51).await), (2..=51).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_instance_without_the_bus_says_so_goes_on_and_catches_up() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let mut ana = a.guest("Ana").await;
    let mut biel = b.guest("Biel").await;
    biel.subscribe(LOBBY, Some(1)).await;
    b.bus.set_link(false);
    let state = |wanted| move |frame| matches!(frame, ServerFrame::Service { bus } if bus == wanted).then_some(());
    biel.until(state(BusState::Degraded)).await;
    ana.post(LOBBY, "from outside the island").await;
    assert_eq!(bodies(&biel.entries_until(LOBBY, 2).await), ["from outside the island"], "read from SQL");
    assert_eq!(biel.post(LOBBY, "from the island").await, 3, "sends are acknowledged without the bus");
    b.bus.set_link(true);
    biel.until(state(BusState::Live)).await;
    ana.post(LOBBY, "together again").await;
    let heard = biel.entries_until(LOBBY, 4).await;
    assert_eq!(bodies(&heard).last(), Some(&"together again"));
}

/// A third of what an instance takes that only compares now and then, and many times what it takes one that looks.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn what_is_written_without_the_bus_reaches_those_who_have_it_and_new_rooms_are_told_both_ways() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let (mut ana, mut biel) = (a.guest("Ana").await, b.guest("Biel").await);
    let host = a.chat.enter("Host").await.expect("fine").0;
    let quiet = a.chat.create_room(&host, "Quiet").await.expect("fine").id;
    ana.subscribe(quiet, Some(1)).await;
    biel.subscribe(quiet, Some(1)).await;
    b.bus.set_link(false);
    biel.until(|frame| matches!(frame, ServerFrame::Service { bus: BusState::Degraded }).then_some(())).await;
    let soon = async {
        let said = biel.post(quiet, "unheard").await;
        assert_eq!(bodies(&ana.entries_until(quiet, said).await), ["unheard"], "from who is cut off");
        let said = ana.post(quiet, "heard").await;
        assert_eq!(bodies(&biel.entries_until(quiet, said).await), ["heard"], "to who is cut off");
        for (maker, hearer, name) in [(b, &mut ana, "Made alone"), (a, &mut biel, "Made in company")] {
            let made = maker.chat.create_room(&host, name).await.expect("fine");
            hearer.until(|frame| matches!(frame, ServerFrame::Room { room } if room == made).then_some(())).await;
        }
    };
    timeout(SOON, soon).await.expect("nobody waits for a comparison that is made now and then");
    assert_eq!(*a.chat.bus_state().borrow(), BusState::Live, "premise: one of them never knew");
    assert_eq!(*b.chat.bus_state().borrow(), BusState::Degraded, "premise: and the other did all the while");
}

#[tokio::test]
async fn a_room_whose_name_differs_by_signs_alone_is_another_and_one_that_exists_is_opened() {
    let cluster = Cluster::of(1);
    let chat = &cluster.instances[0].chat;
    let host = chat.enter("Host").await.expect("fine").0;
    let make = async |name: &str| chat.create_room(&host, name).await.expect("made or found");
    let first = make("C++").await;
    let second = make("C#").await;
    assert_eq!((first.slug.as_str(), second.slug.as_str(), second.name.as_str()), ("c", "c-2", "C#"));
    assert_eq!((make("c++").await, make(" C# ").await), (first, second));
    for number in 3..=20 {
        let name = format!("c{}", "!".repeat(number));
        assert_eq!(make(&name).await.slug, format!("c-{number}"));
    }
    let refused = chat.create_room(&host, "(c)").await.expect_err("every place is taken");
    assert_eq!((refused.code, refused.limit), (Code::Limit, Some(20)));
}

#[tokio::test]
async fn a_new_room_is_told_once_to_everybody_although_bus_and_store_both_know_it() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let (mut ana, mut biel) = (a.guest("Ana").await, b.guest("Biel").await);
    biel.subscribe(LOBBY, Some(1)).await;
    let host = a.chat.enter("Host").await.expect("fine").0;
    let mut made = Vec::new();
    for name in ["One", "Two", "Three"] {
        made.push(a.chat.create_room(&host, name).await.expect("fine"));
    }
    // From here on only the store speaks. Each message is read after the one before it was: by the third, whoever looks
    // has been through all that moved before.
    b.bus.set_link(false);
    let mut told = Vec::new();
    for turn in 0..3 {
        let said = ana.post(LOBBY, &format!("{turn}")).await;
        loop {
            match biel.next().await.expect("the conversation goes on") {
                ServerFrame::Room { room } => told.push(room),
                ServerFrame::Entries { room: LOBBY, entries } if seqs(&entries).contains(&said) => break,
                _ => {}
            }
        }
    }
    assert_eq!(told, made);
}

#[tokio::test]
async fn catching_up_is_exact_far_beyond_memory() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let person = a.chat.enter("Ana").await.expect("fine").0;
    let member = a.chat.member(&person, LOBBY).await.expect("the lobby is open");
    // Several hundred more than the ring holds, and more than two pages carry.
    for turn in 0..1_200 {
        a.chat.send(&member, Key::mint(), &format!("{turn}"), None).await.expect("sent");
    }
    let mut biel = b.guest("Biel").await;
    biel.subscribe(LOBBY, Some(1)).await;
    assert_eq!(seqs(&biel.entries_until(LOBBY, 1_201).await), (2..=1_201).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_position_of_another_store_or_from_the_future_starts_afresh() {
    let cluster = Cluster::of(1);
    let [a] = cluster.instances.as_slice() else { panic!("one instance") };
    let mut ana = a.guest("Ana").await;
    for turn in 0..60 {
        ana.post(LOBBY, &format!("{turn}")).await;
    }
    let reset = |frame| match frame {
        ServerFrame::Reset { after, seq, reason, epoch, .. } => Some((after.0, seq.0, reason, epoch)),
        _ => None,
    };
    let (after, seq, reason, epoch) = {
        ana.say(&format!(r#"{{"t":"subscribe","room":{LOBBY},"after":999}}"#)).await.expect("fine");
        ana.until(reset).await
    };
    assert_eq!((after, seq, reason.as_str()), (11, 61, "ahead"));
    assert_eq!(seqs(&ana.entries_until(LOBBY, 61).await), (12..=61).collect::<Vec<_>>());
    assert_eq!(epoch, a.chat.epoch());

    let (person, token) = a.chat.enter("Biel").await.expect("fine");
    let hash = crate::Token::hash_of(token.reveal()).expect("a token has a hash");
    let mut connection = crate::Connection::open(a.chat.clone(), person, hash);
    let hello = format!(r#"{{"t":"hello","v":1,"resume":[{{"room":1,"epoch":"{}","seq":40}}]}}"#, foreign_epoch());
    connection.hear(&hello).await.expect("fine");
    let queue = connection.queue();
    let frames: Vec<String> =
        queue.take().expect("open").iter().map(|frame| String::from_utf8_lossy(frame).into_owned()).collect();
    assert!(frames.iter().any(|frame| frame.contains(r#""reason":"epoch""#)), "{frames:?}");
}

#[tokio::test]
async fn presence_is_shared_reloads_are_unsaid_and_leaving_is_said_once() {
    let cluster = Cluster::of(2);
    let [a, b] = cluster.instances.as_slice() else { panic!("two instances") };
    let mut ana = a.guest("Ana").await;
    ana.subscribe(LOBBY, None).await;
    let mut biel = b.guest("Biel").await;
    biel.subscribe(LOBBY, None).await;
    let joined = ana
        .until(|frame| match frame {
            ServerFrame::Presence { full: false, joined, online, .. } if joined.iter().any(|p| p.name == "Biel") => {
                Some(online)
            }
            _ => None,
        })
        .await;
    assert_eq!(joined, 2);
    drop(biel);
    let left = ana
        .until(|frame| match frame {
            ServerFrame::Presence { left, online, .. } if !left.is_empty() => Some((left, online)),
            _ => None,
        })
        .await;
    assert_eq!((left.0.len(), left.0[0].name.as_str(), left.1), (1, "Biel", 1));
}
