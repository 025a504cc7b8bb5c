use espressync_model::{Key, ModelId, Record, Timestamp};

use crate::Pending;

/// How far a model is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The server's time at which the last finished sync began: the next one asks from here.
    pub last_sync: Timestamp,
    /// The same of the last sync that read everything.
    pub last_full_sync: Timestamp,
}

/// Changes that are stored together or not at all: one record of the log. `None` removes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Records.
    pub records: Vec<(ModelId, Key, Option<Record>)>,
    /// Outbox entries.
    pub outbox: Vec<(ModelId, Key, Option<Pending>)>,
    /// Cursors.
    pub cursors: Vec<(ModelId, Option<Cursor>)>,
}

impl Batch {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.outbox.is_empty() && self.cursors.is_empty()
    }
}

/// A record before and after a batch, tombstones included.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The model.
    pub model: ModelId,
    /// The record's key.
    pub key: Key,
    /// What was stored.
    pub before: Option<Record>,
    /// What is stored.
    pub after: Option<Record>,
    /// Its place in the order in which the store first saw the keys.
    pub place: u32,
    /// How it came about.
    pub cause: Cause,
}

/// How a change came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It was written on this device, in this tab or another.
    Local,
    /// It came from the server.
    Remote,
    /// It came from the server, for a record with changes of its own that wait: both were merged.
    Merge,
}

impl Cause {
    /// The cause of a change, by what the server says of the record: only it counts versions.
    pub(crate) fn of(before: Option<&Record>, after: Option<&Record>, waited: bool) -> Self {
        let version = |record: Option<&Record>| record.map_or(0, |record| record.meta.version);
        match after {
            _ if version(before) == version(after) => Self::Local,
            Some(_) if waited => Self::Merge,
            Some(_) | None => Self::Remote,
        }
    }
}
