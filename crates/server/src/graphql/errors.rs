use async_graphql::ServerError;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_wire::WireError;
use espressync_wire::error::{envelope, request_error};
use serde_json::{Value as Json, json};

use super::document::Selected;
use super::path::Path;

/// An entry of `errors` for a root field.
pub(super) fn of_field(error: &RemoteError, field: &Selected, data: &Json) -> Json {
    envelope(error, &[&field.key], Some(field.at), data)
}

/// An entry of `errors` for something further down.
pub(super) fn at_path(error: &RemoteError, field: &Selected, path: &Path) -> Json {
    let mut json = envelope(error, &[], Some(field.at), &Json::Null);
    json["path"] = path.to_json();
    json
}

/// A value that is missing where the schema requires one, in AppSync's words: by them
/// `aws-amplify` knows that the record is at fault and not the request.
pub(super) fn null_value(of: &str, parent: &str, field: &Selected, path: &Path) -> Json {
    let (line, column) = field.at;
    json!({
        "path": path.to_json(),
        "data": null,
        "errorType": null,
        "errorInfo": null,
        "locations": [{ "line": line, "column": column, "sourceName": null }],
        "message": format!(
            "Cannot return null for non-nullable type: '{of}' within parent '{parent}'"
        ),
    })
}

/// A document that is no GraphQL.
pub(super) fn of_syntax(error: &ServerError) -> Json {
    let at = error.locations.first().copied().unwrap_or_default();
    // The parser draws a picture of the place; its last line says what it expected.
    let reason = error.message.lines().map(str::trim).rfind(|line| !line.is_empty());
    let reason = reason.unwrap_or_default().trim_start_matches("= ");
    let (line, column) = (at.line, at.column);
    let mut json =
        request_error(&format!("Invalid Syntax: line {line}, column {column}: {reason}"));
    json["locations"] = json!([{ "line": line, "column": column, "sourceName": null }]);
    json
}

/// Something that the server understood and will never accept.
pub(super) fn invalid(message: impl Into<String>) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Invalid, message)
}

/// An argument that does not fit the schema.
pub(super) fn bad_argument(error: &WireError) -> RemoteError {
    invalid(error.to_string())
}
