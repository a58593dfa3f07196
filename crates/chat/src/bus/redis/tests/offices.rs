//! Elections on a real Redis: what a crash, a freeze and a theft do to a lease.

use tokio::time::{Duration, Instant};

use super::{open, open_up};
use crate::bus::Bus;
use crate::bus::conformance::{RealRedis, until_held, until_up};

const LEASE: &[u8] = b"tertulia:office:quotes";

#[tokio::test]
async fn the_lease_of_a_killed_instance_is_taken_over_when_it_runs_out() {
    let redis = RealRedis::start().await;
    // What `kill -9` leaves behind: a lease that nobody renews.
    assert!(redis.ask(&[b"SET", LEASE, b"dead", b"PX", b"6000"]).await.is_ok());
    let killed = Instant::now();
    let (bus, _heard) = open_up(&redis, "a").await;
    let mut held = bus.elect("quotes");
    until_held(&mut held, true).await;
    assert!(killed.elapsed() >= Duration::from_secs(5), "not before the dead one's lease has run out");
    let holder = redis.ask(&[b"GET", LEASE]).await;
    assert_eq!(holder, Ok(redis::Value::BulkString(b"a".to_vec())));
}

#[tokio::test]
async fn an_instance_stops_believing_before_a_frozen_server_could_tell_it() {
    let redis = RealRedis::start().await;
    let (bus, _heard) = open_up(&redis, "a").await;
    let mut held = bus.elect("quotes");
    until_held(&mut held, true).await;
    redis.freeze();
    until_held(&mut held, false).await;
    redis.thaw();
    until_held(&mut held, true).await;
}

#[tokio::test]
async fn a_lease_that_another_has_is_not_believed_in() {
    let redis = RealRedis::start().await;
    let (bus, _heard) = open_up(&redis, "a").await;
    let mut held = bus.elect("quotes");
    until_held(&mut held, true).await;
    assert!(redis.ask(&[b"SET", LEASE, b"thief"]).await.is_ok());
    until_held(&mut held, false).await;
    bus.close().await;
    let holder = redis.ask(&[b"GET", LEASE]).await;
    assert_eq!(holder, Ok(redis::Value::BulkString(b"thief".to_vec())), "nobody gives up what is another's");
}

#[tokio::test]
async fn a_server_that_lost_everything_gives_the_office_again_to_one() {
    let mut redis = RealRedis::start().await;
    let (one, _heard_one) = open_up(&redis, "a").await;
    let (two, _heard_two) = open_up(&redis, "b").await;
    let mut first = one.elect("quotes");
    until_held(&mut first, true).await;
    let mut second = two.elect("quotes");
    redis.kill();
    until_held(&mut first, false).await;
    redis.restart().await;
    until_up(&*one).await;
    until_up(&*two).await;
    tokio::select! {
        // Safe to cancel: a state is looked at, not taken.
        () = until_held(&mut first, true) => {}
        () = until_held(&mut second, true) => {}
    }
    assert_ne!(*first.borrow(), *second.borrow());
}

#[tokio::test]
async fn closing_while_redis_is_away_does_not_wait_for_it() {
    let redis = RealRedis::reserve(&[]).await;
    let (bus, _heard) = open(redis.url(), "a");
    let held = bus.elect("quotes");
    bus.close().await;
    assert!(!*held.borrow());
}
