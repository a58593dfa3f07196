//! The one thread that writes. It takes what waits, writes it in one transaction, and answers all of it
//! after the commit: the time one fsync takes is the time in which the next group gathers.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::connection::{Opener, patiently};
use super::fault::{Broken, Fault, Remedy, answer, remedy};
use crate::store::StoreError;

/// Writes that may wait: at 5,000 a second more than these would wait longer than people do.
const QUEUE: usize = 4_096;

/// Writes in one transaction: enough to make one fsync cheap, few enough that the first need not wait
/// long for the last (about 20 µs each).
const GROUP: usize = 256;

/// Longest turn left to other processes after a group: a stalled disk must not become a stalled queue.
const LONGEST_TURN: Duration = Duration::from_millis(100);

/// The handle: hands jobs over, and owns the thread.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(opener: Opener, connection: Connection) -> Result<Self, StoreError> {
        let (sender, jobs) = sync_channel(QUEUE);
        let worker = Worker { opener, connection: Some(connection), jobs, turn: Instant::now(), failing: false };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StoreError::Unavailable(format!("the writer's thread cannot start: {error}")))?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Does `work` in a transaction and returns its result once that is durable.
    ///
    /// `work` may run several times, each time in a transaction where it never ran before.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.submit(Box::new(Task { work, outcome: None, reply }))?;
        // No answer at all: the thread panicked, and nobody knows how far it had come.
        outcome.await.unwrap_or_else(|_| Err(StoreError::Uncertain("the writer's thread is gone".to_owned())))
    }

    fn submit(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        match lock(&self.queue).as_ref().ok_or_else(closed)?.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(closed()),
        }
    }

    /// No more jobs; those that wait are still written.
    pub(super) fn refuse(&self) {
        lock(&self.queue).take();
    }

    /// The thread, for whoever wants to wait for its end.
    pub(super) fn thread(&self) -> Option<JoinHandle<()>> {
        lock(&self.thread).take()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.refuse();
        if let Some(thread) = self.thread()
            && thread.join().is_err()
        {
            tracing::error!("the writer's thread panicked");
        }
    }
}

/// What a store that was closed answers.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// Nothing here can be left half changed by a panic, so a poisoned lock is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A write with its caller.
trait Job: Send {
    /// Does the work and keeps the result. An error asks for the whole transaction to be rolled back.
    fn run(&mut self, tx: &Connection) -> rusqlite::Result<()>;
    /// Tells the caller: the kept result after a commit, or why there was none.
    fn answer(self: Box<Self>, verdict: Result<(), StoreError>);
}

struct Task<T, F> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, Fault> + Send> Job for Task<T, F> {
    fn run(&mut self, tx: &Connection) -> rusqlite::Result<()> {
        self.outcome = Some(match (self.work)(tx) {
            Ok(value) => Ok(value),
            Err(Fault::Refused(refusal)) => Err(refusal),
            Err(Fault::Sql(error)) => return Err(error),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, verdict: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let result = verdict.and_then(|()| outcome.unwrap_or_else(|| Err(closed())));
        // A caller that went away gets no answer; that its outcome is unknown to it is part of the contract.
        drop(reply.send(result));
    }
}

type Group = Vec<Box<dyn Job>>;

struct Worker {
    opener: Opener,
    /// `None` after a failure of the file or the disk, until the next group opens it again.
    connection: Option<Connection>,
    jobs: Receiver<Box<dyn Job>>,
    /// Until then the lock is left to other processes.
    turn: Instant,
    /// Whether the last group failed, so that a full disk is logged once and not per group.
    failing: bool,
}

impl Worker {
    fn run(mut self) {
        while let Ok(first) = self.jobs.recv() {
            if self.opener.options().shared {
                // Who waits for the lock polls it: a writer that takes it back at once starves the others.
                thread::sleep(self.turn.saturating_duration_since(Instant::now()));
            }
            self.serve(vec![first], GROUP);
        }
    }

    /// Writes a group that may grow up to `most` jobs, and answers it.
    fn serve(&mut self, mut group: Group, most: usize) {
        let patience = self.opener.patience();
        match patiently(patience, || self.write(&mut group, most)) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the database can be written again");
                }
                settle(group, &Ok(()));
            }
            Err(Broken::Undone(error)) => self.fail(group, &error),
            Err(Broken::Unknown(error)) => self.doubt(group, &error),
        }
    }

    fn write(&mut self, group: &mut Group, most: usize) -> Result<(), Broken> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.opener.writer()?),
        };
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let begun = Instant::now();
        // Only now, because the wait for the lock may have been long: who came in between comes along.
        let room = most.saturating_sub(group.len());
        group.extend(self.jobs.try_iter().take(room));
        for job in group.iter_mut() {
            job.run(&tx)?;
        }
        self.opener.commit(tx).map_err(Broken::at_commit)?;
        self.turn = Instant::now() + begun.elapsed().min(LONGEST_TURN);
        Ok(())
    }

    fn fail(&mut self, mut group: Group, error: &rusqlite::Error) {
        match remedy(error) {
            Remedy::Wait => {
                // Everybody in the queue has waited as long; one patience each would add up to minutes.
                group.extend(self.jobs.try_iter().take(QUEUE));
                tracing::warn!(jobs = group.len(), "another process holds the database's lock");
            }
            Remedy::Reopen => self.reopen(error),
            Remedy::Single if group.len() > 1 => {
                for job in group {
                    self.serve(vec![job], 1);
                }
                return;
            }
            Remedy::Single => tracing::error!(%error, "a write failed"),
        }
        settle(group, &Err(answer(error)));
    }

    /// A commit failed that may all the same be whole in the WAL. It is answered so, and not tried again: only keys make
    /// that safe, and not every job has one.
    ///
    /// The next write starts at the end that the shared index knows, on a new connection, and so overwrites what this
    /// one left. A retry under the same key is thus stored in its place; or found, when a crash came first and recovery
    /// took it in. Never both, and numbers go on from whichever it is: they are read in the transaction that uses them.
    fn doubt(&mut self, group: Group, error: &rusqlite::Error) {
        self.reopen(error);
        settle(group, &Err(StoreError::Uncertain(error.to_string())));
    }

    /// The next group begins with a new connection.
    fn reopen(&mut self, error: &rusqlite::Error) {
        self.connection = None;
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(%error, "the database cannot be written");
        }
    }
}

fn settle(group: Group, verdict: &Result<(), StoreError>) {
    for job in group {
        job.answer(verdict.clone());
    }
}
