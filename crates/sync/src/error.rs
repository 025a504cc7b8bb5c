use espressync_model::ModelError;
use thiserror::Error;

/// Why a write was not taken. Nothing of it is stored then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// A row, name or value does not fit the schema.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// There is no such record here.
    #[error("there is no {model} with key {key}")]
    NotFound {
        /// The model.
        model: String,
        /// The key.
        key: String,
    },
    /// The record was deleted, here or elsewhere; its key cannot be used again.
    #[error("{model} {key} was deleted; save the record under a new key")]
    Deleted {
        /// The model.
        model: String,
        /// The key.
        key: String,
    },
    /// The stored row does not meet the condition of the write.
    #[error("{model} {key} does not meet the condition; it was left as it is")]
    ConditionFailed {
        /// The model.
        model: String,
        /// The key.
        key: String,
    },
    /// The record belongs to one that is not here.
    #[error(
        "{model}.{relation} points at {parent} {key:?}, which is not here; save the {parent} first"
    )]
    NoParent {
        /// The model of the record.
        model: String,
        /// The relation.
        relation: String,
        /// The model that it leads to.
        parent: String,
        /// The key that was not found.
        key: String,
    },
    /// There are records that must not be left behind.
    #[error(
        "{model} {key} has {count} record(s) as {relation}, which restricts its deletion; delete \
         or move them first"
    )]
    HasChildren {
        /// The model.
        model: String,
        /// The key.
        key: String,
        /// The relation.
        relation: String,
        /// How many records there are.
        count: usize,
    },
    /// What another software kept goes into an empty store only.
    #[error(
        "this store is not empty: it has {count} record(s), with which an import could not be \
         told apart; import before anything else is written or synced"
    )]
    NotEmpty {
        /// How many records there are.
        count: usize,
    },
    /// The transaction's owner gave it up.
    #[error("the transaction was given up; nothing of it is stored")]
    GivenUp,
    /// A patch names a field that only the server or nobody may change.
    #[error("{model}.{field} cannot be changed: {reason}")]
    ReadOnly {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// Why not.
        reason: &'static str,
    },
}
