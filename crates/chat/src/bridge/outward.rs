//! From the room to the channel: the log read in order, published with the mark of how far we got, and who comes and
//! goes beside it.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{Close, Seq};
use tokio::time::sleep;

use super::{Bridge, RETRY, words};
use crate::bus::redis::bridge::Published;
use crate::fanout::Start;
use crate::listener::{Listener, happened};
use crate::member::Member;
use crate::presence::Visibility;

impl Bridge {
    /// Publishes what is said, again and again after whatever failed. Never returns.
    pub(super) async fn speak(&self, member: &Member, known: &mut Option<Seq>) {
        loop {
            if let Err(why) = self.speak_from_mark(member, known).await {
                tracing::warn!(channel = self.channel.name(), why, "the room is not told to the channel; trying again");
            }
            sleep(RETRY).await;
        }
    }

    async fn speak_from_mark(&self, member: &Member, known: &mut Option<Seq>) -> Result<(), String> {
        // The bell first: whatever is said after the first look rings it.
        let bell = Listener::open(self.chat.clone(), member.clone(), None, Start::Now, Visibility::House).await;
        let bell = bell.map_err(|refusal| refusal.message.into_owned())?;
        let marked = self.channel.mark().await?.map(Seq);
        let mut at = match marked.or(*known) {
            Some(at) => at,
            None => self.chat.snapshot(member).await.map_err(|refusal| refusal.message.into_owned())?.seq,
        };
        if marked.is_none() {
            self.publish(at, at, &[]).await?;
        }
        *known = Some(at);
        loop {
            let to = self.publish_after(member, at).await?;
            if to == at {
                let happened = self.rung(&bell).await?;
                self.publish_comings(member, at, &happened).await?;
            }
            at = to;
            *known = Some(at);
        }
    }

    /// Publishes one page after a number and says how far it got: no further when there is nothing.
    async fn publish_after(&self, member: &Member, at: Seq) -> Result<Seq, String> {
        let page = i64::try_from(ENTRIES_PER_PAGE).unwrap_or(i64::MAX);
        let page = self.chat.pull(member, at, page).await.map_err(|refusal| refusal.message.into_owned())?;
        let Some(to) = page.last().map(|entry| entry.seq) else { return Ok(at) };
        let messages: Vec<_> =
            page.iter().filter_map(|entry| words::spoken(member.room(), entry, &self.from)).collect();
        self.publish(at, to, &messages).await?;
        self.counters.spoken.fetch_add(u64::try_from(messages.len()).unwrap_or(u64::MAX), Relaxed);
        Ok(to)
    }

    /// Publishes who came and went. Best effort, as everywhere: only what happens while this instance holds the channel
    /// is told, and the mark stays where it is.
    async fn publish_comings(&self, member: &Member, at: Seq, frames: &[Bytes]) -> Result<(), String> {
        let happened = frames.iter().flat_map(|frame| happened(frame));
        let moved: Vec<_> = happened.filter_map(|what| words::moved(member.room(), &what, &self.from)).collect();
        if moved.is_empty() { Ok(()) } else { self.publish(at, at, &moved).await }
    }

    async fn publish(&self, at: Seq, to: Seq, payloads: &[Bytes]) -> Result<(), String> {
        match self.channel.publish(at.0, to.0, payloads).await? {
            Published::Done => Ok(()),
            Published::Lost => Err("the channel is not held".to_owned()),
            Published::Moved => Err("the mark moved".to_owned()),
        }
    }

    /// Waits until something happened in the room: the frames that tell of it.
    async fn rung(&self, bell: &Listener) -> Result<Vec<Bytes>, String> {
        let queue = bell.queue();
        queue.ready().await;
        match queue.take() {
            Ok(frames) => Ok(frames),
            // The instance stops, and what is said meanwhile is told by the next holder.
            Err(ended) if ended.close == Close::Restarting => std::future::pending().await,
            Err(ended) => Err(format!("the bell ended: {:?}", ended.close)),
        }
    }
}
