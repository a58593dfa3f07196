//! A plain door: publishes several messages at once, and the same again until they are answered.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tertulia_chat::chat::Post;
use tertulia_protocol::{Body, Key, RoomId};
use tokio::time::{Duration, Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::dice::Dice;
use crate::house::House;
use crate::plan::{Posts, Timed};
use crate::record::Sender;

/// The door among the senders: no tab has this number.
pub(crate) const DOOR: Sender = 1_000;

/// What it is called.
struct Door;

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the door")
    }
}

/// Publishes everything; `done` says when all is answered.
pub(crate) async fn publish(house: Arc<House>, plan: Vec<Timed<Posts>>, mut dice: Dice, done: Arc<AtomicBool>) {
    let start = Instant::now();
    let mut minted = 0_u128;
    for Timed { at_ms, what: Posts { room, count } } in plan {
        sleep_until(start + Duration::from_millis(at_ms)).await;
        let room = RoomId(i64::try_from(room).unwrap_or(0) + 1);
        let mut sayings = Vec::new();
        for _ in 0..count {
            minted += 1;
            let key = Key(Uuid::from_u128((DOOR as u128 + 1) << 64 | minted));
            if let Ok(body) = Body::parse(&format!("the door says {minted}")) {
                sayings.push((key, body));
            }
        }
        let mut told = false;
        while !say(&house, room, &sayings, &mut told, &mut dice).await {
            sleep(Duration::from_millis(dice.within(100..=1_500))).await;
        }
    }
    done.store(true, Ordering::SeqCst);
}

/// One try; whether it was answered for good.
async fn say(house: &House, room: RoomId, sayings: &[(Key, Body)], told: &mut bool, dice: &mut Dice) -> bool {
    let Some(instance) = house.any(dice) else { return false };
    let trying = async {
        let author = instance.chat.author("Door").await.ok()?;
        let member = instance.chat.member(&author, room).await.ok()?;
        if !std::mem::replace(told, true) {
            for (key, body) in sayings {
                house.record().sends(*key, DOOR, author.id, room, body.as_str().to_owned());
            }
        }
        sayings.iter().for_each(|(key, _)| house.record().invoked(*key));
        house.record().note(format_args!("the door says {} messages at {}", sayings.len(), instance.name));
        let post = |(key, body): &(Key, Body)| Post { member: member.clone(), key: *key, body: body.clone() };
        instance.chat.post_all(sayings.iter().map(post).collect()).await.ok()
    };
    let answers = tokio::select! {
        biased;
        // Safe to cancel: what becomes of it is unknown, and the same is said again.
        () = instance.gone.cancelled() => None,
        answers = trying => answers,
    };
    let Some(answers) = answers else { return false };
    for ((key, _), answer) in sayings.iter().zip(&answers) {
        match answer {
            Ok(appended) => house.witness.acked(&Door, *key, appended.room, appended.entry.seq),
            Err(refusal) => {
                house.record().note(format_args!("the door is refused {key}, {:?}", refusal.code));
                if refusal.retry_after_ms.is_some() {
                    return false;
                }
                house.record().answered(*key, None);
            }
        }
    }
    true
}
