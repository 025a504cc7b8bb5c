//! The database by way of rexie: its life from making to deletion, and reading.

use std::cell::RefCell;
use std::time::Duration;

use espressync_store::{Contents, LogPosition, LogRecord, StoreError, StoreErrorKind};
use futures::future::{Either, join, select};
use gloo_timers::future::sleep;
use rexie::{KeyRange, ObjectStore, Rexie, RexieBuilder, Transaction, TransactionMode};
use wasm_bindgen::JsValue;

use super::error::from_rexie;
use super::records::{key_of, log_records_of, segments_of};
use super::{LOG, META, SEGMENTS, about};

/// How long opening or deleting may take. Other tabs of this software give way at once and a slow
/// disk takes a second, so whatever holds it up then is not going to end.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// rexie's connection. Dropping it closes it, which dropping a [`Rexie`] does not.
#[derive(Debug)]
pub(super) struct Reader(RefCell<Option<Rexie>>);

impl Reader {
    /// Opens a database and brings it to this version.
    pub(super) async fn open(
        name: &str,
        version: u32,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let what = format!("opening the database `{name}`");
        let opening = stores(Rexie::builder(name).version(version)).build();
        match within(patience, opening, Rexie::close).await {
            Some(Ok(database)) => Ok(Self::of(database)),
            Some(Err(error)) => match from_rexie(&what, &error) {
                error if error.kind == StoreErrorKind::Newer => Err(newer(name).await),
                error => Err(error),
            },
            None => Err(held_up(&what, patience)),
        }
    }

    fn of(database: Rexie) -> Self {
        Self(RefCell::new(Some(database)))
    }

    /// Closes the connection once its running transactions are done.
    pub(super) fn close(&self) {
        if let Some(database) = self.0.take() {
            database.close();
        }
    }

    /// Begins a transaction on these stores. It ends by itself when nothing more is asked.
    pub(super) fn begin(
        &self,
        stores: &[&str],
        mode: TransactionMode,
    ) -> Result<Transaction, StoreError> {
        match &*self.0.borrow() {
            Some(database) => database
                .transaction(stores, mode)
                .map_err(|error| from_rexie("beginning a transaction", &error)),
            None => Err(StoreError::new(StoreErrorKind::Closed, "the database is closed")),
        }
    }

    /// The log after a position.
    pub(super) async fn records_after(
        &self,
        after: LogPosition,
    ) -> Result<Vec<LogRecord>, StoreError> {
        let transaction = self.begin(&[LOG], TransactionMode::ReadOnly)?;
        let read = async {
            let range = KeyRange::lower_bound(&key_of(after.0), Some(true))?;
            keys_and_values(&transaction, LOG, Some(range)).await
        };
        let read = read.await.map_err(|error| from_rexie("reading the log", &error))?;
        log_records_of(read.0, read.1)
    }

    /// What `meta` holds under a key.
    pub(super) async fn note(&self, key: &str) -> Result<Option<JsValue>, StoreError> {
        let transaction = self.begin(&[META], TransactionMode::ReadOnly)?;
        let read = async { transaction.store(META)?.get(key.into()).await };
        read.await.map_err(|error| from_rexie("reading `meta`", &error))
    }

    /// Writes something into `meta`.
    pub(super) async fn set_note(&self, key: &str, value: &JsValue) -> Result<(), StoreError> {
        let transaction = self.begin(&[META], TransactionMode::ReadWrite)?;
        let write = async {
            transaction.store(META)?.put(value, Some(&key.into())).await?;
            transaction.commit().await
        };
        write.await.map(drop).map_err(|error| from_rexie("writing `meta`", &error))
    }

    /// The log and the segments, as of one moment.
    pub(super) async fn contents(&self) -> Result<Contents, StoreError> {
        let failed = |error: rexie::Error| from_rexie("reading the database", &error);
        let transaction = self.begin(&[LOG, SEGMENTS], TransactionMode::ReadOnly)?;
        let log = keys_and_values(&transaction, LOG, None);
        let segments = keys_and_values(&transaction, SEGMENTS, None);
        let (log, segments) = join(log, segments).await;
        let ((positions, records), (ids, segments)) =
            (log.map_err(failed)?, segments.map_err(failed)?);
        Ok(Contents {
            segments: segments_of(ids, segments)?,
            log: log_records_of(positions, records)?,
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}

/// Deletes a database.
pub(super) async fn delete(name: &str, patience: Duration) -> Result<(), StoreError> {
    let what = format!("deleting the database `{name}`");
    let name = name.to_owned();
    let deleting = async move { Rexie::delete(&name).await };
    match within(patience, deleting, drop).await {
        Some(deleted) => deleted.map_err(|error| from_rexie(&what, &error)),
        None => Err(held_up(&what, patience)),
    }
}

/// All stores, because rexie's upgrade deletes those that are not listed.
fn stores(builder: RexieBuilder) -> RexieBuilder {
    builder
        .add_object_store(ObjectStore::new(LOG).auto_increment(true))
        .add_object_store(ObjectStore::new(SEGMENTS))
        .add_object_store(ObjectStore::new(META))
}

/// Both are asked for before either is awaited, so that they are of the same moment.
async fn keys_and_values(
    transaction: &Transaction,
    store: &str,
    range: Option<KeyRange>,
) -> rexie::Result<(Vec<JsValue>, Vec<JsValue>)> {
    let store = transaction.store(store)?;
    let keys = store.get_all_keys(range.clone(), None);
    let (keys, values) = join(keys, store.get_all(range, None)).await;
    Ok((keys?, values?))
}

/// What came of the work, or `None` when it takes too long. It cannot be called off: what comes
/// of it later is given to `undo`.
async fn within<T: 'static>(
    patience: Duration,
    work: impl Future<Output = rexie::Result<T>> + 'static,
    undo: fn(T),
) -> Option<rexie::Result<T>> {
    match select(Box::pin(work), sleep(patience)).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(((), work)) => {
            wasm_bindgen_futures::spawn_local(async move {
                if let Ok(late) = work.await {
                    undo(late);
                }
            });
            None
        }
    }
}

/// rexie does not hear `blocked`, so that time must tell.
fn held_up(what: &str, patience: Duration) -> StoreError {
    let seconds = patience.as_secs_f32();
    let message = format!("{what}: not done within {seconds} s; close other tabs that use it");
    StoreError::new(StoreErrorKind::Superseded, message)
}

/// Looks into a newer database, at the version it has, for who wrote it.
async fn newer(name: &str) -> StoreError {
    let about = match stores(Rexie::builder(name)).build().await {
        Ok(database) => about::read(&Reader::of(database)).await,
        Err(_) => None,
    };
    let by = about.map_or_else(String::new, |about| format!(", {}", about.version));
    let message = format!(
        "the database `{name}` was written by a newer version of this app's software{by}; this \
         one is {}. Reload to get the newer one",
        about::VERSION
    );
    StoreError::new(StoreErrorKind::Newer, message)
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    const SHORT: Duration = Duration::from_millis(300);

    fn name_of(test: &str) -> String {
        format!("espressync-test/{test}/{}", js_sys::Date::now())
    }

    /// Opens a database as a program that gives way to nobody.
    async fn stubborn(name: &str) -> idb::Database {
        let opened = idb::Factory::new().unwrap().open(name, None).unwrap();
        opened.await.unwrap()
    }

    #[wasm_bindgen_test]
    async fn rexies_connection_gives_way() {
        let name = name_of("gives-way");
        let old = Reader::open(&name, 1, PATIENCE).await.unwrap();
        let new = Reader::open(&name, 2, PATIENCE).await.unwrap();
        assert!(old.begin(&[LOG], TransactionMode::ReadOnly).is_err());
        delete(&name, PATIENCE).await.unwrap();
        assert!(new.begin(&[LOG], TransactionMode::ReadOnly).is_err());
    }

    #[wasm_bindgen_test]
    async fn what_is_held_up_says_so_and_is_closed_when_it_comes() {
        let name = name_of("held-up");
        drop(Reader::open(&name, 1, PATIENCE).await.unwrap());
        let holds = stubborn(&name).await;
        let error = Reader::open(&name, 2, SHORT).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Superseded, "{error}");
        let error = delete(&name, SHORT).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Superseded, "{error}");
        holds.close();
        delete(&name, PATIENCE).await.unwrap();
    }

    #[wasm_bindgen_test]
    async fn an_upgrade_keeps_what_is_there() {
        let name = name_of("upgrade");
        let old = Reader::open(&name, 1, PATIENCE).await.unwrap();
        for (store, key) in [(LOG, 7), (SEGMENTS, 1), (META, 1)] {
            let transaction = old.begin(&[store], TransactionMode::ReadWrite).unwrap();
            let key = JsValue::from(key);
            transaction.store(store).unwrap().put(&store.into(), Some(&key)).await.unwrap();
            transaction.done().await.unwrap();
        }
        let new = Reader::open(&name, 2, PATIENCE).await.unwrap();
        for store in [LOG, SEGMENTS, META] {
            let transaction = new.begin(&[store], TransactionMode::ReadOnly).unwrap();
            let values = transaction.store(store).unwrap().get_all(None, None).await.unwrap();
            assert_eq!(values, [JsValue::from(store)]);
        }
        let records = new.records_after(LogPosition(6)).await.unwrap();
        assert_eq!(records, [LogRecord { position: LogPosition(7), bytes: Vec::new() }]);
        let error = Reader::open(&name, 1, PATIENCE).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Newer, "{error}");
    }
}
