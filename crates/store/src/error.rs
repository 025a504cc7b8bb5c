use espressync_model::ModelError;
use thiserror::Error;

/// Whose affair a [`StoreError`] is; callers branch on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The caller's: a value or name that does not fit the schema.
    Usage,
    /// The disk or the origin's quota is full.
    Quota,
    /// The database was written by a newer version of the software.
    Newer,
    /// The database holds what cannot be read.
    Corrupt,
    /// Another tab has changed the database's schema, or holds it open against an upgrade.
    Superseded,
    /// What is here cannot become what the schema says; the schema before opens it as ever.
    Schema,
    /// There is no database here: private mode, blocked site data.
    Unavailable,
    /// The database was closed.
    Closed,
    /// The transaction did not commit; nothing of it is stored.
    Aborted,
}

/// Why the local database did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{message}")]
pub struct StoreError {
    /// The kind.
    pub kind: StoreErrorKind,
    /// For people: what, where, which value, what to do.
    pub message: String,
}

impl StoreError {
    /// An error of this kind.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A log record that cannot be read.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, message)
    }
}

impl From<ModelError> for StoreError {
    fn from(error: ModelError) -> Self {
        Self::new(StoreErrorKind::Usage, error.to_string())
    }
}
