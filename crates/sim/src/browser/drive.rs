//! Waits for what concerns a tab: the next line of its script, its errands, its connection, its timers.

use std::collections::VecDeque;

use tokio::time::{Duration, Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Errand, Fresh, Shared};
use crate::plan::{Deed, Timed};
use crate::socket::Down;
use crate::wire::Rx;

/// What is heard from one connection, and which one it is.
type Heard = Option<(u64, Rx<Down>)>;

/// Drives a tab through its script and on, until it is closed.
pub(crate) async fn drive(fresh: Fresh, script: Vec<Timed<Deed>>, closed: CancellationToken) {
    let Fresh { shared, mut errands } = fresh;
    let start = Instant::now();
    let mut script: VecDeque<Timed<Deed>> = script.into();
    let mut heard: Heard = None;
    shared.lock().done = script.is_empty();
    loop {
        let due = shared.lock().due();
        let next = script.front().map(|step| start + Duration::from_millis(step.at_ms));
        tokio::select! {
            biased;
            // Each arm is safe to cancel: moments pass, errands and the wire keep what has not been taken.
            () = closed.cancelled() => break,
            () = until(next) => {
                if let Some(step) = script.pop_front() {
                    perform(&shared, &step.what).await;
                }
                shared.lock().done = script.is_empty();
            }
            errand = errands.recv() => match errand {
                Some(Errand::Connected(generation, connected)) => {
                    let line = shared.lock().connected(generation, connected);
                    heard = line.map(|line| (generation, line)).or(heard);
                }
                Some(Errand::Fetched(room, page)) => shared.lock().fetched(room, page.as_deref()),
                None => break,
            },
            down = hear(&mut heard) => shared.lock().heard(down),
            () = until(due) => shared.lock().tick(),
        }
        let generation = shared.lock().generation;
        heard = heard.filter(|(current, _)| *current == generation);
    }
    shared.lock().let_go();
}

async fn perform(shared: &Shared, deed: &Deed) {
    if let Deed::Freeze { ms } = deed {
        shared.lock().note(format_args!("sleeps for {ms} ms"));
        sleep(Duration::from_millis(*ms)).await;
        shared.lock().woke();
    } else {
        shared.lock().perform(deed);
    }
}

async fn hear(heard: &mut Heard) -> Option<Down> {
    match heard {
        Some((_, line)) => line.recv().await,
        None => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
