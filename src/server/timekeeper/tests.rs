//! Bells under paused time: none early, none more than a grain late, none for ever.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};

use super::{GRAIN, SLOTS, Timekeeper};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn every_bell_rings_at_its_time_and_at_most_a_grain_later() {
    let keeper = Timekeeper::new();
    let _keeping = tokio::spawn(keeper.clone().keep());
    let start = Instant::now();
    // Also beyond what the wheel can hold.
    let waits = (0..1_000_u64).map(|n| {
        let (mut bell, due) = (keeper.bell(), start + Duration::from_millis(n * 131));
        async move {
            bell.until(due).await;
            (due, Instant::now())
        }
    });
    for (due, rang) in join_all(waits).await {
        assert!(rang >= due && rang <= due + GRAIN, "due {:?}, rang {:?}", due - start, rang - start);
    }
    assert!(
        131 * 1_000 > u128::from(SLOTS) * GRAIN.as_millis(),
        "premise: some are further away than the wheel reaches"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_moves_away_rings_once_and_one_that_comes_nearer_is_not_missed() {
    let keeper = Timekeeper::new();
    let _keeping = tokio::spawn(keeper.clone().keep());
    let (mut bell, start) = (keeper.bell(), Instant::now());
    assert!(timeout(seconds(1), bell.until(start + seconds(5))).await.is_err(), "premise: given up in the middle");
    bell.until(start + seconds(20)).await;
    assert!(start.elapsed() >= seconds(20));
    assert!(timeout(seconds(1), bell.until(start + seconds(60))).await.is_err(), "premise: given up in the middle");
    bell.until(start + seconds(25)).await;
    assert!(start.elapsed() <= seconds(25) + GRAIN);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_already_does_not_wait_and_what_is_gone_is_forgotten() {
    let keeper = Timekeeper::new();
    let _keeping = tokio::spawn(keeper.clone().keep());
    let start = Instant::now();
    keeper.bell().until(start).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    for _ in 0..100 {
        assert!(timeout(Duration::from_millis(1), keeper.bell().until(start + seconds(30))).await.is_err());
    }
    let hanging = || keeper.lock().slots.iter().map(Vec::len).sum::<usize>();
    assert_eq!(hanging(), 100, "premise: they hang");
    keeper.bell().until(start + seconds(31)).await;
    assert_eq!(hanging(), 0);
}
