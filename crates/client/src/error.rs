use espressync_model::ModelError;
use espressync_store::{StoreError, StoreErrorKind};
use espressync_sync::SyncError;
use thiserror::Error;

/// Why the DataStore did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A value, name or query does not fit the schema.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A write was not taken.
    #[error(transparent)]
    Write(#[from] SyncError),
    /// The local database failed; nothing of the call is stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Changes wait to be sent and would be lost.
    #[error("{count} record(s) have changes that the server does not have yet; they would be lost")]
    Unsent {
        /// How many records.
        count: usize,
    },
    /// The driver has ended, so nothing is written any more.
    #[error("the data store is closed")]
    Closed,
}

/// Whose affair a [`ClientError`] is; callers branch on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// The caller's.
    Usage,
    /// The record is not as the caller thought.
    Conflict,
    /// The local database's, by its own kind.
    Store(StoreErrorKind),
    /// Something must be decided first.
    Unsent,
    /// The data store is closed.
    Closed,
}

impl ClientError {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ClientErrorKind {
        match self {
            Self::Model(_)
            | Self::Write(
                SyncError::Model(_) | SyncError::ReadOnly { .. } | SyncError::NoParent { .. },
            ) => ClientErrorKind::Usage,
            Self::Write(_) => ClientErrorKind::Conflict,
            Self::Store(error) => ClientErrorKind::Store(error.kind),
            Self::Unsent { .. } => ClientErrorKind::Unsent,
            Self::Closed => ClientErrorKind::Closed,
        }
    }
}
