//! The bus over Redis: its parts alone, and the whole against a real redis-server that is
//! killed, frozen, locked and lied to.

mod faults;
mod marks;
mod offices;
mod parts;
mod registry;

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{RedisBus, RedisSettings};
use crate::bus::conformance::{self, Medium, RealRedis, until_up};
use crate::bus::{Connected, Heard};

async fn medium(ends: usize) -> Medium {
    let redis = RealRedis::start().await;
    let connect = |n| RedisBus::connect(&RedisSettings::new(redis.url(), format!("i{n}"))).unwrap();
    let ends: Vec<Connected> = (0..ends).map(connect).collect();
    Medium { ends, keep: Box::new(redis) }
}

conformance::suite!(medium);

fn open(url: String, instance: &str) -> (Arc<RedisBus>, mpsc::Receiver<Heard>) {
    RedisBus::open(&RedisSettings::new(url, instance)).unwrap()
}

/// Up, and its first duty to compare heads taken off the queue.
async fn open_up(redis: &RealRedis, instance: &str) -> (Arc<RedisBus>, mpsc::Receiver<Heard>) {
    let (bus, mut heard) = open(redis.url(), instance);
    until_up(&*bus).await;
    assert_eq!(heard.try_recv(), Ok(Heard::MayHaveMissed), "coming up always owes a comparison");
    (bus, heard)
}
