//! What goes with a record that is deleted: DataStore's cascade (contract 6.1), and the two other
//! choices that a relation may make.
//!
//! Only records that are known here are looked at, as in DataStore; children that this client has
//! never seen are left to the clients that have. Each deleted record owes the server a delete of
//! its own, children before their parents.

use std::collections::BTreeSet;

use espressync_model::{
    Edit, FieldId, Key, Model, ModelId, OnDelete, Patch, Record, Relation, RelationKind, Value,
};
use espressync_store::Draft;

use crate::write::change;
use crate::{SyncError, outbox};

type Place = (ModelId, Key);

/// What is still to be done, the last first: with no stack but this one, so that a chain of
/// records however long is deleted.
enum Step {
    Look(Place),
    Remove(Place),
}

/// Deletes a record with what goes with it. `None` when it is gone already.
pub(crate) fn delete(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
) -> Result<Option<Record>, SyncError> {
    let mut seen = BTreeSet::new();
    let mut steps = vec![Step::Look((model, key.clone()))];
    let mut last = None;
    while let Some(step) = steps.pop() {
        match step {
            Step::Look(place) => {
                let is_new = seen.insert(place.clone());
                let record = draft.record(place.0, &place.1).filter(|it| !it.meta.deleted);
                if let Some(record) = record.filter(|_| is_new).cloned() {
                    steps.push(Step::Remove(place.clone()));
                    let children = children(draft, place.0, &record)?;
                    steps.extend(children.into_iter().rev().map(Step::Look));
                }
            }
            Step::Remove((model, key)) => last = remove(draft, model, &key),
        }
    }
    Ok(last)
}

fn remove(draft: &mut Draft<'_>, model: ModelId, key: &Key) -> Option<Record> {
    let mut record = draft.record(model, key)?.clone();
    let leaves_tombstone = outbox::delete(draft, model, key, &record);
    record.meta.deleted = true;
    if leaves_tombstone {
        draft.put(model, key.clone(), record.clone());
    } else {
        draft.remove(model, key.clone());
    }
    Some(record)
}

/// The records that are deleted with this one; those that stay are set to point nowhere.
fn children(
    draft: &mut Draft<'_>,
    model: ModelId,
    record: &Record,
) -> Result<Vec<Place>, SyncError> {
    let schema = draft.schema();
    let definition = schema.model(model);
    let mut children = Vec::new();
    for relation in &definition.relations {
        let keys = keys_of(draft, definition, relation, record);
        match relation.on_delete {
            _ if keys.is_empty() => {}
            OnDelete::Cascade => {
                children.extend(keys.into_iter().map(|key| (relation.target, key)));
            }
            OnDelete::Restrict => {
                return Err(SyncError::HasChildren {
                    model: definition.name.clone(),
                    key: definition.key_of(&record.row)?.to_string(),
                    relation: relation.name.clone(),
                    count: keys.len(),
                });
            }
            OnDelete::SetNull if !relation.kind.is_held_by_target() => {}
            OnDelete::SetNull => {
                for key in keys {
                    unlink(draft, relation, &key)?;
                }
            }
        }
    }
    Ok(children)
}

/// The live records at the other end of a has-many or has-one.
fn keys_of(
    draft: &Draft<'_>,
    definition: &Model,
    relation: &Relation,
    record: &Record,
) -> Vec<Key> {
    match relation.kind {
        RelationKind::BelongsTo => Vec::new(),
        RelationKind::HasOne => {
            let key = Key::of(relation.fields.iter().map(|field| record.row.get(*field)));
            let found = key.filter(|key| {
                draft.record(relation.target, key).is_some_and(|record| !record.meta.deleted)
            });
            found.into_iter().collect()
        }
        RelationKind::HasMany | RelationKind::HasOneByReference => {
            let values: Vec<Value> =
                definition.key.iter().map(|field| record.row.get(*field).clone()).collect();
            draft.pointing(relation.target, &relation.fields, &values)
        }
    }
}

/// Sets a record's foreign key to nothing.
fn unlink(draft: &mut Draft<'_>, relation: &Relation, key: &Key) -> Result<(), SyncError> {
    let target = draft.schema().model(relation.target);
    let fixed = |field: &&FieldId| target.at(**field).is_required || target.key.contains(*field);
    if let Some(field) = relation.fields.iter().find(fixed) {
        return Err(SyncError::ReadOnly {
            model: target.name.clone(),
            field: target.at(*field).name.clone(),
            reason: "it is required or part of the key, and the record it points at is deleted",
        });
    }
    let patch: Patch = relation.fields.iter().map(|field| (*field, Value::Null)).collect();
    if let Some(stored) = draft.record(relation.target, key).cloned() {
        change(draft, relation.target, key, &stored, &Edit::from(patch));
    }
    Ok(())
}
