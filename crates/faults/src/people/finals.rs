//! What each instance says that each room's log is, read at the end over the wire.

use tertulia_protocol::frame::Pull;
use tertulia_protocol::limits::ENTRIES_PER_PAGE;
use tertulia_protocol::{Change, ClientFrame, Entry, RoomId, Seq, ServerFrame};
use tertulia_visitor::live::{Live, frame};
use tertulia_visitor::socket::Next;
use tertulia_visitor::trouble::{Because, Outcome, trouble};
use tertulia_visitor::web::Visitor;
use tokio::time::timeout;

use super::{ANSWER, Run};
use crate::journal::{Digest, Final, Kind, Logged, Stamp, What};

/// Notes the logs of these rooms as every instance tells them; returns the newest number of each, by the first.
///
/// # Errors
/// When an instance does not answer, or the journal cannot be written.
pub(crate) async fn finals(run: &Run, visitor: &Visitor, rooms: &[RoomId]) -> Outcome<Vec<(RoomId, Seq)>> {
    let journal = run.journal("fin")?;
    let mut heads = Vec::new();
    for (index, (name, at)) in run.doors(visitor).into_iter().enumerate() {
        let mut live =
            timeout(ANSWER, Live::open(&at, "tertulia-faults/final", Vec::new())).await.because("final")??;
        for room in rooms {
            let log = timeout(ANSWER * 6, log_of(&mut live, *room)).await.because("reading a log")??;
            if index == 0 {
                heads.push((*room, log.last().map_or(Seq::ZERO, |entry| entry.seq)));
            }
            let (via, epoch) = (name.clone(), live.epoch.clone());
            journal.note(What::Final(Final { room: *room, via, epoch, log })).because("final")?;
        }
        live.close().await;
    }
    journal.flush().because("final")?;
    Ok(heads)
}

async fn log_of(live: &mut Live, room: RoomId) -> Outcome<Vec<Logged>> {
    let mut log: Vec<Logged> = Vec::new();
    let limit = i64::try_from(ENTRIES_PER_PAGE).unwrap_or(500);
    loop {
        let after = log.last().map_or(Seq::ZERO, |entry| entry.seq);
        live.say(&ClientFrame::Pull(Pull { room, after, limit })).await?;
        let page = loop {
            let Next::Said(text) = live.hear().await? else { return trouble("the socket was closed") };
            match frame(&text)? {
                ServerFrame::Entries { room: of, entries } if of == room => break entries,
                ServerFrame::Error { refusal, .. } => return trouble(format!("pull: {refusal}")),
                _ => {}
            }
        };
        if page.is_empty() {
            return Ok(log);
        }
        log.extend(page.iter().map(logged));
    }
}

fn logged(entry: &Entry) -> Logged {
    let (kind, body) = match &entry.change {
        Change::Posted { body, .. } => (Kind::Posted, Some(body)),
        Change::Created => (Kind::Created, None),
        _ => (Kind::Unknown, None),
    };
    let (seq, author, key) = (entry.seq, entry.by.id, entry.key);
    let (h, stamp) = (body.map(|body| Digest::of(body)), body.and_then(|body| Stamp::of(body)));
    Logged { seq, kind, author, key, h, stamp }
}
