//! The store's log in IndexedDB.
//!
//! One database per namespace and API, with the stores `log` (key: the position, value: the
//! record's bytes), `segments` (likewise) and `meta` (what people should
//! know of the database, see [`about`]). The auto-incremented key is the order of truth: a handle
//! that gets the key it expected has seen everything.
//!
//! A handle holds two connections to the database. The rule is: **what writes the log goes through
//! [`writer`], everything else through rexie.** rexie makes, upgrades, opens and deletes the
//! database, reads the log, and reads and writes `meta`. A write to the log needs two things that
//! rexie 0.6 does not give: a durability, and the reason why a transaction did not commit, by
//! which a full disk is told from a bug.

mod about;
mod error;
mod reader;
mod records;
mod writer;

use espressync_store::{
    Appended, Contents, Durability, Fold, Folded, LogPosition, LogRecord, SegmentId, Storage,
    StoreError,
};
use futures::future::join;

use crate::scope;
pub(crate) use error::from_js;
use reader::Reader;
use wasm_bindgen::JsValue;
use writer::Writer;
pub(crate) use writer::answer;

const LOG: &str = "log";
const SEGMENTS: &str = "segments";
const META: &str = "meta";

/// Version of the database's layout. What its records hold has versions of its own.
const VERSION: u32 = 1;

/// The name of the database of an app's data from one API.
#[must_use]
pub fn database_name(namespace: &str, endpoint: &str) -> String {
    format!("espressync/{namespace}/{}", scope::absolute(endpoint))
}

/// A log in IndexedDB. Dropping it closes the database.
#[derive(Debug)]
pub struct IndexedDb {
    reader: Reader,
    writer: Writer,
}

impl IndexedDb {
    /// Opens a database, or makes it, and asks the browser to keep this origin's data when disk
    /// space runs short.
    ///
    /// # Errors
    /// By kind: [`Unavailable`](espressync_store::StoreErrorKind::Unavailable) without IndexedDB,
    /// as in some private windows; [`Newer`](espressync_store::StoreErrorKind::Newer) for a
    /// database of a newer version, which is left as it is;
    /// [`Superseded`](espressync_store::StoreErrorKind::Superseded) when another program does not
    /// give way.
    pub async fn open(name: &str) -> Result<Self, StoreError> {
        let reader = Reader::open(name, VERSION, reader::PATIENCE).await?;
        let (writer, ()) = join(Writer::open(name), about::update(&reader, name)).await;
        wasm_bindgen_futures::spawn_local(ask_to_persist());
        Ok(Self { reader, writer: writer? })
    }

    /// Closes the database once its running transactions are done. What comes after fails with
    /// [`Closed`](espressync_store::StoreErrorKind::Closed).
    pub fn close(&self) {
        self.writer.close();
        self.reader.close();
    }

    /// What `meta` holds under a key.
    pub(crate) async fn note(&self, key: &str) -> Result<Option<JsValue>, StoreError> {
        self.reader.note(key).await
    }

    /// Writes something into `meta`.
    pub(crate) async fn set_note(&self, key: &str, value: &JsValue) -> Result<(), StoreError> {
        self.reader.set_note(key, value).await
    }

    /// Deletes a database with everything in it. Open handles to it, in every tab, give way.
    ///
    /// # Errors
    /// [`Unavailable`](espressync_store::StoreErrorKind::Unavailable) without IndexedDB,
    /// [`Superseded`](espressync_store::StoreErrorKind::Superseded) when another program holds it
    /// open.
    pub async fn delete(name: &str) -> Result<(), StoreError> {
        reader::delete(name, reader::PATIENCE).await
    }
}

impl Storage for IndexedDb {
    async fn load(&self) -> Result<Contents, StoreError> {
        self.writer.check()?;
        self.reader.contents().await
    }

    async fn load_after(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError> {
        // Of the two connections the writer's knows what became of the database.
        self.writer.check()?;
        self.reader.records_after(after).await
    }

    async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Appended, StoreError> {
        self.writer.append(last, bytes, durability).await
    }

    async fn replace(&self, last: LogPosition, bytes: &[u8]) -> Result<Appended, StoreError> {
        self.writer.replace(last, bytes).await
    }

    async fn stage(&self, segments: &[Vec<u8>]) -> Result<Vec<SegmentId>, StoreError> {
        self.writer.stage(segments).await
    }

    async fn fold(&self, fold: Fold<'_>) -> Result<Folded, StoreError> {
        self.writer.fold(fold).await
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
