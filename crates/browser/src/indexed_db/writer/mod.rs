//! What rexie 0.6 cannot do: write the log durably, and know why a write failed.
//!
//! rexie begins transactions without a durability and lets nobody at its connection, so this
//! module has one of its own to the same database and speaks web-sys on it. It only ever opens
//! what rexie has made. Both connections give way when another tab upgrades or deletes the
//! database: rexie's closes itself, this one also remembers why.

mod request;
mod transaction;

use std::cell::Cell;
use std::rc::Rc;

use espressync_store::{
    Appended, Durability, Fold, Folded, LogPosition, LogRecord, SegmentId, StoreError,
    StoreErrorKind,
};
use idb::event::VersionChangeEvent;
use idb::{Event as _, Factory, Request};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbDatabase, IdbKeyRange, IdbObjectStore};

use super::error::{from_idb, from_js};
use super::records::{key_of, log_records_of, number_of};
use super::{LOG, SEGMENTS, VERSION};
use crate::listener::Listener;
pub(crate) use request::answer;
use transaction::Transaction;

const CLEARING: &str = "clearing the log";

/// The connection that the log is written through. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Writer {
    database: IdbDatabase,
    life: Rc<Cell<Life>>,
    _listeners: [Listener; 2],
}

/// Why a transaction cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    /// Another tab upgrades or deletes the database and was given way.
    Superseded,
    /// It was closed here, or the browser has taken it away.
    Closed,
}

impl Writer {
    /// Opens a database that exists.
    pub(super) async fn open(name: &str) -> Result<Self, StoreError> {
        let database = connect(name).await;
        let database = database
            .map_err(|error| from_idb(&format!("opening the database `{name}`"), &error))?;
        let life = Rc::new(Cell::new(Life::Open));
        let give_way = {
            let (life, database) = (Rc::clone(&life), database.clone());
            move |_: Event| {
                life.set(Life::Superseded);
                database.close();
            }
        };
        let taken_away = {
            let life = Rc::clone(&life);
            move |_: Event| life.set(Life::Closed)
        };
        let listeners = [
            Listener::new(&database, "versionchange", give_way),
            Listener::new(&database, "close", taken_away),
        ];
        Ok(Self { database, life, _listeners: listeners })
    }

    /// Closes the connection once its running transactions are done.
    pub(super) fn close(&self) {
        self.life.set(Life::Closed);
        self.database.close();
    }

    /// Says why the database cannot be used, if so.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.life.get() {
            Life::Open => Ok(()),
            Life::Superseded => {
                let message = "another tab has upgraded or deleted the database; reload this one";
                Err(StoreError::new(StoreErrorKind::Superseded, message))
            }
            Life::Closed => {
                let message = format!("the database `{}` is closed", self.database.name());
                Err(StoreError::new(StoreErrorKind::Closed, message))
            }
        }
    }

    /// See [`Storage::append`](espressync_store::Storage::append).
    pub(super) async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Appended, StoreError> {
        self.write(&[LOG], last, bytes, durability, |_, _| Ok(())).await
    }

    /// See [`Storage::replace`](espressync_store::Storage::replace).
    pub(super) async fn replace(
        &self,
        last: LogPosition,
        bytes: &[u8],
    ) -> Result<Appended, StoreError> {
        let stores = [LOG, SEGMENTS];
        self.write(&stores, last, bytes, Durability::Strict, |transaction, position| {
            delete_before(&transaction.store(LOG)?, position)?;
            let clear = transaction.store(SEGMENTS)?.clear();
            clear.map(drop).map_err(|error| from_js(CLEARING, &error))
        })
        .await
    }

    /// See [`Storage::stage`](espressync_store::Storage::stage).
    pub(super) async fn stage(&self, bytes: &[Vec<u8>]) -> Result<Vec<SegmentId>, StoreError> {
        const WHAT: &str = "writing segments";
        self.check()?;
        let transaction = Transaction::begin(&self.database, &[SEGMENTS], Durability::Relaxed)?;
        let segments = transaction.store(SEGMENTS)?;
        let last = ids_in(&segments).await?.last().map_or(0, |id| id.0);
        let ids: Vec<SegmentId> = (last + 1..).map(SegmentId).take(bytes.len()).collect();
        for (id, bytes) in ids.iter().zip(bytes) {
            let added = segments.add_with_key(&Uint8Array::from(bytes.as_slice()), &key_of(id.0));
            added.map_err(|error| from_js(WHAT, &error))?;
        }
        transaction.commit().await?;
        Ok(ids)
    }

    /// See [`Storage::fold`](espressync_store::Storage::fold).
    pub(super) async fn fold(&self, fold: Fold<'_>) -> Result<Folded, StoreError> {
        const WHAT: &str = "folding the log";
        let failed = |error: JsValue| from_js(WHAT, &error);
        self.check()?;
        let stores = [LOG, SEGMENTS];
        let transaction = Transaction::begin(&self.database, &stores, Durability::Strict)?;
        let (log, segments) = (transaction.store(LOG)?, transaction.store(SEGMENTS)?);
        let begins = log.get_all_keys_with_key_and_limit(&JsValue::UNDEFINED, 1);
        let begins: Array = answer(&begins.map_err(failed)?, WHAT).await?.unchecked_into();
        let stored = ids_in(&segments).await?;
        let has_begun = begins.iter().next().map(|key| number_of(&key)).transpose()?;
        let has_all = fold.keep.iter().all(|id| stored.binary_search(id).is_ok());
        if has_begun != Some(fold.begins.0) || fold.up_to <= fold.begins || !has_all {
            transaction.abort().await?;
            return Ok(Folded::Overtaken);
        }
        let head = Uint8Array::from(fold.head);
        log.put_with_key(&head, &key_of(fold.up_to.0)).map_err(failed)?;
        delete_before(&log, fold.up_to)?;
        for id in stored.iter().filter(|id| !fold.keep.contains(id)) {
            segments.delete(&key_of(id.0)).map_err(failed)?;
        }
        transaction.commit().await?;
        Ok(Folded::Done)
    }

    /// Adds a record, has `then` do what belongs to it in the same transaction, and undoes both
    /// when somebody else has appended something after `last`.
    async fn write(
        &self,
        stores: &[&str],
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
        then: impl FnOnce(&Transaction, LogPosition) -> Result<(), StoreError>,
    ) -> Result<Appended, StoreError> {
        self.check()?;
        let transaction = Transaction::begin(&self.database, stores, durability)?;
        let log = transaction.store(LOG)?;
        let position = add(&log, bytes).await?;
        if position <= last {
            transaction.abort().await?;
            let message = format!("the log begins anew: {position:?} comes after {last:?}");
            return Err(StoreError::new(StoreErrorKind::Superseded, message));
        }
        if position.0 > last.0 + 1 {
            let mut missed = records_after(&log, last).await?;
            missed.retain(|record| record.position != position);
            if !missed.is_empty() {
                transaction.abort().await?;
                return Ok(Appended::Behind(missed));
            }
        }
        then(&transaction, position)?;
        transaction.commit().await?;
        Ok(Appended::At(position))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.database.close();
    }
}

/// The database as it is. One that was deleted since rexie opened it is not made again, which
/// would leave it without stores for ever.
async fn connect(name: &str) -> Result<IdbDatabase, idb::Error> {
    let mut request = Factory::new()?.open(name, Some(VERSION))?;
    request.on_upgrade_needed(|event: VersionChangeEvent| {
        if let Some(transaction) = event.target().ok().and_then(|request| request.transaction()) {
            let _ = transaction.abort();
        }
    });
    Ok(request.await?.into())
}

/// Appends a record. The request is made at once, not when the future is first polled.
fn add(
    log: &IdbObjectStore,
    bytes: &[u8],
) -> impl Future<Output = Result<LogPosition, StoreError>> + use<> {
    const WHAT: &str = "writing to the log";
    let request = log.add(&Uint8Array::from(bytes)).map_err(|error| from_js(WHAT, &error));
    async move { number_of(&answer(&request?, WHAT).await?).map(LogPosition) }
}

/// Deletes everything before a position. Whether that went well, the commit tells.
fn delete_before(log: &IdbObjectStore, position: LogPosition) -> Result<(), StoreError> {
    let failed = |error: JsValue| from_js(CLEARING, &error);
    let range = IdbKeyRange::upper_bound_with_open(&key_of(position.0), true).map_err(failed)?;
    log.delete(&range).map(drop).map_err(failed)
}

/// The keys of all segments, in order.
async fn ids_in(segments: &IdbObjectStore) -> Result<Vec<SegmentId>, StoreError> {
    const WHAT: &str = "reading the segments' keys";
    let keys = segments.get_all_keys().map_err(|error| from_js(WHAT, &error))?;
    let keys: Array = answer(&keys, WHAT).await?.unchecked_into();
    keys.iter().map(|key| number_of(&key).map(SegmentId)).collect()
}

/// What others have appended, read in the transaction that appends. Keys and values are asked for
/// together, because nothing but the database's own answers may be waited for inside it.
async fn records_after(
    log: &IdbObjectStore,
    after: LogPosition,
) -> Result<Vec<LogRecord>, StoreError> {
    const WHAT: &str = "reading the log";
    let failed = |error: JsValue| from_js(WHAT, &error);
    let range = IdbKeyRange::lower_bound_with_open(&key_of(after.0), true).map_err(failed)?;
    let keys = log.get_all_keys_with_key(&range).map_err(failed)?;
    let values = log.get_all_with_key(&range).map_err(failed)?;
    let keys: Array = answer(&keys, WHAT).await?.unchecked_into();
    let values: Array = answer(&values, WHAT).await?.unchecked_into();
    log_records_of(keys.iter(), values.iter())
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn what_is_not_there_is_not_made() {
        let name = format!("espressync-test/not-made/{}", js_sys::Date::now());
        for _ in 0..2 {
            let error = Writer::open(&name).await.unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Aborted, "{error}");
        }
    }
}
