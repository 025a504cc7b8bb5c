//! What a user's write does to the record's outbox entry.
//!
//! Invariants:
//! - A record has at most one entry; its sequence number never changes.
//! - An entry with neither fields nor a delete does not exist.
//! - A create that may have left is never taken back: its delete follows it.

use std::collections::BTreeMap;

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{FieldId, Key, Model, ModelId, Patch, Predicate, Record, Value};
use espressync_store::{Draft, Pending, PendingField};

/// How many values of a field on their way are remembered. Beyond that the oldest is forgotten,
/// and its echo is taken for another's write.
const MAX_EARLIER: usize = 16;

/// Notes the creation of a record.
pub(crate) fn create(draft: &mut Draft<'_>, model: ModelId, key: &Key, record: &Record) {
    let read_only = |field: FieldId| draft.schema().model(model).at(field).is_read_only;
    let whole = Patch::whole(&record.row);
    let mut fields = BTreeMap::new();
    for (field, value) in whole.iter().filter(|(field, _)| !read_only(*field)) {
        fields.insert(field, waiting(value.clone()));
    }
    let pending = Pending {
        sequence: draft.take_sequence(),
        base: None,
        fields,
        is_delete: false,
        is_attempted: false,
        unheeded: 0,
        rejection: None,
    };
    draft.set_pending(model, key.clone(), Some(pending));
}

/// Notes changed fields of a record that is stored.
pub(crate) fn update(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    stored: &Record,
    changes: &Patch,
) {
    let mut pending = entry(draft, model, key, stored);
    for (field, value) in changes.iter() {
        edit(&mut pending, field, value);
    }
    pending.rejection = None;
    pending.unheeded = 0;
    let is_idle = pending.base.is_some() && pending.fields.is_empty() && !pending.is_delete;
    draft.set_pending(model, key.clone(), (!is_idle).then_some(pending));
}

fn edit(pending: &mut Pending, field: FieldId, value: &Value) {
    let is_attempted = pending.is_attempted;
    let waits = pending.fields.entry(field).or_insert_with(|| waiting(value.clone()));
    if waits.value != *value {
        let before = std::mem::replace(&mut waits.value, value.clone());
        if is_attempted && !waits.earlier.contains(&before) {
            waits.earlier.push(before);
            if waits.earlier.len() > MAX_EARLIER {
                waits.earlier.remove(0);
            }
        }
    }
    let is_undone =
        !is_attempted && pending.base.as_ref().is_some_and(|base| base.row.get(field) == value);
    if is_undone {
        pending.fields.remove(&field);
    }
}

/// Notes the deletion of a record that is stored. Returns whether the server may know the record,
/// so that a tombstone must stay.
pub(crate) fn delete(draft: &mut Draft<'_>, model: ModelId, key: &Key, stored: &Record) -> bool {
    let mut pending = entry(draft, model, key, stored);
    let is_unknown_there = !pending.is_attempted || pending.rejection.is_some();
    if pending.base.is_none() && is_unknown_there {
        draft.set_pending(model, key.clone(), None);
        return false;
    }
    if pending.base.is_some() {
        pending.fields.clear();
    }
    pending.is_delete = true;
    pending.rejection = None;
    draft.set_pending(model, key.clone(), Some(pending));
    true
}

/// The record's entry, or a new one based on the server's record as it is stored.
fn entry(draft: &mut Draft<'_>, model: ModelId, key: &Key, stored: &Record) -> Pending {
    if let Some(pending) = draft.pending(model, key) {
        return pending.clone();
    }
    Pending {
        sequence: draft.take_sequence(),
        base: (stored.meta.version > 0).then(|| stored.clone()),
        fields: BTreeMap::new(),
        is_delete: false,
        is_attempted: false,
        unheeded: 0,
        rejection: None,
    }
}

fn waiting(value: Value) -> PendingField {
    PendingField { value, earlier: Vec::new() }
}

/// The mutation that an entry asks for now.
pub(crate) fn mutation(
    definition: &Model,
    model: ModelId,
    key: &Key,
    pending: &Pending,
) -> Mutation {
    let mut fields: Patch =
        pending.fields.iter().map(|(field, waits)| (*field, waits.value.clone())).collect();
    let (operation, version) = match &pending.base {
        None => {
            complete_keys(definition, &mut fields, |_| Value::Null);
            (Operation::Create, 0)
        }
        Some(base) if pending.is_delete => (Operation::Delete, base.meta.version),
        Some(base) => {
            for field in &definition.key {
                fields.set(*field, base.row.get(*field).clone());
            }
            complete_keys(definition, &mut fields, |field| base.row.get(field).clone());
            (Operation::Update, base.meta.version)
        }
    };
    Mutation { model, key: key.clone(), operation, fields, version, condition: Predicate::All }
}

/// Adds what is missing where a part of what an index sorts by is written: AppSync stores it as
/// one text and refuses less than all of it. A merge takes what is as it was for no change.
fn complete_keys(definition: &Model, fields: &mut Patch, value: impl Fn(FieldId) -> Value) {
    for index in definition.indexes.iter().filter(|index| index.fields.len() > 2) {
        let parts = &index.fields[1..];
        if parts.iter().any(|part| fields.get(*part).is_some()) {
            for part in parts {
                if fields.get(*part).is_none() {
                    fields.set(*part, value(*part));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use espressync_model::{Field, Meta, Row, Scalar};

    use super::*;

    #[test]
    fn a_part_of_a_composite_key_is_sent_with_the_rest() {
        let field = |name: &str| Field::new(name, Scalar::String);
        let ids = |ids: &[u16]| ids.iter().map(|id| FieldId(*id)).collect::<Vec<_>>();
        let names = ["id", "shop", "day", "till", "note"];
        let visit = names
            .into_iter()
            .fold(Model::new("Visit", "Visits"), |model, name| model.field(field(name)));
        let visit =
            visit.index("byShop", ids(&[1, 2, 3]), None).index("byTill", ids(&[3, 4]), None);
        let row = Row::new(vec!["v".into(), "s".into(), "d".into(), Value::Null, "n".into()]);
        let base = Record { row, meta: Meta { version: 3, ..Meta::default() } };
        let sent = |base: Option<&Record>, field: u16| {
            let pending = Pending {
                sequence: 0,
                base: base.cloned(),
                fields: [(FieldId(field), waiting("x".into()))].into(),
                is_delete: false,
                is_attempted: false,
                unheeded: 0,
                rejection: None,
            };
            let sent = mutation(&visit, ModelId(0), &Key::from("v"), &pending).fields;
            sent.iter().map(|(field, value)| (field.0, value.clone())).collect::<Vec<_>>()
        };
        let text = |text: &str| Value::from(text);
        let whole = vec![(0, text("v")), (2, text("d")), (3, text("x"))];
        assert_eq!(sent(Some(&base), 3), whole);
        assert_eq!(sent(Some(&base), 2)[1..], [(2, text("x")), (3, Value::Null)]);
        assert_eq!(sent(Some(&base), 4), [(0, text("v")), (4, text("x"))]);
        assert_eq!(sent(Some(&base), 1), [(0, text("v")), (1, text("x"))]);
        assert_eq!(sent(None, 2), [(2, text("x")), (3, Value::Null)]);
    }
}
