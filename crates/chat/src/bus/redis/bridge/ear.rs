//! The subscriber connection of one foreign channel, from its opening to its end.

use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::time::{MissedTickBehavior, interval};

use super::within;

/// For connecting and for the confirmation of the subscription: as long as the bus gives itself.
const CONNECT: Duration = Duration::from_secs(3);

/// Between two proofs that the connection lives. The bus's own heartbeat notices a dead Redis in 6 s; this finds
/// the rarer case that only this connection is dead.
const PROVE_EVERY: Duration = Duration::from_secs(10);

/// A subscription that is confirmed.
pub(super) struct Ear {
    sink: PubSubSink,
    stream: PubSubStream,
}

impl Ear {
    pub(super) async fn open(client: &redis::Client, channel: &str) -> Result<Self, String> {
        let (mut sink, stream) = within(CONNECT, client.get_async_pubsub()).await?.split();
        within(CONNECT, sink.subscribe(channel)).await?;
        tracing::info!(channel, "listening to the channel");
        Ok(Self { sink, stream })
    }

    /// Hands over what comes until the connection ends, and says why it did.
    pub(super) async fn hear(&mut self, channel: &str, take: &mut impl FnMut(&[u8])) -> String {
        let mut sink = self.sink.clone();
        let proving = async move {
            let mut ticks = interval(PROVE_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // Subscribing again changes nothing and is confirmed again: the simplest question with an answer.
                if let Err(why) = within(CONNECT, sink.subscribe(channel)).await {
                    return why;
                }
            }
        };
        tokio::pin!(proving);
        loop {
            tokio::select! {
                // Safe to cancel: `next` takes nothing unless it returns it.
                message = self.stream.next() => match message {
                    Some(message) => take(message.get_payload_bytes()),
                    None => return "Redis closed the connection".to_owned(),
                },
                // Safe to cancel: polled by reference, it goes on in the next turn.
                why = &mut proving => return why,
            }
        }
    }
}
