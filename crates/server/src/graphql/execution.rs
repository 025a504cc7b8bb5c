use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use espressync_model::ModelId;
use espressync_model::remote::RemoteError;
use espressync_resolver::{Caller, SyncSource};
use espressync_wire::error::base_extension;
use serde_json::{Map, Value as Json, json};

use super::access::Hiding;
use super::errors::invalid;
use super::{Api, Kind, Tally};

/// One request while it is carried out, with the errors that its fields have met so far.
pub(super) struct Execution<'a> {
    pub(super) api: &'a Api,
    /// Who asks.
    pub(super) caller: Arc<Caller>,
    pub(super) hiding: Hiding,
    errors: Mutex<Vec<Json>>,
    base: Mutex<Vec<String>>,
    base_pages: AtomicU64,
    delta_pages: AtomicU64,
    /// How many records have been read for the answer.
    read: AtomicUsize,
}

impl<'a> Execution<'a> {
    pub(super) fn new(api: &'a Api, caller: Arc<Caller>, hiding: Hiding) -> Self {
        Self {
            api,
            caller,
            hiding,
            errors: Mutex::default(),
            base: Mutex::default(),
            base_pages: AtomicU64::new(0),
            delta_pages: AtomicU64::new(0),
            read: AtomicUsize::new(0),
        }
    }

    pub(super) fn model(&self, id: ModelId) -> &'a espressync_model::Model {
        self.api.models().model(id)
    }

    /// Notes an error of some field, beside which the others are answered.
    pub(super) fn fail(&self, error: Json) {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }

    /// Notes that a sync field was read from the whole table although changes were asked for.
    pub(super) fn read_base(&self, key: &str) {
        self.base.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
    }

    /// Notes what a page of a sync query is read from.
    pub(super) fn read_page(&self, source: SyncSource) {
        let pages = match source {
            SyncSource::Base => &self.base_pages,
            SyncSource::Delta(_) => &self.delta_pages,
        };
        pages.fetch_add(1, Ordering::Relaxed);
    }

    /// What has been done.
    pub(super) fn tally(&self, kind: Kind) -> Tally {
        let pages = |pages: &AtomicU64| pages.load(Ordering::Relaxed);
        let (base_pages, delta_pages) = (pages(&self.base_pages), pages(&self.delta_pages));
        Tally { kind, base_pages, delta_pages }
    }

    /// Counts records that were read for the answer.
    ///
    /// # Errors
    /// They are more than one answer may be made of.
    pub(super) fn count(&self, records: usize) -> Result<(), RemoteError> {
        let before = self.read.fetch_add(records, Ordering::Relaxed);
        let most = self.api.limits.records;
        if before.saturating_add(records) > most {
            return Err(invalid(format!(
                "the answer would be made of more than {most} records; ask for shorter pages"
            )));
        }
        Ok(())
    }

    /// The whole answer.
    pub(super) fn finish(self, data: Json) -> Json {
        let mut body = Map::new();
        body.insert("data".to_owned(), data);
        let errors = self.errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !errors.is_empty() {
            body.insert("errors".to_owned(), json!(errors));
        }
        let base = self.base.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !base.is_empty() {
            body.insert("extensions".to_owned(), base_extension(&base));
        }
        Json::Object(body)
    }
}
