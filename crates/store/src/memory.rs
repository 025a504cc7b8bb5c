use std::cell::RefCell;
use std::rc::Rc;

use crate::{Appended, Durability, LogPosition, LogRecord, Storage, StoreError};

/// A log in memory. Clones share it, as tabs share a database.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage(Rc<RefCell<Log>>);

#[derive(Debug, Default)]
struct Log {
    records: Vec<LogRecord>,
    last: LogPosition,
}

impl Log {
    fn after(&self, position: LogPosition) -> Vec<LogRecord> {
        self.records.iter().filter(|record| record.position > position).cloned().collect()
    }

    fn push(&mut self, bytes: &[u8]) -> LogPosition {
        self.last = LogPosition(self.last.0 + 1);
        self.records.push(LogRecord { position: self.last, bytes: bytes.to_vec() });
        self.last
    }
}

impl MemoryStorage {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends without waiting, for callers that are not asynchronous.
    #[must_use]
    pub fn append_now(&self, last: LogPosition, bytes: &[u8]) -> Appended {
        let mut log = self.0.borrow_mut();
        let missed = log.after(last);
        if missed.is_empty() { Appended::At(log.push(bytes)) } else { Appended::Behind(missed) }
    }

    /// All records, without waiting.
    #[must_use]
    pub fn records(&self) -> Vec<LogRecord> {
        self.0.borrow().records.clone()
    }

    /// Flips a bit of a record, as a failing disk would. Only tests call it; it is here because
    /// nobody else reaches the records.
    pub fn corrupt(&self, index: usize) {
        if let Some(last) = self.0.borrow_mut().records[index].bytes.last_mut() {
            *last ^= 1;
        }
    }
}

impl Storage for MemoryStorage {
    async fn load(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError> {
        Ok(self.0.borrow().after(after))
    }

    async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        _durability: Durability,
    ) -> Result<Appended, StoreError> {
        Ok(self.append_now(last, bytes))
    }

    async fn replace(&self, last: LogPosition, bytes: &[u8]) -> Result<Appended, StoreError> {
        let mut log = self.0.borrow_mut();
        let missed = log.after(last);
        if !missed.is_empty() {
            return Ok(Appended::Behind(missed));
        }
        log.records.clear();
        Ok(Appended::At(log.push(bytes)))
    }
}
