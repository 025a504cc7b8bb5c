//! Taking over what another software kept for this app, before the data store is opened.

use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_model::{Key, ModelId, Record, Schema};
use espressync_store::{
    Appended, Durability, LogRecord, Pending, Storage, Store, StoreError, StoreErrorKind,
};
use espressync_sync::{Import, Intent, prepare};

use crate::ClientError;

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many records of each model, by its name, tombstones included.
    pub records: BTreeMap<String, usize>,
    /// How many records have changes that wait to be sent.
    pub waiting: usize,
    /// Whether all of it was here already, from a run that did not come to its end.
    pub was_here: bool,
}

/// Stores an import in a storage that is empty, all of it or nothing, and reads it back. Run again
/// after a crash it finds what it stored and says so; nothing is stored twice.
///
/// # Errors
/// [`SyncError::NotEmpty`](crate::SyncError::NotEmpty) when anything else is stored. A
/// [`StoreErrorKind::Corrupt`] when what is read back is not what was stored, and the storage's
/// own errors.
pub async fn take_over<S: Storage>(
    schema: Rc<Schema>,
    storage: &S,
    import: Import,
) -> Result<Taken, ClientError> {
    let intents = [Intent::Import(import)];
    let mut expected = Store::new(Rc::clone(&schema));
    let prepared = prepare(&expected, &intents);
    for outcome in prepared.outcomes {
        outcome?;
    }
    expected.apply(prepared.batch);
    let found = open(&schema, storage).await?;
    let mut taken = report(&expected);
    if is_same(&expected, &found) {
        taken.was_here = true;
        return Ok(taken);
    }
    append(found, storage, &intents).await?;
    if is_same(&expected, &open(&schema, storage).await?) {
        return Ok(taken);
    }
    let message = "what was imported is not what is read back; nothing was marked as taken over, \
                   and the database it came from is as it was";
    Err(StoreError::new(StoreErrorKind::Corrupt, message).into())
}

async fn open<S: Storage>(schema: &Rc<Schema>, storage: &S) -> Result<Store, ClientError> {
    Ok(Store::open(Rc::clone(schema), storage.load().await?)?.0)
}

/// Appends the layout and then the import as one record; held anew against what another tab was
/// faster with.
async fn append<S: Storage>(
    mut store: Store,
    storage: &S,
    intents: &[Intent],
) -> Result<(), ClientError> {
    loop {
        let layout = store.layout_record();
        let is_layout = layout.is_some();
        let bytes = match layout {
            Some(layout) => layout,
            None => {
                let prepared = prepare(&store, intents);
                for outcome in prepared.outcomes {
                    outcome?;
                }
                if prepared.batch.is_empty() {
                    return Ok(());
                }
                store.batch_record(&prepared.batch)
            }
        };
        match storage.append(store.position(), &bytes, Durability::Strict).await? {
            Appended::At(position) if is_layout => {
                store.catch_up(&[LogRecord { position, bytes }], |_| {})?;
            }
            Appended::At(_) => return Ok(()),
            Appended::Behind(records) => {
                store.catch_up(&records, |_| {})?;
            }
        }
        store.check_current()?;
    }
}

fn report(store: &Store) -> Taken {
    let models = store.schema().models();
    let counts = models.map(|(id, model)| (model.name.clone(), store.rows(id).count()));
    Taken {
        records: counts.filter(|(_, count)| *count > 0).collect(),
        waiting: store.outbox().waiting(),
        was_here: false,
    }
}

/// Whether two stores hold the same records and changes.
fn is_same(expected: &Store, found: &Store) -> bool {
    let rows = |store: &Store, model: ModelId| -> BTreeMap<Key, Record> {
        store.rows(model).map(|(key, record)| (key.clone(), record.clone())).collect()
    };
    let waiting = |store: &Store| -> Vec<(ModelId, Key, Pending)> {
        let entries = store.outbox().iter();
        entries.map(|(model, key, pending)| (model, key.clone(), pending.clone())).collect()
    };
    waiting(expected) == waiting(found)
        && expected.schema().models().all(|(id, _)| rows(expected, id) == rows(found, id))
}
