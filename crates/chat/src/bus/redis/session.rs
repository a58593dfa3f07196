//! One connection to Redis from its opening to its end: two sockets that live and die together, because
//! a bus that only speaks or only hears is broken. Whoever runs it asks for a new one when it ends.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{BoxFuture, Fuse, FusedFuture, FutureExt};
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Msg, RedisResult};
use tertulia_protocol::RoomId;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use super::Shared;
use super::channels::Subject;
use super::counters::add;
use super::publisher::{Publish, publish};
use super::pulse::{DEAD_AFTER, EVERY, Pulse};
use super::reason::reason;
use crate::bus::outlet::Outlet;
use crate::bus::{Link, PAYLOAD_BYTES, Topic};

/// For both sockets with name lookup, handshake and password. Half of the heartbeat's 6 s: a Redis that
/// needs longer to greet would not keep up with the beats either.
const CONNECT: Duration = Duration::from_secs(3);

/// For a pipeline of publishes; the heartbeat's limit, so whichever notices first has the same patience.
const RESPONSE: Duration = DEAD_AFTER;

/// For all confirmations of one batch of subscriptions (512 lines of answer).
const CONFIRM: Duration = Duration::from_secs(5);

/// Heartbeats that wait to be sent: one under way and one behind it; a third would be late anyway.
const BEATS: usize = 2;

/// Why a session ends when the bus does.
pub(super) const CLOSED: &str = "closed";

/// A batch of subscriptions being asked for: the rooms Redis confirmed, or why it ends the session.
type Asking = Fuse<BoxFuture<'static, Result<Vec<RoomId>, String>>>;

/// What the reading half knows.
struct Session<'a> {
    shared: &'a Shared,
    outlet: &'a mut Outlet,
    sink: PubSubSink,
    beats: mpsc::Sender<Publish>,
    /// `None` until everything wanted at the start is confirmed.
    pulse: Option<Pulse>,
    up: bool,
}

/// Connects, serves, and returns why it ended.
pub(super) async fn run(shared: &Shared, queue: &mut mpsc::Receiver<Publish>, outlet: &mut Outlet) -> String {
    let opened = tokio::select! {
        // Safe to cancel: nothing is waited for but the wish to end.
        () = shared.closing.cancelled() => return CLOSED.to_owned(),
        // Safe to cancel: sockets that are half open are dropped.
        opened = timeout(CONNECT, open(shared)) => opened,
    };
    let (connection, sink, stream) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return reason(&error),
        Err(_) => return format!("Redis does not answer within {} s", CONNECT.as_secs()),
    };
    shared.registry.reset();
    let (beats, beats_to_send) = mpsc::channel(BEATS);
    let elections = stand(shared, connection.clone());
    let publishing = publish(connection, beats_to_send, queue, &shared.counters);
    let session = Session { shared, outlet, sink, beats, pulse: None, up: false };
    tokio::select! {
        // What was queued before the wish to end is sent before the offices are given up.
        biased;
        // Safe to cancel: the session is over either way, and an unconfirmed batch counts itself as dropped.
        reason = publishing => reason,
        // Safe to cancel: the session is over, and whatever was held is forgotten with it.
        () = elections => CLOSED.to_owned(),
        // Safe to cancel: what it had not yet heard is covered by the next session's `MayHaveMissed`.
        reason = session.serve(stream) => reason,
    }
}

/// Stands for offices once the link has proved itself; returns when the bus closes.
async fn stand(shared: &Shared, connection: MultiplexedConnection) {
    let mut link = shared.link.subscribe();
    tokio::select! {
        // Safe to cancel: nothing is waited for but the wish to end.
        () = shared.closing.cancelled() => return,
        // Safe to cancel: the link is read, not taken. It cannot close: we hold its sender.
        up = link.wait_for(Link::is_up) => drop(up),
    }
    shared.commands.send_replace(Some(connection.clone()));
    shared.offices.run(connection, &shared.channels, &shared.closing).await;
}

async fn open(shared: &Shared) -> RedisResult<(MultiplexedConnection, PubSubSink, PubSubStream)> {
    // The limit on connecting is the caller's, for both sockets.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(Some(RESPONSE));
    let (connection, pubsub) = tokio::try_join!(
        shared.client.get_multiplexed_async_connection_with_config(&config),
        shared.client.get_async_pubsub(),
    )?;
    let (sink, stream) = pubsub.split();
    Ok((connection, sink, stream))
}

impl Session<'_> {
    async fn serve(mut self, mut stream: PubSubStream) -> String {
        let mut asking = ask(self.sink.clone(), self.shared.channels.always(), Vec::new(), Vec::new());
        let mut ticks = ticks();
        let dead = sleep_until(Instant::now() + DEAD_AFTER);
        tokio::pin!(dead);
        loop {
            tokio::select! {
                // Safe to cancel: `next` takes nothing unless it returns it.
                message = stream.next() => match message {
                    Some(message) => {
                        if self.hear(&message) && let Some(pulse) = &self.pulse {
                            dead.as_mut().reset(pulse.deadline());
                        }
                    }
                    None => return "Redis closed the connection".to_owned(),
                },
                // Safe to cancel: polled by reference, it goes on in the next turn.
                answer = &mut asking, if !asking.is_terminated() => match answer {
                    Ok(rooms) => {
                        self.shared.registry.confirm(&rooms);
                        asking = self.ask_next();
                        if asking.is_terminated() && self.pulse.is_none() {
                            dead.as_mut().reset(self.start_pulse());
                            ticks.reset();
                        }
                    }
                    Err(reason) => return reason,
                },
                // Safe to cancel: a change that nobody took is remembered.
                () = self.shared.registry.changed(), if asking.is_terminated() => asking = self.ask_next(),
                // Safe to cancel: a tick that nobody took comes again.
                _ = ticks.tick(), if self.pulse.is_some() => self.beat(),
                // Safe to cancel: polled by reference, the deadline stays.
                () = &mut dead, if self.pulse.is_some() => {
                    return format!("no heartbeat for {} s", DEAD_AFTER.as_secs());
                }
            }
        }
    }

    /// Starts the next batch of what the registry wants changed; terminated when nothing is.
    fn ask_next(&self) -> Asking {
        let Some(step) = self.shared.registry.next_step() else { return Fuse::terminated() };
        let name = |room: &RoomId| self.shared.channels.room(*room);
        let enter = step.subscribe.iter().map(name).collect();
        let leave = step.unsubscribe.iter().map(name).collect();
        ask(self.sink.clone(), enter, leave, step.subscribe)
    }

    /// Everything is confirmed: what is left to prove is that publishing arrives.
    fn start_pulse(&mut self) -> Instant {
        let pulse = Pulse::new(rand::random(), Instant::now());
        let deadline = pulse.deadline();
        self.pulse = Some(pulse);
        self.beat();
        deadline
    }

    fn beat(&mut self) {
        let Some(pulse) = &mut self.pulse else { return };
        let Ok(place) = self.beats.try_reserve() else {
            // Publishing is stuck; if it stays so, the missing echo ends the session.
            tracing::debug!("the last heartbeats are still waiting to be published");
            return;
        };
        let payload = Bytes::from(pulse.beat(Instant::now()));
        place.send(Publish { channel: self.shared.channels.heartbeat().to_owned(), payload, share: None });
    }

    /// Takes one message from Redis, whoever sent it; `true` when it was the echo of a heartbeat.
    fn hear(&mut self, message: &Msg) -> bool {
        let payload = message.get_payload_bytes();
        match self.shared.channels.subject(message.get_channel_name()) {
            Some(Subject::Heartbeat) => return self.hear_echo(payload),
            Some(Subject::News(_)) if payload.len() > PAYLOAD_BYTES => add(&self.shared.counters.oversized, 1),
            // Left while this was on its way.
            Some(Subject::News(Topic::Room(room))) if !self.shared.registry.wants(room) => {}
            Some(Subject::News(topic)) => {
                let handed = self.outlet.news(topic, Bytes::copy_from_slice(payload));
                add(if handed { &self.shared.counters.heard } else { &self.shared.counters.overflowed }, 1);
            }
            Some(Subject::Vacant) => self.shared.offices.nudge(),
            None => tracing::debug!("news on a channel that is not ours"),
        }
        false
    }

    fn hear_echo(&mut self, payload: &[u8]) -> bool {
        let Some(took) = self.pulse.as_mut().and_then(|pulse| pulse.echo(payload, Instant::now())) else {
            return false;
        };
        self.shared.counters.echo(took);
        if !self.up {
            self.up = true;
            // First the duty to compare heads, then the good news: nobody shall see "up" without it.
            self.outlet.missed();
            self.shared.came_up();
        }
        true
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Asks Redis for channels and waits, within bounds, until it confirmed every single one.
fn ask(mut sink: PubSubSink, enter: Vec<String>, leave: Vec<String>, rooms: Vec<RoomId>) -> Asking {
    let asking = async move {
        let answered = async {
            // An empty UNSUBSCRIBE would mean "all".
            if !leave.is_empty() {
                sink.unsubscribe(&leave).await?;
            }
            if !enter.is_empty() {
                sink.subscribe(&enter).await?;
            }
            RedisResult::Ok(())
        };
        match timeout(CONFIRM, answered).await {
            Ok(Ok(())) => Ok(rooms),
            Ok(Err(error)) => Err(reason(&error)),
            Err(_) => Err(format!("subscriptions were not confirmed within {} s", CONFIRM.as_secs())),
        }
    };
    asking.boxed().fuse()
}
