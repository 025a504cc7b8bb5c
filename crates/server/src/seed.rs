use std::path::{Path, PathBuf};
use std::sync::Arc;

use espressync_model::remote::{Mutation, Operation, RemoteError};
use espressync_model::{Key, Predicate, Row, Schema, Timestamp, Value};
use espressync_resolver::{Caller, MemoryTables, Outcome, Rules, mutate};
use espressync_wire::WireError;
use espressync_wire::json::patch_from_json;
use serde_json::Value as Json;
use thiserror::Error;
use uuid::Uuid;

use crate::backend::Backend;

/// Why a database was not given its first records. None of them is stored then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no JSON.
    #[error("{file} is not JSON: {source}")]
    Json {
        /// The file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file is of another shape.
    #[error("{file} should hold lists of records by model, as in {{\"Product\": [{{..}}]}}")]
    Shape {
        /// The file.
        file: PathBuf,
    },
    /// A record does not fit the schema.
    #[error("{file}: {model} number {number}: {source}")]
    Record {
        /// The file.
        file: PathBuf,
        /// The record's model.
        model: String,
        /// Its place among the model's, from 1.
        number: usize,
        /// What does not fit.
        source: Box<WireError>,
    },
    /// A record was refused by the rules for writes, or could not be stored.
    #[error("{file}: {model} {key}: {source}")]
    Refused {
        /// The file.
        file: PathBuf,
        /// The record's model.
        model: String,
        /// Its key.
        key: Key,
        /// Why.
        source: Box<RemoteError>,
    },
}

/// Creates the records of a file of the form `{"Product": [{...}]}` by the same path as a
/// client's, all in one commit. Returns how many.
///
/// # Errors
/// [`SeedError`], naming the record at fault.
pub async fn seed(backend: &dyn Backend, rules: &Rules, file: &Path) -> Result<usize, SeedError> {
    let schema = rules.schema();
    let text = std::fs::read_to_string(file)
        .map_err(|source| SeedError::Io { file: file.to_owned(), source })?;
    let mutations = read(schema, file, &text)?;
    try_out(rules, file, &mutations)?;
    let (count, of_whom) = (mutations.len(), mutations.clone());
    let written = backend.write(Arc::new(Caller::Operator), mutations).await;
    for (mutation, answer) in of_whom.iter().zip(written) {
        answer.map_err(|source| refused(schema, file, mutation, source))?;
    }
    Ok(count)
}

/// Carries the mutations out in memory, so that one that will be refused is named before any is
/// stored.
fn try_out(rules: &Rules, file: &Path, mutations: &[Mutation]) -> Result<(), SeedError> {
    let mut tables = MemoryTables::default();
    for mutation in mutations {
        let Ok(outcome) = mutate(rules, &mut tables, &Caller::Operator, mutation, Timestamp::ZERO);
        // Nothing is contested in tables that were empty.
        if let Outcome::Refused(error) = outcome {
            return Err(refused(rules.schema(), file, mutation, error));
        }
    }
    Ok(())
}

fn refused(schema: &Schema, file: &Path, mutation: &Mutation, source: RemoteError) -> SeedError {
    SeedError::Refused {
        file: file.to_owned(),
        model: schema.model(mutation.model).name.clone(),
        key: mutation.key.clone(),
        source: Box::new(source),
    }
}

fn read(schema: &Schema, file: &Path, text: &str) -> Result<Vec<Mutation>, SeedError> {
    let shape = || SeedError::Shape { file: file.to_owned() };
    let json: Json = serde_json::from_str(text)
        .map_err(|source| SeedError::Json { file: file.to_owned(), source })?;
    let mut mutations = Vec::new();
    for (name, records) in json.as_object().ok_or_else(shape)? {
        let records = records.as_array().ok_or_else(shape)?;
        for (number, record) in (1..).zip(records) {
            let mutation = read_one(schema, name, record).map_err(|source| SeedError::Record {
                file: file.to_owned(),
                model: name.clone(),
                number,
                source: Box::new(source),
            })?;
            mutations.push(mutation);
        }
    }
    Ok(mutations)
}

fn read_one(schema: &Schema, name: &str, record: &Json) -> Result<Mutation, WireError> {
    let id = schema.id_of(name)?;
    let model = schema.model(id);
    let mut fields = patch_from_json(schema, id, record)?;
    if model.has_managed_id() && fields.get(model.key[0]).is_none() {
        fields.set(model.key[0], Value::from(Uuid::new_v4().to_string()));
    }
    let row = Row::new(vec![Value::Null; model.fields.len()]).with(&fields);
    Ok(Mutation {
        model: id,
        key: model.key_of(&row)?,
        operation: Operation::Create,
        fields,
        version: 0,
        condition: Predicate::All,
        once: None,
    })
}
