use std::collections::BTreeMap;
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

    /// Stores a record and appends it to the journal, together.
    ///
    /// # Errors
    /// The backend's.
    fn put(&mut self, model: ModelId, key: &Key, record: &Record) -> Result<(), Self::Error>;
}

/// Tables in memory, for the simulator and for tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryTables {
    records: BTreeMap<(ModelId, Key), Record>,
    journal: Vec<(ModelId, Key, Record)>,
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

    fn put(&mut self, model: ModelId, key: &Key, record: &Record) -> Result<(), Infallible> {
        self.records.insert((model, key.clone()), record.clone());
        self.journal.push((model, key.clone(), record.clone()));
        Ok(())
    }
}
