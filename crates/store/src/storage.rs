//! What a storage owes the store: a log, and segments beside it.
//!
//! The log is the database. When it has grown, a *fold* puts what it says into segments, each one
//! record of many rows, and one record in its place, the *head*, which names the segments. A fold
//! has two steps, so that nothing large is ever written while a save waits: segments are
//! [staged](Storage::stage) one at a time, seen by nobody, and then one small transaction
//! [puts](Storage::fold) the head into the log and drops what it makes void. A crash in between
//! leaves staged segments behind, which the next fold clears away.

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

/// A segment's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u64);

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRecord {
    /// Its key.
    pub id: SegmentId,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Everything that a storage holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The segments by their keys, those among them that no head names.
    pub segments: Vec<SegmentRecord>,
    /// The log in order.
    pub log: Vec<LogRecord>,
}

impl From<Vec<LogRecord>> for Contents {
    /// A log that was never folded.
    fn from(log: Vec<LogRecord>) -> Self {
        Self { segments: Vec::new(), log }
    }
}

/// What became of an append or a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored here.
    At(LogPosition),
    /// Another tab appended these since; nothing was changed. Replay them, check again, try
    /// again. When that tab has folded as well, they begin with its head: what was folded away
    /// is only found by [loading](Storage::load) everything.
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

/// A head for the log, and what it makes void.
#[derive(Debug, Clone, Copy)]
pub struct Fold<'a> {
    /// Where the log began when the head was made: another tab's fold or replacement moves it.
    pub begins: LogPosition,
    /// The head stands for the log up to here, this record included, and takes its place. It
    /// lies after `begins`.
    pub up_to: LogPosition,
    /// The head.
    pub head: &'a [u8],
    /// The segments that stay; all others go.
    pub keep: &'a [SegmentId],
}

/// What became of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// The log begins with the head.
    Done,
    /// Another tab has folded or replaced the log since, or a segment to keep is gone; nothing was
    /// changed.
    Overtaken,
}

/// A log and its segments on some medium. It stores bytes and keeps their order; it knows nothing
/// of what they mean. `testkit` holds the conformance suite that every implementation passes.
#[allow(async_fn_in_trait, reason = "one thread: the futures need not be Send")]
pub trait Storage {
    /// Everything, as of one moment.
    ///
    /// # Errors
    /// The medium's, by kind.
    async fn load(&self) -> Result<Contents, StoreError>;

    /// All records after a position, in order; [`LogPosition::default`] for all.
    ///
    /// # Errors
    /// The medium's, by kind.
    async fn load_after(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError>;

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

    /// Replaces the whole log by one record if nothing was appended after `last`, and drops every
    /// segment, in one transaction that survives a power cut. The record's position lies above
    /// all earlier ones.
    ///
    /// # Errors
    /// The medium's, by kind; everything is as it was then.
    async fn replace(&self, last: LogPosition, bytes: &[u8]) -> Result<Appended, StoreError>;

    /// Stores segments that no head names yet, all or none, without holding up an append. Their
    /// keys differ from those of all segments that are stored.
    ///
    /// # Errors
    /// The medium's, by kind; nothing is stored then.
    async fn stage(&self, segments: &[Vec<u8>]) -> Result<Vec<SegmentId>, StoreError>;

    /// Puts a head in the place of the records that it stands for, and drops the segments that
    /// are not to be kept, in one transaction that survives a power cut. Records after
    /// [`Fold::up_to`] stay.
    ///
    /// # Errors
    /// The medium's, by kind; everything is as it was then.
    async fn fold(&self, fold: Fold<'_>) -> Result<Folded, StoreError>;
}
