//! From the room to the channel: the log read in order, published with the mark of how far we got, and who comes and
//! goes beside it.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{Close, Seq};
use tokio::sync::watch;

use super::{Bridge, RETRY, in_words, words};
use crate::fanout::Start;
use crate::listener::{Listener, happened};
use crate::member::Member;
use crate::presence::Visibility;

/// Entries that were passed over, since they came from a channel, before SQL is told: noting each would cost as much as
/// storing it, and passing over a page of them again costs nothing.
const PASSED_OVER: i64 = 2 * ENTRIES_PER_PAGE as i64;

impl Bridge {
    /// Publishes what is said whenever this instance holds the channel, again and again after whatever failed, until the
    /// end. No step is broken off when the channel is lost: what was published must be noted.
    pub(super) async fn speak(&self, member: &Member) {
        if self.begin(member).await.is_none() {
            return;
        }
        let mut held = self.channel.elect();
        let mut known = None;
        while self.until_held(&mut held, true).await.is_some() {
            let Err(why) = self.speak_from_mark(member, &mut held, &mut known).await else { continue };
            if !self.stop.is_cancelled() {
                tracing::warn!(channel = self.channel.name(), why, "the room is not told to the channel; trying again");
            }
            // Stopped meanwhile: so is the loop.
            let _ = self.pause(RETRY).await;
        }
    }

    /// Returns when the channel is not held any more, or the instance stops.
    async fn speak_from_mark(
        &self,
        member: &Member,
        held: &mut watch::Receiver<bool>,
        known: &mut Option<Seq>,
    ) -> Result<(), String> {
        // The bell first: whatever is said after the first look rings it.
        let bell = Listener::open(self.chat.clone(), member.clone(), None, Start::Now, Visibility::House).await;
        let bell = bell.map_err(in_words)?;
        let mut at = self.resume(member, *known).await?;
        let mut noted = at;
        loop {
            *known = Some(at);
            if !*held.borrow() || self.stop.is_cancelled() {
                return Ok(());
            }
            let (to, spoken) = self.publish_after(member, at).await?;
            if to == at {
                let Some(happened) = self.rung(&bell, held).await? else { return Ok(()) };
                self.publish_comings(member, at, &happened).await?;
                continue;
            }
            at = to;
            if spoken > 0 || at.0 - noted.0 >= PASSED_OVER {
                self.note(member, at).await;
                noted = at;
            }
        }
    }

    /// Publishes one page after a number; how far it got (no further when there is nothing) and how many messages it
    /// had for the channel.
    async fn publish_after(&self, member: &Member, at: Seq) -> Result<(Seq, usize), String> {
        let page = i64::try_from(ENTRIES_PER_PAGE).unwrap_or(i64::MAX);
        let page = self.chat.pull(member, at, page).await.map_err(in_words)?;
        let Some(to) = page.last().map(|entry| entry.seq) else { return Ok((at, 0)) };
        let messages: Vec<_> =
            page.iter().filter_map(|entry| words::spoken(member.room(), entry, &self.from)).collect();
        self.publish(at, to, &messages).await?;
        self.counters.spoken.fetch_add(u64::try_from(messages.len()).unwrap_or(u64::MAX), Relaxed);
        Ok((to, messages.len()))
    }

    /// Publishes who came and went. Best effort, as everywhere: only what happens while this instance holds the channel
    /// is told, and the mark stays where it is.
    async fn publish_comings(&self, member: &Member, at: Seq, frames: &[Bytes]) -> Result<(), String> {
        let happened = frames.iter().flat_map(|frame| happened(frame));
        let moved: Vec<_> = happened.filter_map(|what| words::moved(member.room(), &what, &self.from)).collect();
        if moved.is_empty() { Ok(()) } else { self.publish(at, at, &moved).await }
    }

    async fn publish(&self, at: Seq, to: Seq, payloads: &[Bytes]) -> Result<(), String> {
        Ok(self.channel.publish(at.0, to.0, payloads).await?.or_why()?)
    }

    /// Waits until something happened in the room: the frames that tell of it. `None` when the channel is not held any
    /// more, or the instance stops.
    async fn rung(&self, bell: &Listener, held: &mut watch::Receiver<bool>) -> Result<Option<Vec<Bytes>>, String> {
        let queue = bell.queue();
        tokio::select! {
            // Safe to cancel: the office is looked at, not taken.
            _ = self.until_held(held, false) => return Ok(None),
            // Safe to cancel: nothing is taken from the queue.
            () = queue.ready() => {}
        }
        match queue.take() {
            Ok(frames) => Ok(Some(frames)),
            // The instance stops, and what is said meanwhile is told by the next holder.
            Err(ended) if ended.close == Close::Restarting => {
                // Lost, or stopped: it comes to the same.
                let _ = self.until_held(held, false).await;
                Ok(None)
            }
            Err(ended) => Err(format!("the bell ended: {:?}", ended.close)),
        }
    }
}
