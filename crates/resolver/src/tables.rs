use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use espressync_model::{Key, ModelId, Record, Row};

/// What a backend's open transaction offers the rules. Everything read and written through it
/// belongs to that one transaction.
pub trait Tables {
    /// The backend's own failure, which aborts the transaction.
    type Error;

    /// The stored record, tombstones included.
    ///
    /// # Errors
    /// The backend's.
    fn record(&mut self, model: ModelId, key: &Key) -> Result<Option<Record>, Self::Error>;

    /// The row as it was at a version, from the journal; `None` when the journal no longer has it.
    ///
    /// # Errors
    /// The backend's.
    fn row_at(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
    ) -> Result<Option<Row>, Self::Error>;

    /// The version under which a record of this key was last removed for good, tombstone and all;
    /// 0 if none was. Who makes the record anew goes on from there: a client that still has the
    /// old one must not take the new one for an older version of it.
    ///
    /// # Errors
    /// The backend's.
    fn removed_version(&mut self, model: ModelId, key: &Key) -> Result<u64, Self::Error>;

    /// Stores a record and appends it to the journal, together: so AppSync's
    /// `DeltaSyncWriteError`, a record whose change is not told, cannot happen here.
    ///
    /// # Errors
    /// The backend's.
    fn put(&mut self, model: ModelId, key: &Key, record: &Record) -> Result<(), Self::Error>;

    /// Notes in the journal the name of the mutation that made this version.
    ///
    /// # Errors
    /// The backend's.
    fn name(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
        once: u64,
    ) -> Result<(), Self::Error>;

    /// Whether a mutation of this name made this version, as far as the journal reaches back.
    ///
    /// # Errors
    /// The backend's.
    fn is_named(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
        once: u64,
    ) -> Result<bool, Self::Error>;
}

/// Tables in memory, for the simulator and for tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryTables {
    records: BTreeMap<(ModelId, Key), Record>,
    journal: Vec<(ModelId, Key, Record)>,
    removed: BTreeMap<(ModelId, Key), u64>,
    names: BTreeSet<(ModelId, Key, u64, u64)>,
}

impl MemoryTables {
    /// Every stored record, tombstones included.
    pub fn records(&self) -> impl Iterator<Item = (ModelId, &Key, &Record)> {
        self.records.iter().map(|((model, key), record)| (*model, key, record))
    }

    /// Every accepted write, in order.
    #[must_use]
    pub fn journal(&self) -> &[(ModelId, Key, Record)] {
        &self.journal
    }

    /// Removes a record for good, as the sweeper of a backend does with tombstones.
    pub fn remove(&mut self, model: ModelId, key: &Key) {
        if let Some(record) = self.records.remove(&(model, key.clone())) {
            self.removed.insert((model, key.clone()), record.meta.version);
        }
        self.journal.retain(|(of_model, of_key, _)| (of_model, of_key) != (&model, key));
    }
}

impl Tables for MemoryTables {
    type Error = Infallible;

    fn record(&mut self, model: ModelId, key: &Key) -> Result<Option<Record>, Infallible> {
        Ok(self.records.get(&(model, key.clone())).cloned())
    }

    fn row_at(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
    ) -> Result<Option<Row>, Infallible> {
        let found = self.journal.iter().rev().find(|(of_model, of_key, record)| {
            *of_model == model && of_key == key && record.meta.version == version
        });
        Ok(found.map(|(_, _, record)| record.row.clone()))
    }

    fn removed_version(&mut self, model: ModelId, key: &Key) -> Result<u64, Infallible> {
        Ok(self.removed.get(&(model, key.clone())).copied().unwrap_or_default())
    }

    fn put(&mut self, model: ModelId, key: &Key, record: &Record) -> Result<(), Infallible> {
        self.records.insert((model, key.clone()), record.clone());
        self.journal.push((model, key.clone(), record.clone()));
        Ok(())
    }

    fn name(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
        once: u64,
    ) -> Result<(), Infallible> {
        self.names.insert((model, key.clone(), version, once));
        Ok(())
    }

    fn is_named(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
        once: u64,
    ) -> Result<bool, Infallible> {
        Ok(self.names.contains(&(model, key.clone(), version, once)))
    }
}
