//! The market among instances: one walks, all show the same, another goes on; and what a room is told.

use std::sync::Arc;
use std::time::Duration;

use tertulia_protocol::quote::Card;
use tertulia_protocol::{Body, Code, Key, RoomId};

use super::support::{Cluster, Instance, LOBBY, PATIENCE};
use crate::Chat;
use crate::market::Tick;
use tokio::time::{sleep, timeout};

/// Waits for what this instance shows at the first second after `second`.
async fn after(chat: &Chat, second: i64) -> Arc<Tick> {
    let mut watch = chat.market().expect("a market").watch(second + 1);
    match watch.past.first() {
        Some(tick) => tick.clone(),
        None => timeout(PATIENCE, watch.next()).await.expect("the market walks").expect("and goes on")[0].clone(),
    }
}

/// What this instance remembers, once `tick` is among it.
async fn past(instance: &Instance, tick: &Arc<Tick>) -> Vec<Arc<Tick>> {
    let learnt = async {
        loop {
            let past = instance.chat.market().expect("a market").watch(0).past;
            if past.contains(tick) {
                return past;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, learnt).await.expect("it is told")
}

#[tokio::test(start_paused = true)]
async fn one_instance_walks_and_all_show_the_same_seconds() {
    let cluster = Cluster::of(3);
    let [a, b, c] = &cluster.instances[..] else { panic!("three instances") };
    let first = after(&a.chat, 0).await;
    for second in first.second..first.second + 5 {
        let seen = after(&a.chat, second).await;
        assert_eq!(after(&b.chat, second).await, seen);
        assert_eq!(after(&c.chat, second).await, seen);
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_one_that_walks_goes_another_goes_on_from_the_last_prices() {
    let cluster = Cluster::of(2);
    let [a, b] = &cluster.instances[..] else { panic!("two instances") };
    let last = after(&a.chat, 0).await;
    let last = after(&b.chat, last.second).await;
    a.chat.stop().await;
    let next = after(&b.chat, last.second).await;
    assert!(next.second > last.second);
    for (before, after) in last.prices.iter().zip(&next.prices) {
        assert!((before - after).abs() <= before / 100 + 1, "{before} became {after}: no jump");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_starts_later_or_was_away_learns_what_it_missed() {
    let cluster = Cluster::of(1);
    let old = &cluster.instances[0];
    let seen = after(&old.chat, 0).await;
    let seen = after(&old.chat, seen.second).await;
    let late = cluster.another();
    let known = past(&late, &seen).await;
    assert!(known.len() > 290, "five minutes, not only what came since: {}", known.len());
    late.bus.set_link(false);
    let missed = after(&old.chat, known.last().expect("some").second).await;
    assert!(late.chat.market().expect("a market").watch(missed.second).past.is_empty(), "premise: it is cut off");
    late.bus.set_link(true);
    past(&late, &missed).await;
}

#[tokio::test]
async fn a_room_is_told_the_price_of_the_moment_and_other_texts_stay_texts() {
    let cluster = Cluster::of(1);
    let chat = &cluster.instances[0].chat;
    after(chat, 0).await;
    let (person, _) = chat.enter("Ana").await.expect("a guest");
    let member = chat.member(&person, RoomId(LOBBY.0)).await.expect("a member");
    let send = async |text: &str| chat.send(&member, Key::mint(), text, None).await;
    let body = |sent: crate::store::Appended| match sent.entry.change {
        tertulia_protocol::Change::Posted { body, .. } => body,
        other => panic!("a message: {other:?}"),
    };
    let told = body(send("/stocks aapl").await.expect("it is traded"));
    let card = Card::read(&told).expect("a quote");
    assert_eq!(card.symbol, "AAPL");
    for text in ["/stocks are boring", "/stocksaapl", "/me waves", told.trim_end(), told.as_str()] {
        let kept = body(send(text).await.expect("a text like others"));
        assert_eq!(kept, Body::parse(text).expect("a text").into_string());
        assert_eq!(Card::read(&kept), None, "nobody writes in the market's name");
    }
    for text in ["/stocks NOPE", "/stocks", "/stocks <b>"] {
        let refusal = send(text).await.expect_err("no such stock");
        assert_eq!(refusal.code, Code::BadField);
        assert!(refusal.message.contains("AAPL, AMZN"), "{refusal}");
    }
    // The same action again is answered with what was stored, not with a newer price.
    let key = Key::mint();
    let first = chat.send(&member, key, "/stocks SAP", None).await.expect("it is traded");
    let again = chat.send(&member, key, "/stocks SAP", None).await.expect("it is known");
    assert!(again.duplicate);
    assert_eq!(first.entry, again.entry);
}
