//! The connections that read: a few, shared by all tasks, each used by one blocking task at a time.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::Opener;
use super::fault::{Remedy, remedy, unavailable};
use super::writer::{closed, lock};
use crate::store::StoreError;

/// The pool. Its size is the number of permits, which each reader holds while it reads; a connection that failed is replaced by the next reader.
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    pool: Arc<Pool>,
}

struct Pool {
    opener: Opener,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Opens all connections now, so that what hinders them is known at the start.
    pub(super) fn open(opener: Opener) -> rusqlite::Result<Self> {
        let idle: Vec<Connection> =
            (0..opener.options().readers.max(1)).map(|_| opener.reader()).collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(idle.len())),
            pool: Arc::new(Pool { opener, idle: Mutex::new(idle) }),
        })
    }

    /// Reads in one transaction: everything `work` sees is of one moment, not before this call.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let pool = Arc::clone(&self.pool);
        let reading = tokio::task::spawn_blocking(move || {
            let result = pool.read(work);
            // With the blocking task, not with the caller: who stops waiting does not free the connection.
            drop(permit);
            result
        });
        match reading.await {
            Ok(result) => result.map_err(|error| unavailable(&error)),
            Err(stopped) => Err(unavailable(&stopped)),
        }
    }

    /// Waits for the reads under way and closes the connections; later reads are refused.
    pub(super) async fn close(&self) {
        let all = u32::try_from(self.pool.opener.options().readers.max(1)).unwrap_or(u32::MAX);
        // Refused only when closed before, and then there is nothing left to wait for.
        let held = self.permits.acquire_many(all).await;
        self.permits.close();
        lock(&self.pool.idle).clear();
        drop(held);
    }
}

impl Pool {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = lock(&self.idle).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.opener.reader()?,
        };
        let result = in_transaction(&mut connection, work);
        if result.as_ref().err().is_none_or(|error| remedy(error) != Remedy::Reopen) {
            lock(&self.idle).push(connection);
        }
        result
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let tx = connection.transaction()?;
    let value = work(&tx)?;
    tx.commit()?;
    Ok(value)
}
