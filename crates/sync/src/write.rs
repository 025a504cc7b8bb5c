//! What a user's writes do to the store: checked and made one after the other on a draft, so that
//! each sees those before it, and all taken back when one is refused.

use espressync_model::{Edit, Key, Model, ModelId, Patch, Predicate, Record, Row};
use espressync_store::Draft;

use crate::{SyncError, outbox};

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
    /// Deletes records.
    Delete {
        /// The model.
        model: ModelId,
        /// Which.
        target: Target,
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

fn make(
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
            let record = stored(draft, *model, key, condition)?.clone();
            written.push((*model, delete(draft, *model, key, record)));
        }
        Write::Delete { model, target: Target::Matching(predicate) } => {
            let definition = draft.schema().model(*model);
            predicate.check(definition)?;
            for key in draft.keys(*model) {
                let record = draft.record(*model, &key);
                let record = record.filter(|it| !it.meta.deleted && predicate.matches(&it.row));
                if let Some(record) = record.cloned() {
                    written.push((*model, delete(draft, *model, &key, record)));
                }
            }
        }
    }
    Ok(())
}

fn save(
    draft: &mut Draft<'_>,
    model: ModelId,
    row: &Row,
    condition: &Predicate,
) -> Result<Record, SyncError> {
    let schema = draft.schema();
    let definition = schema.model(model);
    definition.check(schema, row)?;
    condition.check(definition)?;
    let key = definition.key_of(row)?;
    if draft.record(model, &key).is_none() {
        return Ok(create(draft, model, &key, row));
    }
    let stored = stored(draft, model, &key, condition)?.clone();
    let patch = writable(definition, &stored.row, row);
    Ok(change(draft, model, &key, &stored, &patch))
}

fn update(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    edit: &Edit,
    condition: &Predicate,
) -> Result<Record, SyncError> {
    let schema = draft.schema();
    let definition = schema.model(model);
    check_fields(definition, &edit.set)?;
    check_fields(definition, &edit.add)?;
    condition.check(definition)?;
    let stored = stored(draft, model, key, condition)?.clone();
    let mut set = edit.set.clone();
    for (field, amount) in edit.add.iter() {
        let sum = set.get(field).unwrap_or(stored.row.get(field)).plus(amount);
        set.set(field, sum.unwrap_or_else(|| amount.clone()));
    }
    definition.check(schema, &stored.row.with(&set))?;
    set.retain(|field, value| stored.row.get(field) != value);
    Ok(change(draft, model, key, &stored, &set))
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

fn change(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    stored: &Record,
    patch: &Patch,
) -> Record {
    if patch.is_empty() {
        return stored.clone();
    }
    outbox::update(draft, model, key, stored, patch);
    let record = Record { row: stored.row.with(patch), meta: stored.meta };
    draft.put(model, key.clone(), record.clone());
    record
}

fn delete(draft: &mut Draft<'_>, model: ModelId, key: &Key, mut record: Record) -> Record {
    let leaves_tombstone = outbox::delete(draft, model, key, &record);
    record.meta.deleted = true;
    if leaves_tombstone {
        draft.put(model, key.clone(), record.clone());
    } else {
        draft.remove(model, key.clone());
    }
    record
}
