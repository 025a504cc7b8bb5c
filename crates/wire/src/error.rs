//! The errors a server answers with, in AppSync's form (contract 3.4, 4.4).

use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_model::{ModelId, Schema};
use serde_json::{Value as Json, json};

use crate::classify::NETWORK_ERROR;
use crate::json::record_to_json;

/// The type under which AppSync clients know an error.
#[must_use]
pub fn error_type(kind: RemoteErrorKind) -> &'static str {
    match kind {
        RemoteErrorKind::Throttled => "ThrottlingException",
        RemoteErrorKind::Unauthenticated => "UnauthorizedException",
        RemoteErrorKind::Unauthorized => "Unauthorized",
        RemoteErrorKind::Conflict => "ConflictUnhandled",
        RemoteErrorKind::ConflictHandler => "ConflictError",
        RemoteErrorKind::MaxConflicts => "MaxConflicts",
        RemoteErrorKind::ConditionFailed => "ConditionalCheckFailedException",
        RemoteErrorKind::Invalid => "ValidationError",
        _ => "InternalFailure",
    }
}

/// An entry of `errors` for a field. `path` begins with the field's response key; `location` is
/// its line and column in the document; `data` is the stored record as the field's selection
/// shows it (see [`stored_to_json`]), which a `ConflictUnhandled` must have.
///
/// Of what passes by itself the message is exactly `Network Error`, because an `aws-amplify`
/// client gives a mutation up on any other (contract 6.4); the words for people are in
/// `errorInfo`.
#[must_use]
pub fn envelope(
    error: &RemoteError,
    path: &[&str],
    location: Option<(usize, usize)>,
    data: &Json,
) -> Json {
    let (message, info) = if error.is_retryable() {
        (NETWORK_ERROR, Json::from(error.message.as_str()))
    } else {
        (error.message.as_str(), Json::Null)
    };
    let locations: Vec<Json> = (location.into_iter())
        .map(|(line, column)| json!({ "line": line, "column": column, "sourceName": null }))
        .collect();
    json!({
        "path": path,
        "data": data,
        "errorType": error_type(error.kind),
        "errorInfo": info,
        "locations": locations,
        "message": message,
    })
}

/// An entry of `errors` for a document or variables that were refused as a whole.
#[must_use]
pub fn request_error(message: &str) -> Json {
    json!({
        "path": null,
        "data": null,
        "errorType": error_type(RemoteErrorKind::Invalid),
        "errorInfo": null,
        "locations": null,
        "message": message,
    })
}

/// The record that an error shows, whole; null when it shows none.
#[must_use]
pub fn stored_to_json(schema: &Schema, model: ModelId, error: &RemoteError) -> Json {
    error.stored.as_ref().map_or(Json::Null, |stored| record_to_json(schema, model, stored))
}

/// The body of an answer with an HTTP status that is no success: 401 for bad credentials, 413 for
/// a body that is too large. The type also belongs into the header
/// [`ERROR_TYPE_HEADER`](crate::answer::ERROR_TYPE_HEADER).
#[must_use]
pub fn http_body(error: &RemoteError) -> Json {
    json!({ "errors": [{ "errorType": error_type(error.kind), "message": error.message }] })
}

/// The answer's `extensions`, by which our client learns which sync fields (by response key) were
/// read from the whole table although changes since a moment were asked for.
#[must_use]
pub fn base_extension(fields: &[String]) -> Json {
    json!({ "espressync": { "base": fields } })
}
