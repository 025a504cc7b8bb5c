use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{BaseType, Model, ModelId, Patch, Predicate, Row, Scalar, Schema, Value};
use espressync_resolver::Outcome;
use espressync_wire::json::patch_from_json;
use espressync_wire::names;
use serde_json::{Map, Value as Json, json};

use super::{CommandError, Verdict};
use crate::auth::API_KEY_HEADER;
use crate::cli::{Settings, Undelete};
use crate::clock::system_time;
use crate::serve::rules;
use crate::sqlite::{Change, OpenError, Snapshot};

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Brings a deleted record back with all that it held: in a database that no server has open, or
/// through the API of one that has.
///
/// # Errors
/// [`CommandError`]; nothing is changed then.
pub fn undelete(told: Undelete, out: &mut dyn Write) -> Result<Verdict, CommandError> {
    let config = told.files.settings(Settings::default())?.into_config();
    let rules = Arc::new(rules(&config)?);
    let schema = rules.schema();
    let id = schema.id_of(&told.model).map_err(|error| refused(&error))?;
    let model = schema.model(id);
    let input = input(model, &told.key)?;
    let what = format!("{} {}", model.name, told.key.join("/"));
    let version = match &told.endpoint {
        Some(endpoint) => through_api(model, input, endpoint, told.api_key.as_deref())?,
        None => {
            // Looked at first: a file that is not there is not to be made.
            drop(Snapshot::open(&config.data)?);
            let change = Change::begin(&config.data, Arc::clone(&rules), system_time());
            in_file(change.map_err(ask_the_server)?, schema, id, input)?
        }
    };
    match version {
        Some(version) => writeln!(out, "{what} is back, as version {version}")?,
        None => writeln!(out, "{what} is not deleted")?,
    }
    Ok(Verdict::Fine)
}

/// The key's fields, of the texts that were typed.
fn input(model: &Model, parts: &[String]) -> Result<Map<String, Json>, CommandError> {
    let names: Vec<&str> = model.key.iter().map(|part| model.at(*part).name.as_str()).collect();
    if parts.len() != names.len() {
        let (name, names) = (&model.name, names.join(" "));
        let message = format!("the key of {name} is {names}: give a value for each, in this order");
        return Err(CommandError::Refused(message));
    }
    let values = model.key.iter().zip(parts).map(|(field, text)| {
        let field = model.at(*field);
        let is_number = matches!(
            field.base,
            BaseType::Scalar(Scalar::Int | Scalar::Float | Scalar::AwsTimestamp)
        );
        let number = is_number.then(|| serde_json::from_str(text).ok()).flatten();
        (field.name.clone(), number.unwrap_or_else(|| Json::from(text.as_str())))
    });
    Ok(values.collect())
}

/// The version that the record has now; `None` if there was nothing to do.
fn in_file(
    change: Change,
    schema: &Schema,
    id: ModelId,
    input: Map<String, Json>,
) -> Result<Option<u64>, CommandError> {
    let model = schema.model(id);
    let fields = patch_from_json(schema, id, &Json::Object(input));
    let fields = fields.map_err(|error| refused(&error))?;
    let row = Row::new(vec![Value::Null; model.fields.len()]).with(&fields);
    let mutation = Mutation {
        model: id,
        key: model.key_of(&row).map_err(|error| refused(&error))?,
        operation: Operation::Undelete,
        fields: Patch::default(),
        version: 0,
        condition: Predicate::All,
        once: None,
    };
    let version = match change.mutate(&mutation)? {
        Outcome::Written(written) => Some(written.record.meta.version),
        Outcome::Unchanged(_) => None,
        Outcome::Refused(error) => return Err(refused(&error)),
        Outcome::Contested(_) => {
            let message = "its conflict handler is to decide: ask through the API, by --endpoint";
            return Err(CommandError::Refused(message.to_owned()));
        }
    };
    change.commit()?;
    Ok(version)
}

fn through_api(
    model: &Model,
    input: Map<String, Json>,
    endpoint: &str,
    api_key: Option<&str>,
) -> Result<Option<u64>, CommandError> {
    let name = names::mutation(model, Operation::Undelete);
    let of = names::input(model, Operation::Undelete);
    let query = format!("mutation m($i: {of}!) {{ {name}(input: $i) {{ _version }} }}");
    let body = json!({ "query": query, "variables": { "i": input } }).to_string();
    let unanswered = |error: ureq::Error| refused(&format!("{endpoint} does not answer: {error}"));
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .build()
        .new_agent();
    let request = agent.post(endpoint).header("content-type", "application/json");
    let request = request.header(API_KEY_HEADER, api_key.unwrap_or_default());
    let mut answer = request.send(body).map_err(unanswered)?;
    let text = answer.body_mut().read_to_string().map_err(unanswered)?;
    let answer: Json = serde_json::from_str(&text)
        .map_err(|_| refused(&format!("{endpoint} is no GraphQL API of espressync")))?;
    if let Some(version) = answer["data"][&name]["_version"].as_u64() {
        return Ok(Some(version));
    }
    let error = &answer["errors"][0];
    let words = ["errorInfo", "message"].map(|member| error[member].as_str());
    let words = words.into_iter().flatten().next().unwrap_or("it does not say why");
    Err(refused(&format!("the server refuses: {words}")))
}

fn ask_the_server(error: OpenError) -> CommandError {
    let OpenError::InUse { file } = error else { return error.into() };
    let file = file.display();
    let message =
        format!("{file} is in use: ask the server that has it, by --endpoint and --api-key");
    CommandError::Refused(message)
}

fn refused(reason: &dyn ToString) -> CommandError {
    CommandError::Refused(reason.to_string())
}
