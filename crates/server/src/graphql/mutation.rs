use std::sync::Arc;

use espressync_model::remote::{Mutation, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{FieldId, Key, Model, ModelId, Patch, Record, Scalar, Value};
use espressync_wire::document::once_of;
use espressync_wire::json::{patch_from_json, version_from_json};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Root;
use super::access::{Shown, unauthorized};
use super::document::Selected;
use super::errors::{bad_argument, invalid, of_field};
use super::execution::Execution;
use super::path::Path;
use crate::backend::{Accepted, Written};

/// What one field of a mutation request leads to.
enum Step {
    TypeName,
    /// It was refused before it reached the backend.
    Refused(RemoteError),
    /// The next of the backend's answers is its.
    Sent(Mutation),
}

impl Execution<'_> {
    /// Carries out a request's mutations together and in their order; each is answered by itself,
    /// and one that is refused does not stop the others.
    pub(super) async fn mutate(&self, fields: &[Selected]) -> Json {
        let mut mutations = Vec::new();
        let steps: Vec<Step> = fields
            .iter()
            .map(|field| match self.read(field) {
                None => Step::TypeName,
                Some(Err(error)) => Step::Refused(error),
                Some(Ok(mutation)) => {
                    mutations.push(mutation.clone());
                    Step::Sent(mutation)
                }
            })
            .collect();
        let mut written = match mutations.is_empty() {
            true => Vec::new(),
            false => self.api.backend.write(Arc::clone(&self.caller), mutations).await,
        }
        .into_iter();
        let mut data = Map::new();
        for (field, step) in fields.iter().zip(steps) {
            let answer = match step {
                Step::TypeName => Json::from("Mutation"),
                Step::Refused(error) => {
                    self.fail(of_field(&error, field, &Json::Null));
                    Json::Null
                }
                Step::Sent(mutation) => self.answer(field, &mutation, written.next()).await,
            };
            data.insert(field.key.clone(), answer);
        }
        Json::Object(data)
    }

    fn read(&self, field: &Selected) -> Option<Result<Mutation, RemoteError>> {
        match self.api.roots.get(&field.name) {
            Some(Root::Mutate(model, operation)) => {
                Some(self.read_mutation(field, *model, *operation))
            }
            _ => None,
        }
    }

    fn read_mutation(
        &self,
        field: &Selected,
        id: ModelId,
        operation: Operation,
    ) -> Result<Mutation, RemoteError> {
        let (models, model) = (self.api.models(), self.model(id));
        let input = field.argument("input");
        let mut fields =
            patch_from_json(models, id, input).map_err(|error| bad_argument(&error))?;
        let is_json = |text: &str| serde_json::from_str::<Json>(text).is_ok();
        let fits = |scalar, text: &str| scalar != Scalar::AwsJson || is_json(text);
        models.check_texts(model, &fields, fits).map_err(|error| bad_argument(&error.into()))?;
        let version = version_from_json(input).map_err(|error| bad_argument(&error))?;
        refuse_partial_keys(model, operation, &fields)?;
        let condition = self.api.filters.condition(id, field.argument("condition"))?;
        if operation == Operation::Create && model.has_managed_id() {
            let key = model.key[0];
            if fields.get(key).is_none_or(Value::is_null) {
                fields.set(key, Value::from(Uuid::new_v4().to_string()));
            }
        }
        let parts = model.key.iter().map(|part| fields.get(*part).unwrap_or(&Value::Null));
        let key = Key::of(parts).ok_or_else(|| {
            if let Some(reserved) = model.reserved_in_key(|part| fields.get(part)) {
                return bad_argument(&reserved.into());
            }
            let names: Vec<&str> =
                model.key.iter().map(|part| model.at(*part).name.as_str()).collect();
            invalid(format!("{} needs its key: {}", field.name, names.join(", ")))
        })?;
        let fields = match operation {
            Operation::Create | Operation::Update => fields,
            Operation::Delete | Operation::Undelete => Patch::default(),
        };
        let version = version.unwrap_or(0);
        let once = once_of(&field.key).filter(|_| operation == Operation::Update);
        Ok(Mutation { model: id, key, operation, fields, version, condition, once })
    }

    /// The answer to one mutation. A refusal shows the stored record through the same selection,
    /// which clients put into a model (contract 4.4).
    async fn answer(
        &self,
        field: &Selected,
        mutation: &Mutation,
        written: Option<Written>,
    ) -> Json {
        match written {
            Some(Ok(Accepted { record, is_new })) => {
                let shown = if is_new { Shown::Written } else { Shown::Kept };
                self.show(field, mutation, shown, record).await
            }
            Some(Err(mut error)) => {
                let data = match &error.stored {
                    Some(stored) => {
                        let stored = Record::clone(stored);
                        self.show(field, mutation, Shown::Refused, stored).await
                    }
                    None => Json::Null,
                };
                // A client settles a conflict by the stored record, which is not theirs to see.
                if error.kind == RemoteErrorKind::Conflict && data.is_null() {
                    error = unauthorized(&field.name, "Mutation");
                }
                self.fail(of_field(&error, field, &data));
                Json::Null
            }
            // The backend answers each mutation; if it did not, the client asks again.
            None => {
                let error = RemoteError::from(&crate::backend::BackendError::Panicked);
                self.fail(of_field(&error, field, &Json::Null));
                Json::Null
            }
        }
    }

    async fn show(
        &self,
        field: &Selected,
        mutation: &Mutation,
        shown: Shown,
        record: Record,
    ) -> Json {
        let placed = self.place_written(mutation, shown, record, Path::root(&field.key));
        let records = placed.into_iter().collect();
        self.records(mutation.model, records, &field.fields).await.pop().unwrap_or_default()
    }
}

/// Refuses a write of a part of what an index sorts by: AppSync stores it as one text (contract
/// 1.5). A create has the parts that the server fills in.
fn refuse_partial_keys(
    model: &Model,
    operation: Operation,
    fields: &Patch,
) -> Result<(), RemoteError> {
    let verb = match operation {
        Operation::Create => "creating",
        Operation::Update => "updating",
        Operation::Delete | Operation::Undelete => return Ok(()),
    };
    let is_given = |part: FieldId| {
        let is_default = operation == Operation::Create && model.at(part).default.is_some();
        is_default || fields.get(part).is_some()
    };
    for index in &model.indexes {
        let parts = index.fields.get(1..).unwrap_or_default();
        let missing = parts.iter().find(|part| !is_given(**part));
        if let (Some(missing), true) = (missing, parts.len() > 1)
            && parts.iter().any(|part| is_given(*part))
        {
            return Err(invalid(format!(
                "When {verb} any part of the composite sort key for @index '{}', you must provide \
                 all fields for the key. Missing key: '{}'.",
                index.name,
                model.at(*missing).name
            )));
        }
    }
    Ok(())
}
