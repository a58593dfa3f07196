//! The simulated store keeps the promise of every store, word for word.

use std::sync::Arc;

use async_trait::async_trait;
use tertulia_chat::store::Store;
use tertulia_chat::store::conformance::Database;
use tertulia_protocol::Epoch;

use crate::SimStore;

/// A database of its own, and the way to more stores on it.
struct InMemory(SimStore);

#[async_trait]
impl Database for InMemory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.another())
    }
}

async fn fresh() -> InMemory {
    InMemory(SimStore::still(Epoch::fresh()))
}

tertulia_chat::store_conformance!(fresh);
