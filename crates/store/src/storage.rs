use crate::StoreError;

/// A log record's key. Keys rise; gaps are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogPosition(pub u64);

/// One record of the log, as [`encode`](crate::encode) wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Its key.
    pub position: LogPosition,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What became of an append or a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored here.
    At(LogPosition),
    /// Another tab appended these since; nothing was changed. Replay them, check again, try
    /// again.
    Behind(Vec<LogRecord>),
}

/// When an append may be called done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// When the operating system has it: for what the server can send again.
    Relaxed,
    /// When it survives a power cut: for what a user saved.
    Strict,
}

/// A log on some medium. It stores bytes and keeps their order; it knows nothing of what they
/// mean. `testkit` holds the conformance suite that every implementation passes.
#[allow(async_fn_in_trait, reason = "one thread: the futures need not be Send")]
pub trait Storage {
    /// All records after a position, in order; [`LogPosition::default`] for all.
    ///
    /// # Errors
    /// The medium's, by kind.
    async fn load(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError>;

    /// Appends a record if nothing was appended after `last`, in one transaction.
    ///
    /// # Errors
    /// The medium's, by kind; nothing is stored then.
    async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Appended, StoreError>;

    /// Replaces the whole log by one record if nothing was appended after `last`, in one
    /// transaction that survives a power cut. The record's position lies above all earlier ones.
    ///
    /// # Errors
    /// The medium's, by kind; the log is as it was then.
    async fn replace(&self, last: LogPosition, bytes: &[u8]) -> Result<Appended, StoreError>;
}
