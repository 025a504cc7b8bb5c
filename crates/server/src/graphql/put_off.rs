use async_graphql::Name;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, OperationDefinition, OperationType, Selection,
};
use espressync_model::remote::RemoteError;
use espressync_wire::error::envelope;
use serde_json::{Map, Value as Json, json};

use super::{Kind, Reply, Request, Tally};

impl Reply {
    /// The answer to a mutation that is not carried out now although nothing may be wrong with it:
    /// each of its fields is refused in the words on which an unmodified client keeps what it
    /// wanted to write (contract 6.4). `None` for a query, which any client asks again after an
    /// HTTP status that says so.
    ///
    /// What cannot be read is answered as a mutation is, because it might be one.
    #[must_use]
    pub fn put_off(request: &Request, error: &RemoteError) -> Option<Self> {
        let name = request.operation_name.as_deref();
        let document = parse_query(&request.query).ok();
        let operation = document.as_ref().and_then(|document| find(&document.operations, name));
        let fields = match operation {
            Some(operation) if operation.ty == OperationType::Mutation => keys(operation),
            Some(_) => return None,
            None => Vec::new(),
        };
        let refusal = |path: &[&str]| envelope(error, path, None, &Json::Null);
        let (data, errors) = match fields.is_empty() {
            true => (Json::Null, vec![refusal(&[])]),
            false => {
                let nulls = fields.iter().map(|key| (key.clone(), Json::Null));
                let errors = fields.iter().map(|key| refusal(&[key.as_str()])).collect();
                (Json::Object(nulls.collect::<Map<_, _>>()), errors)
            }
        };
        Some(Self {
            body: json!({ "data": data, "errors": errors }),
            operations: Vec::new(),
            tally: Tally { kind: Kind::Mutation, ..Tally::default() },
        })
    }
}

fn find<'a>(
    operations: &'a DocumentOperations,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match operations {
        DocumentOperations::Single(operation) => Some(&operation.node),
        DocumentOperations::Multiple(operations) => match name {
            Some(name) => operations.get(&Name::new(name)).map(|operation| &operation.node),
            None if operations.len() == 1 => operations.values().next().map(|one| &one.node),
            None => None,
        },
    }
}

/// The response keys of an operation's fields.
fn keys(operation: &OperationDefinition) -> Vec<String> {
    let selections = operation.selection_set.node.items.iter();
    let keys = selections.filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(field.node.response_key().node.to_string()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use espressync_model::remote::RemoteErrorKind;

    use super::*;

    fn put_off(query: &str, operation_name: Option<&str>) -> Option<Json> {
        let operation_name = operation_name.map(str::to_owned);
        let request = Request { query: query.to_owned(), operation_name, ..Request::default() };
        let error = RemoteError::new(RemoteErrorKind::Throttled, "later");
        Reply::put_off(&request, &error).map(|reply| reply.body)
    }

    #[test]
    fn a_mutation_is_refused_field_by_field_in_the_words_that_keep_it() {
        let body = put_off("mutation { a: createA(input: {}) { id } createB { id } }", None);
        let body = body.unwrap();
        assert_eq!(body["data"], json!({ "a": null, "createB": null }));
        for (error, key) in body["errors"].as_array().unwrap().iter().zip(["a", "createB"]) {
            assert_eq!(error["message"], "Network Error");
            assert_eq!(error["errorType"], "ThrottlingException");
            assert_eq!((&error["path"], &error["errorInfo"]), (&json!([key]), &json!("later")));
        }
    }

    #[test]
    fn what_is_no_query_for_certain_is_answered_like_a_mutation() {
        let check = |query: &str, name: Option<&str>, is_kept: bool| {
            let body = put_off(query, name);
            assert_eq!(body.is_some(), is_kept, "{query}");
            let message = body.map(|body| body["errors"][0]["message"].clone());
            assert_eq!(message, is_kept.then(|| json!("Network Error")), "{query}");
        };
        check("{ a }", None, false);
        check("query q { a }", None, false);
        check("subscription { a }", None, false);
        check("query q { a } mutation m { b }", Some("q"), false);
        check("query q { a } mutation m { b }", Some("m"), true);
        check("query q { a } mutation m { b }", None, true);
        check("mutation m { ...f } fragment f on Mutation { b }", None, true);
        check("mutation m { b", None, true);
        check("", None, true);
    }
}
