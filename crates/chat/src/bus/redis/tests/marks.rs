//! The mark beside a channel, on a real Redis: only the holder moves it, and only from where it stands.

use bytes::Bytes;

use super::open_up;
use crate::bus::conformance::{RealRedis, until_held};
use crate::bus::redis::bridge::{Channel, Published};

const LEASE: &[u8] = b"tertulia:office:bridge:alerts:e";
const MARK: &[u8] = b"tertulia:bridge:alerts:e:ops";

async fn say(channel: &Channel, from: i64, to: i64) -> Published {
    channel.publish(from, to, &[Bytes::from_static(b"hola")]).await.unwrap()
}

#[tokio::test]
async fn a_mark_that_is_gone_or_elsewhere_is_published_from_by_nobody_until_it_is_set() {
    let redis = RealRedis::start().await;
    let (bus, _heard) = open_up(&redis, "a").await;
    let channel = bus.channel("alerts", "e", "ops").unwrap();
    assert_eq!(channel.resume(3).await, Ok(Published::Lost), "nobody holds it yet");
    until_held(&mut channel.elect(), true).await;

    assert_eq!(say(&channel, 3, 4).await, Published::Moved, "there is no mark");
    assert_eq!(channel.resume(3).await, Ok(Published::Done));
    assert_eq!(say(&channel, 3, 5).await, Published::Done);
    assert_eq!(channel.mark().await, Ok(Some(5)));
    assert_eq!(say(&channel, 3, 6).await, Published::Moved, "it was told up to 5");
    assert_eq!(channel.resume(4).await, Ok(Published::Moved), "never back");
    assert_eq!(channel.resume(5).await, Ok(Published::Done));
    assert_eq!(channel.resume(10).await, Ok(Published::Done), "as numbers, not as words");
    assert_eq!(channel.mark().await, Ok(Some(10)));

    // Emptied, and the lease taken again at once: the mark alone must tell that something was forgotten.
    assert!(redis.ask(&[b"DEL", MARK]).await.is_ok());
    assert_eq!(say(&channel, 10, 11).await, Published::Moved);
    assert_eq!(channel.mark().await, Ok(None), "and nothing was written");

    assert!(redis.ask(&[b"SET", LEASE, b"thief"]).await.is_ok());
    assert_eq!(channel.resume(10).await, Ok(Published::Lost));
    assert_eq!(say(&channel, 10, 11).await, Published::Lost);
}

#[tokio::test]
async fn a_channel_that_was_another_rooms_has_a_mark_of_its_own_and_the_same_holder() {
    let redis = RealRedis::start().await;
    let (bus, _heard) = open_up(&redis, "a").await;
    let (ops, chat) = (bus.channel("alerts", "e", "ops").unwrap(), bus.channel("alerts", "e", "chat").unwrap());
    until_held(&mut ops.elect(), true).await;
    assert!(chat.is_held(), "one office for the channel");
    assert_eq!(ops.resume(5_000).await, Ok(Published::Done));
    assert_eq!(chat.mark().await, Ok(None));
}
