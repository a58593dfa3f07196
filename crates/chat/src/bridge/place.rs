//! Where to go on telling. Redis has the mark that moves with what is published, and may forget it; SQL has what was
//! noted after that, and lags by a moment.

use std::time::Duration;

use tertulia_protocol::Seq;

use super::{Bridge, RETRY, in_words};
use crate::member::Member;

/// How long whoever finds that Redis has forgotten waits for the one who published last to note it: their next try, and
/// as much again for the commit. Ours has been seen to work by then, on the same disk.
const SETTLE: Duration = Duration::from_secs(2);

/// Only after the noter's next try: the wait would be in vain.
const _: () = assert!(SETTLE.as_millis() > 2 * RETRY.as_millis());

impl Bridge {
    /// Joins room and channel in SQL, so that whatever is said from here on is owed to the channel, also when Redis is
    /// away and this instance ends before it is back. `None` when stopped before.
    pub(super) async fn begin(&self, member: &Member) -> Option<()> {
        while let Err(why) = self.chat.telling(member, self.channel.name()).await {
            let (channel, code) = (self.channel.name(), why.code.as_str());
            tracing::warn!(channel, code, "room and channel cannot be joined; trying again");
            self.pause(RETRY).await?;
        }
        Some(())
    }

    /// Where the holder goes on, noted in SQL and marked in Redis. `known` is how far this instance itself has told it.
    ///
    /// # Errors
    /// Why that cannot be known now, in words.
    pub(super) async fn resume(&self, member: &Member, known: Option<Seq>) -> Result<Seq, String> {
        let marked = self.channel.mark().await?.map(Seq);
        let telling = self.chat.telling(member, self.channel.name()).await.map_err(in_words)?;
        let at = match telling.told.max(known) {
            // Nobody has told anything yet: there is nothing that could come twice.
            None => telling.begun,
            Some(told) => match marked.filter(|marked| *marked >= told) {
                Some(marked) => marked,
                None => self.settled(member).await?.max(told),
            },
        };
        // First here: whoever comes next must know that the channel was told something.
        self.chat.note_told(member, self.channel.name(), at).await.map_err(in_words)?;
        self.channel.resume(at.0).await?.or_why()?;
        Ok(at)
    }

    /// What SQL says once everybody who held the channel before has had the time to note how far they came: from when we
    /// hold it they publish nothing more.
    async fn settled(&self, member: &Member) -> Result<Seq, String> {
        tracing::info!(channel = self.channel.name(), "Redis has forgotten how far the channel was told; asking SQL");
        // What keeps others from noting keeps us here, be it a full disk or a lock.
        self.chat.check_writable().await.map_err(in_words)?;
        self.pause(SETTLE).await.ok_or("the instance stops")?;
        let telling = self.chat.telling(member, self.channel.name()).await.map_err(in_words)?;
        Ok(telling.told.unwrap_or(telling.begun))
    }

    /// Notes in SQL how far the channel was told, however long that takes: nothing more is published before, and an
    /// instance that does not hold the channel any more owes it to the one that does. When the server stops meanwhile,
    /// only once more.
    pub(super) async fn note(&self, member: &Member, to: Seq) {
        loop {
            let stopping = self.stop.is_cancelled();
            let Err(why) = self.chat.note_told(member, self.channel.name(), to).await else { return };
            let (channel, code) = (self.channel.name(), why.code.as_str());
            if stopping {
                tracing::error!(channel, code, seq = to.0, "how far the channel was told could not be noted");
                return;
            }
            tracing::debug!(channel, code, "how far the channel was told waits for the store");
            // Stopped meanwhile: the next try is the last.
            let _ = self.pause(RETRY).await;
        }
    }
}
