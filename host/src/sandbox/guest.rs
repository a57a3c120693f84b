//! The data that the host keeps for an instance, and the imports of the component.

use super::memory::MemoryLimit;
use crate::{
    bindings::{
        poolgate::auth::key_source::{self, FetchError, KeyResponse},
        wasi::clocks::wall_clock::{self, Datetime},
    },
    clock::Clock,
    key_source::{FetchRequest, Fetches},
};
use std::sync::Arc;
use wasmtime::component::HasData;

/// The store data of an instance: its imports and its limits.
pub(crate) struct Guest {
    clock: Arc<dyn Clock>,
    keys: Option<Arc<Fetches>>,
    pub(super) memory: MemoryLimit,
    /// The number of the last event of the event log that the instance has applied.
    pub(super) applied_up_to: u64,
}

impl Guest {
    /// Creates the data of a new instance. Without a key source, every fetch is rejected.
    pub(super) fn new(clock: Arc<dyn Clock>, keys: Option<Arc<Fetches>>, memory: MemoryLimit) -> Self {
        Self { clock, keys, memory, applied_up_to: 0 }
    }
}

impl HasData for Guest {
    type Data<'a> = &'a mut Guest;
}

impl key_source::Host for Guest {
    /// Starts a fetch and returns immediately, so that the instance is free for other calls. The result is applied with a later call.
    fn fetch(&mut self, url: String, key_id: Option<String>, etag: Option<String>) -> Result<KeyResponse, FetchError> {
        match &self.keys {
            Some(keys) => {
                keys.start(&url, FetchRequest { key_id, etag, applied_up_to: self.applied_up_to });
                Err(FetchError::Deferred)
            }
            None => Err(FetchError::Refused),
        }
    }
}

impl wall_clock::Host for Guest {
    fn now(&mut self) -> Datetime {
        let now = self.clock.now();
        Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() }
    }

    fn resolution(&mut self) -> Datetime {
        Datetime { seconds: 0, nanoseconds: 1 }
    }
}
