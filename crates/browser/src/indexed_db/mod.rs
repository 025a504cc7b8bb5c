//! The store's log in IndexedDB.
//!
//! One database per namespace and API, with the stores `log` (key: the position, value: the
//! record's bytes), `segments` and `meta`; the latter two are empty until the log is folded. The
//! auto-incremented key is the order of truth: a handle that gets the key it expected has seen
//! everything.

mod error;
mod open;
mod request;
mod transaction;

use std::cell::Cell;
use std::rc::Rc;

use espressync_store::{
    Appended, Durability, LogPosition, LogRecord, Storage, StoreError, StoreErrorKind,
};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbDatabase, IdbKeyRange, IdbObjectStore};

use crate::listener::Listener;
use crate::scope;
use error::from_js;
use request::answer;
use transaction::Transaction;

const LOG: &str = "log";
const SEGMENTS: &str = "segments";
const META: &str = "meta";

/// The name of the database of an app's data from one API.
#[must_use]
pub fn database_name(namespace: &str, endpoint: &str) -> String {
    format!("espressync/{namespace}/{}", scope::absolute(endpoint))
}

/// A log in IndexedDB. Dropping it closes the database.
#[derive(Debug)]
pub struct IndexedDb {
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

impl IndexedDb {
    /// Opens a database, or makes it, and asks the browser to keep this origin's data when disk
    /// space runs short.
    ///
    /// # Errors
    /// By kind: [`StoreErrorKind::Unavailable`] without IndexedDB, as in some private windows;
    /// [`StoreErrorKind::Newer`] for a database of a newer version, which is left as it is;
    /// [`StoreErrorKind::Superseded`] when a tab with an older version does not give way.
    pub async fn open(name: &str) -> Result<Self, StoreError> {
        let database = open::open(name, open::VERSION).await?;
        wasm_bindgen_futures::spawn_local(ask_to_persist());
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

    /// Closes the database once its running transactions are done. What comes after fails with
    /// [`StoreErrorKind::Closed`].
    pub fn close(&self) {
        self.life.set(Life::Closed);
        self.database.close();
    }

    /// Deletes a database with everything in it. Open handles to it, in every tab, give way.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] without IndexedDB, [`StoreErrorKind::Superseded`] when
    /// another program holds it open.
    pub async fn delete(name: &str) -> Result<(), StoreError> {
        open::delete(name).await
    }

    fn begin(&self, mode: &str, durability: Durability) -> Result<Transaction, StoreError> {
        let message = match self.life.get() {
            Life::Open => return Transaction::begin(&self.database, LOG, mode, durability),
            Life::Superseded => {
                let message = "another tab has upgraded or deleted the database; reload this one";
                return Err(StoreError::new(StoreErrorKind::Superseded, message));
            }
            Life::Closed => format!("the database `{}` is closed", self.database.name()),
        };
        Err(StoreError::new(StoreErrorKind::Closed, message))
    }
}

impl Drop for IndexedDb {
    fn drop(&mut self) {
        self.database.close();
    }
}

impl Storage for IndexedDb {
    async fn load(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError> {
        let transaction = self.begin("readonly", Durability::Relaxed)?;
        let records = records_after(&transaction.store(LOG)?, after).await?;
        transaction.commit().await?;
        Ok(records)
    }

    async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Appended, StoreError> {
        let transaction = self.begin("readwrite", durability)?;
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
        transaction.commit().await?;
        Ok(Appended::At(position))
    }

    async fn replace(&self, bytes: &[u8]) -> Result<LogPosition, StoreError> {
        let transaction = self.begin("readwrite", Durability::Strict)?;
        let log = transaction.store(LOG)?;
        // Clearing leaves the key generator where it is, so that positions go on rising.
        let clear = log.clear().map_err(|error| from_js("clearing the log", &error))?;
        let add = add(&log, bytes);
        answer(&clear, "clearing the log").await?;
        let position = add.await?;
        transaction.commit().await?;
        Ok(position)
    }
}

/// Appends a record. The request is made at once, not when the future is first polled.
fn add(
    log: &IdbObjectStore,
    bytes: &[u8],
) -> impl Future<Output = Result<LogPosition, StoreError>> + use<> {
    const WHAT: &str = "writing to the log";
    let request = log.add(&Uint8Array::from(bytes)).map_err(|error| from_js(WHAT, &error));
    async move { position_of(&answer(&request?, WHAT).await?) }
}

/// Keys and values are asked for together, because nothing but the database's own answers may be
/// waited for inside a transaction.
async fn records_after(
    log: &IdbObjectStore,
    after: LogPosition,
) -> Result<Vec<LogRecord>, StoreError> {
    const WHAT: &str = "reading the log";
    let failed = |error: JsValue| from_js(WHAT, &error);
    #[allow(clippy::cast_precision_loss, reason = "IndexedDB's own keys end at 2^53")]
    let after = JsValue::from(after.0 as f64);
    let range = IdbKeyRange::lower_bound_with_open(&after, true).map_err(failed)?;
    let keys = log.get_all_keys_with_key(&range).map_err(failed)?;
    let values = log.get_all_with_key(&range).map_err(failed)?;
    let keys: Array = answer(&keys, WHAT).await?.unchecked_into();
    let values: Array = answer(&values, WHAT).await?.unchecked_into();
    let records = keys.iter().zip(values.iter()).map(|(key, value)| {
        let position = position_of(&key)?;
        // What is no bytes was not written by this software. As an empty record it fails the
        // codec's check, and so is reported with its position like any other damage.
        let bytes = value.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).unwrap_or_default();
        Ok(LogRecord { position, bytes })
    });
    records.collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
fn position_of(key: &JsValue) -> Result<LogPosition, StoreError> {
    match key.as_f64() {
        Some(number) if number >= 1.0 && number.fract() == 0.0 => Ok(LogPosition(number as u64)),
        Some(_) | None => {
            let message = format!("the log holds a record under the key {key:?}");
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        }
    }
}

/// Asks once; a browser that has agreed is not asked again, and one that declines evicts only when
/// its disk is full.
async fn ask_to_persist() {
    let Some(storage) = scope::storage() else { return };
    let Ok(persisted) = storage.persisted() else { return };
    let persisted = wasm_bindgen_futures::JsFuture::from(persisted).await;
    if persisted.is_ok_and(|persisted| persisted.is_truthy()) {
        return;
    }
    if let Ok(asked) = storage.persist() {
        // Either answer is fine.
        let _ = wasm_bindgen_futures::JsFuture::from(asked).await;
    }
}
