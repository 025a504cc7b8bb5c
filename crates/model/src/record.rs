use std::sync::Arc;

use crate::{FieldId, Patch, Timestamp, Value};

/// The values of one record, in the order of its model's fields. Shared and immutable: a change
/// makes a new row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(Arc<[Value]>);

impl Row {
    /// A row of these values.
    #[must_use]
    pub fn new(values: Vec<Value>) -> Self {
        Self(values.into())
    }

    /// The value of a field; null when the row is shorter, as rows of an older schema are.
    #[must_use]
    pub fn get(&self, field: FieldId) -> &Value {
        self.0.get(field.index()).unwrap_or(&Value::Null)
    }

    /// All values in field order.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// This row with a patch's fields laid over it.
    #[must_use]
    pub fn with(&self, patch: &Patch) -> Self {
        if patch.is_empty() {
            return self.clone();
        }
        let mut values = self.0.to_vec();
        for (field, value) in patch.iter() {
            if field.index() >= values.len() {
                values.resize(field.index() + 1, Value::Null);
            }
            values[field.index()] = value.clone();
        }
        Self::new(values)
    }
}

/// What the server says about a record, kept beside its row and out of the app's way
/// (contract 2.2: `_version`, `_lastChangedAt`, `_deleted`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// Counts the record's accepted writes from 1; 0 until the server has accepted the first.
    pub version: u64,
    /// When the server accepted the last write.
    pub changed_at: Timestamp,
    /// Whether the record is a tombstone.
    pub deleted: bool,
}

impl Meta {
    /// The highest version: a GraphQL `Int` holds no more, and clients read versions as one.
    pub const LAST_VERSION: u64 = 2_147_483_647;
}

/// A row with its bookkeeping.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The values.
    pub row: Row,
    /// The bookkeeping.
    pub meta: Meta,
}

impl Record {
    /// A record that the server has not seen.
    #[must_use]
    pub fn local(row: Row) -> Self {
        Self { row, meta: Meta::default() }
    }
}
