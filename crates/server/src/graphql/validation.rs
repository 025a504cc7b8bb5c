use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Response, ServerError};
use espressync_wire::error::request_error;
use serde_json::{Value as Json, json};

use super::located::field_at;

/// Lets the library parse, check and introspect; whatever else a request asks for is executed by
/// us, for which the library would have to carry out each mutation by itself.
pub(super) struct OnlyIntrospection;

/// Whether a request asks about the schema; part of the request's data.
pub(super) struct Introspects(pub(super) bool);

impl ExtensionFactory for OnlyIntrospection {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for OnlyIntrospection {
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if matches!(context.data_opt(), Some(Introspects(true))) {
            return next.run(context, operation_name).await;
        }
        Response::default()
    }
}

/// The library's error as AppSync words it (contract 3.4). The wording matters: on some of it
/// `aws-amplify` decides what to do.
pub(super) fn to_json(error: &ServerError, document: Option<&ExecutableDocument>) -> Json {
    let message = &error.message;
    if let Some((field, of)) = quoted_after(message, "unknown field ", " of type ") {
        return request_error(&format!(
            "The variables input contains a field name '{field}' that is not defined for input \
             object type '{of}'"
        ));
    }
    if message.ends_with("is required but not provided")
        && let Some((field, of)) = quoted_after(message, "field ", " of type ")
    {
        return request_error(&null_variable(field, of));
    }
    let at = error.locations.first();
    let place = at.zip(document).and_then(|(at, document)| field_at(document, *at));
    let place = place.unwrap_or_default();
    let unknown_field = quoted_after(message, "Unknown field ", " on type ").map(|(field, of)| {
        format!(
            "Validation error of type FieldUndefined: Field '{field}' in type '{of}' is undefined \
             @ '{place}'"
        )
    });
    let unknown_argument = quoted_after(message, "Unknown argument ", " on field ");
    let unknown_argument = unknown_argument.map(|(argument, _)| {
        format!(
            "Validation error of type UnknownArgument: Unknown field argument {argument} @ \
             '{place}'"
        )
    });
    let message = unknown_field.or(unknown_argument).unwrap_or_else(|| message.clone());
    let mut json = request_error(&message);
    if !error.locations.is_empty() {
        let locations = error
            .locations
            .iter()
            .map(|at| json!({ "line": at.line, "column": at.column, "sourceName": null }));
        json["locations"] = locations.collect();
    }
    json
}

/// AppSync's words for a value that is missing where it may not be.
pub(super) fn null_variable(name: &str, of: &str) -> String {
    format!("Variable '{name}' has coerced Null value for NonNull type '{of}'")
}

/// The two names in `... <start>"x"<middle>"Y" ...`.
fn quoted_after<'a>(message: &'a str, start: &str, middle: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = message.split_once(&format!("{start}\""))?;
    let (first, rest) = rest.split_once(&format!("\"{middle}\""))?;
    let (second, _) = rest.split_once('"')?;
    Some((first, second))
}
