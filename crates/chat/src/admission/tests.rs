//! The desk under paused time: who gets in, who waits, who is sent away and until when.

use std::time::Duration;

use futures::FutureExt;
use tokio::time::{advance, timeout};

use super::{Admission, Admitted, DESK, FURTHEST, LINE, LINE_WAIT, PACE_AT_FIRST};

/// A desk at which somebody stands in every place.
async fn full(admission: &Admission) -> Vec<Admitted<'_>> {
    let mut places = Vec::new();
    for _ in 0..DESK {
        let Ok(place) = admission.enter().await else { panic!("premise: the desk is free") };
        places.push(place);
    }
    places
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_while_the_desk_is_free_does_not_wait() {
    let admission = Admission::default();
    let places = full(&admission).await;
    assert_eq!(places.len(), DESK);
    assert_eq!(admission.lock().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_desk_makes_wait_in_line_and_a_place_that_comes_free_goes_to_the_first() {
    let admission = Admission::default();
    let mut places = full(&admission).await;
    let (mut first, mut second) = (Box::pin(admission.enter()), Box::pin(admission.enter()));
    assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    places.pop();
    assert!(second.as_mut().now_or_never().is_none(), "the second waits behind the first");
    assert!(first.await.is_ok());
    places.pop();
    assert!(second.await.is_ok());
    assert_eq!(admission.lock().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_the_line_gives_the_place_back() {
    let admission = Admission::default();
    let places = full(&admission).await;
    assert!(timeout(Duration::from_millis(5), admission.enter()).await.is_err());
    assert_eq!(admission.lock().waiting, 0);
    drop(places);
    assert!(admission.enter().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn beyond_the_line_everybody_gets_an_appointment_one_after_the_other_at_the_measured_pace() {
    let admission = Admission::default();
    let _places = full(&admission).await;
    let in_line = usize::try_from(LINE_WAIT.as_millis() / PACE_AT_FIRST.as_millis()).expect("a small number");
    assert!(in_line < LINE, "premise: the wait is what ends the line at this pace");
    let line: Vec<_> = (0..in_line)
        .map(|_| {
            let mut waits = Box::pin(admission.enter());
            assert!(waits.as_mut().now_or_never().is_none());
            waits
        })
        .collect();
    let mut before = LINE_WAIT;
    for _ in 0..1_000 {
        let hint = admission.enter().await.err().expect("nobody else fits");
        assert_eq!(hint, before + PACE_AT_FIRST);
        before = hint;
    }
    let pause = Duration::from_millis(500);
    advance(pause).await;
    let hint = admission.enter().await.err().expect("the line has not moved");
    assert_eq!(hint, before + PACE_AT_FIRST - pause, "time that passed is not waited again");
    drop(line);
}

#[tokio::test(start_paused = true)]
async fn no_appointment_is_further_away_than_the_bound() {
    let admission = Admission::default();
    let _places = full(&admission).await;
    admission.set_pace(Duration::from_secs(10));
    for _ in 0..10 {
        assert!(admission.enter().await.err().expect("the line is too slow") <= FURTHEST);
    }
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_what_greetings_have_taken_lately() {
    let admission = Admission::default();
    for _ in 0..200 {
        let place = admission.enter().await;
        advance(Duration::from_millis(640)).await;
        drop(place);
    }
    let pace = admission.lock().pace;
    let expected = Duration::from_millis(640) / u32::try_from(DESK).expect("a small number");
    assert!(pace.abs_diff(expected) < Duration::from_micros(100), "{pace:?}");
}
