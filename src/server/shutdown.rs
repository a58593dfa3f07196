//! The wish to end: SIGTERM from a supervisor, SIGINT from a terminal.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The two signals, heard from the moment this is made: neither ends the process by itself any more.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the process may not listen for signals.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first of the two, and says which it was.
    pub(crate) async fn requested(&mut self) -> &'static str {
        tokio::select! {
            // Both safe to cancel: a signal stays pending until it is taken, and one is enough.
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
