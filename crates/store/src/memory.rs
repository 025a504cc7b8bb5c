use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::{
    Appended, Contents, Durability, Fold, Folded, LogPosition, LogRecord, SegmentId, SegmentRecord,
    Storage, StoreError,
};

/// A log and segments in memory. Clones share them, as tabs share a database.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage(Rc<RefCell<Held>>);

#[derive(Debug, Default)]
struct Held {
    log: Vec<LogRecord>,
    last: LogPosition,
    segments: BTreeMap<SegmentId, Vec<u8>>,
}

impl Held {
    fn after(&self, position: LogPosition) -> Vec<LogRecord> {
        self.log.iter().filter(|record| record.position > position).cloned().collect()
    }

    fn push(&mut self, bytes: &[u8]) -> LogPosition {
        self.last = LogPosition(self.last.0 + 1);
        self.log.push(LogRecord { position: self.last, bytes: bytes.to_vec() });
        self.last
    }

    fn stage(&mut self, bytes: &[u8]) -> SegmentId {
        let last = self.segments.last_key_value().map_or(0, |(id, _)| id.0);
        self.segments.insert(SegmentId(last + 1), bytes.to_vec());
        SegmentId(last + 1)
    }
}

impl MemoryStorage {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything, without waiting, for callers that are not asynchronous.
    #[must_use]
    pub fn contents(&self) -> Contents {
        let held = self.0.borrow();
        let segments = held.segments.iter();
        let segments = segments.map(|(id, bytes)| SegmentRecord { id: *id, bytes: bytes.clone() });
        Contents { segments: segments.collect(), log: held.log.clone() }
    }

    /// Appends without waiting.
    #[must_use]
    pub fn append_now(&self, last: LogPosition, bytes: &[u8]) -> Appended {
        let mut held = self.0.borrow_mut();
        let missed = held.after(last);
        if missed.is_empty() { Appended::At(held.push(bytes)) } else { Appended::Behind(missed) }
    }

    /// Stages segments without waiting.
    #[must_use]
    pub fn stage_now(&self, segments: &[Vec<u8>]) -> Vec<SegmentId> {
        let mut held = self.0.borrow_mut();
        segments.iter().map(|bytes| held.stage(bytes)).collect()
    }

    /// Folds without waiting.
    #[must_use]
    pub fn fold_now(&self, fold: Fold<'_>) -> Folded {
        let mut held = self.0.borrow_mut();
        let begins = held.log.first().map(|record| record.position);
        let has_all = fold.keep.iter().all(|id| held.segments.contains_key(id));
        if begins != Some(fold.begins) || fold.up_to <= fold.begins || !has_all {
            return Folded::Overtaken;
        }
        held.log.retain(|record| record.position > fold.up_to);
        held.log.insert(0, LogRecord { position: fold.up_to, bytes: fold.head.to_vec() });
        held.segments.retain(|id, _| fold.keep.contains(id));
        Folded::Done
    }

    /// Flips a bit of a log record, as a failing disk would. Only tests call it; it is here
    /// because nobody else reaches the records.
    pub fn corrupt(&self, index: usize) {
        if let Some(last) = self.0.borrow_mut().log[index].bytes.last_mut() {
            *last ^= 1;
        }
    }

    /// Flips a bit of a segment, likewise.
    pub fn corrupt_segment(&self, id: SegmentId) {
        let mut held = self.0.borrow_mut();
        if let Some(last) = held.segments.get_mut(&id).and_then(|bytes| bytes.last_mut()) {
            *last ^= 1;
        }
    }
}

impl Storage for MemoryStorage {
    async fn load(&self) -> Result<Contents, StoreError> {
        Ok(self.contents())
    }

    async fn load_after(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError> {
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
        let mut held = self.0.borrow_mut();
        let missed = held.after(last);
        if !missed.is_empty() {
            return Ok(Appended::Behind(missed));
        }
        held.log.clear();
        held.segments.clear();
        Ok(Appended::At(held.push(bytes)))
    }

    async fn stage(&self, segments: &[Vec<u8>]) -> Result<Vec<SegmentId>, StoreError> {
        Ok(self.stage_now(segments))
    }

    async fn fold(&self, fold: Fold<'_>) -> Result<Folded, StoreError> {
        Ok(self.fold_now(fold))
    }
}
