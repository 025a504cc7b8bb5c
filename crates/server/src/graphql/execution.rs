use std::sync::{Arc, Mutex, PoisonError};

use espressync_model::ModelId;
use espressync_resolver::Caller;
use espressync_wire::error::base_extension;
use serde_json::{Map, Value as Json, json};

use super::Api;
use super::access::Hiding;

/// One request while it is carried out, with the errors that its fields have met so far.
pub(super) struct Execution<'a> {
    pub(super) api: &'a Api,
    /// Who asks.
    pub(super) caller: Arc<Caller>,
    pub(super) hiding: Hiding,
    errors: Mutex<Vec<Json>>,
    base: Mutex<Vec<String>>,
}

impl<'a> Execution<'a> {
    pub(super) fn new(api: &'a Api, caller: Arc<Caller>, hiding: Hiding) -> Self {
        Self { api, caller, hiding, errors: Mutex::default(), base: Mutex::default() }
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
