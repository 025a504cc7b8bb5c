//! What a user's writes do to the store: checked and made one after the other on a draft, so that
//! each sees those before it, and all taken back when one is refused.

use espressync_model::{
    BaseType, Edit, FieldId, Key, Model, ModelError, ModelId, Patch, Predicate, Record,
    RelationKind, Row, Scalar, Value,
};
use espressync_store::Draft;

use crate::{SyncError, delete, outbox};

/// One write of a user's.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Stores a row: a new record, or the fields in which it differs from the stored one, if that
    /// one meets the condition. A new record has no condition to meet.
    Save {
        /// The model.
        model: ModelId,
        /// The values; the key is among them.
        row: Row,
        /// What the stored row must be like.
        condition: Predicate,
    },
    /// Changes fields of a stored record, if it meets the condition.
    Update {
        /// The model.
        model: ModelId,
        /// The record.
        key: Key,
        /// What becomes of its fields.
        edit: Edit,
        /// What the stored row must be like.
        condition: Predicate,
    },
    /// Deletes records, and first what [goes with them](espressync_model::OnDelete).
    Delete {
        /// The model.
        model: ModelId,
        /// Which.
        target: Target,
    },
    /// Brings a deleted record back, as long as its tombstone is here. What was deleted with it
    /// stays deleted: each is brought back by itself.
    Undelete {
        /// The model.
        model: ModelId,
        /// The record.
        key: Key,
    },
}

/// Which records a delete is meant for.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The record of a key, which must be there and meet the condition.
    Record(Key, Predicate),
    /// Every record that matches; there may be none.
    Matching(Predicate),
}

impl Write {
    /// Stores a row, whatever is stored.
    #[must_use]
    pub fn save(model: ModelId, row: Row) -> Self {
        Self::Save { model, row, condition: Predicate::All }
    }

    /// Sets fields of a record.
    pub fn update(model: ModelId, key: impl Into<Key>, set: Patch) -> Self {
        let edit = Edit::from(set);
        Self::Update { model, key: key.into(), edit, condition: Predicate::All }
    }

    /// Deletes a record.
    pub fn delete(model: ModelId, key: impl Into<Key>) -> Self {
        Self::Delete { model, target: Target::Record(key.into(), Predicate::All) }
    }
}

/// The records that a run of writes wrote, or why none of it was taken.
pub(crate) type Outcome = Result<Vec<(ModelId, Record)>, SyncError>;

/// Makes every write or none.
pub(crate) fn write_all(draft: &mut Draft<'_>, writes: &[Write]) -> Outcome {
    let mut written = Vec::new();
    draft.begin();
    for write in writes {
        if let Err(error) = make(draft, write, &mut written) {
            draft.roll_back();
            return Err(error);
        }
    }
    draft.keep();
    Ok(written)
}

pub(crate) fn make(
    draft: &mut Draft<'_>,
    write: &Write,
    written: &mut Vec<(ModelId, Record)>,
) -> Result<(), SyncError> {
    match write {
        Write::Save { model, row, condition } => {
            written.push((*model, save(draft, *model, row, condition)?));
        }
        Write::Update { model, key, edit, condition } => {
            written.push((*model, update(draft, *model, key, edit, condition)?));
        }
        Write::Delete { model, target: Target::Record(key, condition) } => {
            condition.check(known(draft, *model)?)?;
            stored(draft, *model, key, condition)?;
            written.extend(delete::delete(draft, *model, key)?.map(|record| (*model, record)));
        }
        Write::Delete { model, target: Target::Matching(predicate) } => {
            predicate.check(known(draft, *model)?)?;
            for key in draft.matching(*model, predicate) {
                // It may have gone with one before it.
                let deleted = delete::delete(draft, *model, &key)?;
                written.extend(deleted.map(|record| (*model, record)));
            }
        }
        Write::Undelete { model, key } => {
            written.push((*model, undelete(draft, *model, key)?));
        }
    }
    Ok(())
}

/// The model of an id, which may be anything a caller came up with.
fn known<'a>(draft: &Draft<'a>, model: ModelId) -> Result<&'a Model, SyncError> {
    Ok(draft.schema().known(model)?)
}

fn save(
    draft: &mut Draft<'_>,
    model: ModelId,
    row: &Row,
    condition: &Predicate,
) -> Result<Record, SyncError> {
    let (schema, definition) = (draft.schema(), known(draft, model)?);
    definition.check(schema, row)?;
    condition.check(definition)?;
    let key = definition.key_of(row)?;
    if draft.record(model, &key).is_none() {
        if schema.checks_texts() {
            schema.check_written(definition, &Patch::whole(row))?;
        }
        check_parents(draft, definition, row, |_| true)?;
        return Ok(create(draft, model, &key, row));
    }
    let stored = stored(draft, model, &key, condition)?.clone();
    let patch = writable(definition, &stored.row, row);
    schema.check_written(definition, &patch)?;
    check_parents(draft, definition, row, |field| patch.get(field).is_some())?;
    Ok(change(draft, model, &key, &stored, &patch.into()))
}

fn update(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    edit: &Edit,
    condition: &Predicate,
) -> Result<Record, SyncError> {
    let (schema, definition) = (draft.schema(), known(draft, model)?);
    check_fields(definition, &edit.set)?;
    check_fields(definition, &edit.add)?;
    check_amounts(definition, &edit.add)?;
    condition.check(definition)?;
    let stored = stored(draft, model, key, condition)?.clone();
    let mut edit = edit.clone();
    edit.set.retain(|field, value| stored.row.get(field) != value);
    edit.add.retain(|_, amount| amount.as_number() != Some(0.0));
    let row = edited(&stored.row, &edit);
    definition.check(schema, &row)?;
    schema.check_written(definition, &edit.set)?;
    check_parents(draft, definition, &row, |field| edit.set.get(field).is_some())?;
    Ok(change(draft, model, key, &stored, &edit))
}

/// A row as an edit leaves it: what is set, and then what is added.
fn edited(row: &Row, edit: &Edit) -> Row {
    let mut patch = edit.set.clone();
    for (field, amount) in edit.add.iter() {
        let sum = patch.get(field).unwrap_or(row.get(field)).plus(amount);
        patch.set(field, sum.unwrap_or_else(|| amount.clone()));
    }
    row.with(&patch)
}

/// Refuses amounts that are no numbers of their field's type: what they sum up to is checked with
/// the row, but half an Int that meets another half is none either.
fn check_amounts(model: &Model, add: &Patch) -> Result<(), SyncError> {
    for (id, amount) in add.iter() {
        let field = model.at(id);
        let fits = match field.base {
            BaseType::Scalar(Scalar::Int | Scalar::AwsTimestamp) => {
                matches!(amount, Value::Int(_))
            }
            BaseType::Scalar(Scalar::Float) => amount.as_number().is_some_and(f64::is_finite),
            BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_) => false,
        };
        if field.is_list || !fits {
            let (model, field) = (model.name.clone(), field.name.clone());
            let expected = "given a number of its own type to add".to_owned();
            let found = amount.to_string();
            return Err(ModelError::WrongType { model, field, expected, found }.into());
        }
    }
    Ok(())
}

/// Refuses a record whose required parent is not here, as DataStore does ("Data integrity error",
/// contract 6.1). Only what is written is asked: a parent may go, or come, at any time.
fn check_parents(
    draft: &Draft<'_>,
    model: &Model,
    row: &Row,
    is_written: impl Fn(FieldId) -> bool,
) -> Result<(), SyncError> {
    let relations = model.relations.iter();
    for relation in relations.filter(|relation| relation.kind == RelationKind::BelongsTo) {
        let is_required = relation.fields.iter().all(|field| model.at(*field).is_required);
        if !is_required || !relation.fields.iter().any(|field| is_written(*field)) {
            continue;
        }
        let parent = Key::of(relation.fields.iter().map(|field| row.get(*field)));
        let found = parent.as_ref().and_then(|parent| draft.record(relation.target, parent));
        if found.is_none_or(|record| record.meta.deleted) {
            return Err(SyncError::NoParent {
                model: model.name.clone(),
                relation: relation.name.clone(),
                parent: draft.schema().model(relation.target).name.clone(),
                key: parent.map(|parent| parent.to_string()).unwrap_or_default(),
            });
        }
    }
    Ok(())
}

fn check_fields(model: &Model, patch: &Patch) -> Result<(), SyncError> {
    for (id, _) in patch.iter() {
        let reason = match model.fields.get(id.index()) {
            None => "the model has no such field",
            Some(_) if model.key.contains(&id) => "it is part of the key",
            Some(field) if field.is_read_only => "only the server writes it",
            Some(_) => continue,
        };
        let field = model.fields.get(id.index());
        let field = field.map_or_else(|| format!("field {}", id.0), |field| field.name.clone());
        return Err(SyncError::ReadOnly { model: model.name.clone(), field, reason });
    }
    Ok(())
}

/// The live record of a key, if it meets the condition.
fn stored<'d>(
    draft: &'d Draft<'_>,
    model: ModelId,
    key: &Key,
    condition: &Predicate,
) -> Result<&'d Record, SyncError> {
    let definition = draft.schema().model(model);
    let name = || (definition.name.clone(), key.to_string());
    match draft.record(model, key) {
        None => {
            let (model, key) = name();
            Err(SyncError::NotFound { model, key })
        }
        Some(record) if record.meta.deleted => {
            let (model, key) = name();
            Err(SyncError::Deleted { model, key })
        }
        Some(record) if !condition.matches(&record.row) => {
            let (model, key) = name();
            Err(SyncError::ConditionFailed { model, key })
        }
        Some(record) => Ok(record),
    }
}

/// The differences that a client may write.
fn writable(model: &Model, old: &Row, new: &Row) -> Patch {
    let mut patch = Patch::between(old, new);
    patch.retain(|field, _| !model.at(field).is_read_only);
    patch
}

fn create(draft: &mut Draft<'_>, model: ModelId, key: &Key, row: &Row) -> Record {
    let record = Record::local(row.clone());
    outbox::create(draft, model, key, &record);
    draft.put(model, key.clone(), record.clone());
    record
}

pub(crate) fn change(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    stored: &Record,
    edit: &Edit,
) -> Record {
    if edit.set.is_empty() && edit.add.is_empty() {
        return stored.clone();
    }
    let record = outbox::update(draft, model, key, stored, edit);
    let record =
        record.unwrap_or_else(|| Record { row: edited(&stored.row, edit), meta: stored.meta });
    draft.put(model, key.clone(), record.clone());
    record
}

fn undelete(draft: &mut Draft<'_>, model: ModelId, key: &Key) -> Result<Record, SyncError> {
    let definition = known(draft, model)?;
    let Some(mut record) = draft.record(model, key).cloned() else {
        return Err(SyncError::NotFound { model: definition.name.clone(), key: key.to_string() });
    };
    if record.meta.deleted {
        outbox::undelete(draft, model, key, &record);
        record.meta.deleted = false;
        draft.put(model, key.clone(), record.clone());
    }
    Ok(record)
}
