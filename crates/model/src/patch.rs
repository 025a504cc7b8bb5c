use std::collections::BTreeMap;

use crate::{FieldId, Row, Value};

/// The fields a write changes, and their new values; null clears a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Patch(BTreeMap<FieldId, Value>);

impl Patch {
    /// What leads from `old` to `new`.
    #[must_use]
    pub fn between(old: &Row, new: &Row) -> Self {
        let fields = new.values().len().max(old.values().len());
        FieldId::first(fields)
            .filter(|field| old.get(*field) != new.get(*field))
            .map(|field| (field, new.get(field).clone()))
            .collect()
    }

    /// Every value that a new row sets.
    #[must_use]
    pub fn whole(row: &Row) -> Self {
        FieldId::first(row.values().len())
            .filter(|field| !row.get(*field).is_null())
            .map(|field| (field, row.get(field).clone()))
            .collect()
    }

    /// Sets a field.
    pub fn set(&mut self, field: FieldId, value: Value) {
        self.0.insert(field, value);
    }

    /// The value set for a field.
    #[must_use]
    pub fn get(&self, field: FieldId) -> Option<&Value> {
        self.0.get(&field)
    }

    /// Takes a field out of the patch.
    pub fn remove(&mut self, field: FieldId) -> Option<Value> {
        self.0.remove(&field)
    }

    /// Keeps the fields for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(FieldId, &Value) -> bool) {
        self.0.retain(|field, value| keep(*field, value));
    }

    /// Fields and values in field order.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &Value)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many fields are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(FieldId, Value)> for Patch {
    fn from_iter<I: IntoIterator<Item = (FieldId, Value)>>(fields: I) -> Self {
        // Not by collecting the map, which sorts first: a sort compiled for every caller.
        let mut patch = Self::default();
        for (field, value) in fields {
            patch.set(field, value);
        }
        patch
    }
}

/// What an update does to a record's fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    /// Fields and their new values.
    pub set: Patch,
    /// Numeric fields and what is added to them. Additions made in several places all count,
    /// where of several new values one wins.
    pub add: Patch,
}

impl From<Patch> for Edit {
    fn from(set: Patch) -> Self {
        Self { set, add: Patch::default() }
    }
}
