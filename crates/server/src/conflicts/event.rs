//! AppSync's Lambda event and its reply as JSON (contract 4.3).

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{Model, Provider, Record};
use espressync_resolver::{Caller, Claim, Identity, Resolution};
use espressync_wire::json::{
    DELETED, LAST_CHANGED_AT, VERSION, patch_from_json, patch_to_json, record_to_json,
};
use espressync_wire::names;
use serde_json::{Map, Value as Json, json};

use super::{Conflict, HandlerError};

/// What AppSync says of where its function runs; ours runs nowhere in particular.
const REGION: &str = "local";

/// The event. `newItem` is the record as it would be if the write had its way.
pub(super) fn event(conflict: &Conflict) -> Json {
    let Conflict { rules, caller, mutation, stored } = conflict;
    let (schema, id) = (rules.schema(), mutation.model);
    let model = schema.model(id);
    let mut wanted = stored.clone();
    wanted.row = wanted.row.with(&mutation.fields);
    wanted.meta.version = mutation.version;
    wanted.meta.deleted |= mutation.operation == Operation::Delete;
    json!({
        "newItem": record_to_json(schema, id, &wanted),
        "existingItem": record_to_json(schema, id, stored),
        "arguments": { "input": input(conflict, &record_to_json(schema, id, stored)) },
        "resolver": {
            "tableName": model.name,
            "awsRegion": REGION,
            "parentType": "Mutation",
            "field": field(conflict, model),
        },
        "identity": identity(caller),
    })
}

/// The mutation's input: its key, what it sets, the version it was made on.
fn input(conflict: &Conflict, stored: &Json) -> Json {
    let Conflict { rules, mutation, .. } = conflict;
    let model = rules.schema().model(mutation.model);
    let key = model.key.iter().map(|part| model.at(*part).name.clone());
    let mut input: Map<String, Json> =
        key.map(|name| (name.clone(), stored[&name].clone())).collect();
    input.extend(patch_to_json(rules.schema(), mutation.model, &mutation.fields));
    input.insert(VERSION.to_owned(), mutation.version.into());
    Json::Object(input)
}

/// The mutation's name in the API.
fn field(conflict: &Conflict, model: &Model) -> String {
    let Conflict { rules, mutation, .. } = conflict;
    let (usual, api) = (names::mutation(model, mutation.operation), rules.model(mutation.model));
    let offer = match mutation.operation {
        Operation::Update => &api.update,
        Operation::Delete => &api.delete,
        // These are never contested.
        Operation::Create | Operation::Undelete => return usual,
    };
    offer.name(usual.clone()).unwrap_or(usual)
}

/// Null for an API key, as with AppSync; else what the token says.
fn identity(caller: &Caller) -> Json {
    let Caller::Known(Identity { provider, claims }) = caller else { return Json::Null };
    if *provider == Provider::ApiKey {
        return Json::Null;
    }
    let claim = |claim: &Claim| match claim {
        Claim::One(text) => Json::from(text.as_str()),
        Claim::Several(texts) => Json::from(texts.clone()),
    };
    let claims: Map<String, Json> =
        claims.iter().map(|(name, value)| (name.clone(), claim(value))).collect();
    let one_of = |names: &[&str]| names.iter().find_map(|name| claims.get(*name)).cloned();
    json!({
        "sub": one_of(&["sub"]),
        "issuer": one_of(&["iss"]),
        "username": one_of(&["cognito:username", "username", "sub"]),
        "groups": one_of(&["cognito:groups"]),
        "claims": claims,
    })
}

/// Reads `{action, item}`. Of an item the key and the bookkeeping are ignored; a field that it does
/// not name stays as it is stored, for AppSync's documents do not say, and nothing is lost so.
pub(super) fn resolution(conflict: &Conflict, text: &str) -> Result<Resolution, HandlerError> {
    let reply: Json =
        serde_json::from_str(text).map_err(|error| bad(format!("no JSON: {error}")))?;
    match reply["action"].as_str() {
        Some("RESOLVE") => {
            let Some(item) = reply["item"].as_object() else {
                return Err(bad("RESOLVE comes with an `item`, an object of the record's fields"));
            };
            item_of(conflict, item.clone())
        }
        Some("REJECT") => Ok(Resolution::Reject),
        Some("REMOVE") => Ok(Resolution::Remove),
        _ => {
            let found = &reply["action"];
            Err(bad(format!("`action` should be RESOLVE, REJECT or REMOVE, found {found}")))
        }
    }
}

fn item_of(conflict: &Conflict, mut item: Map<String, Json>) -> Result<Resolution, HandlerError> {
    let Conflict { rules, mutation: Mutation { model, .. }, stored: Record { row, .. }, .. } =
        conflict;
    for name in [VERSION, LAST_CHANGED_AT, DELETED, "__typename"] {
        item.remove(name);
    }
    let patch = patch_from_json(rules.schema(), *model, &Json::Object(item));
    let mut patch = patch.map_err(|error| bad(error.to_string()))?;
    let definition = rules.schema().model(*model);
    // What the handler passes through unchanged is no change of its own.
    patch.retain(|field, value| !definition.key.contains(&field) && row.get(field) != value);
    Ok(Resolution::Resolve(patch))
}

fn bad(what: impl Into<String>) -> HandlerError {
    HandlerError::BadReply(what.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use espressync_model::{FieldId, Key, Meta, Predicate, Row, Timestamp, sdl};
    use espressync_resolver::{ConflictStrategy, Rules};

    use super::*;

    fn conflict(operation: Operation, caller: Caller) -> Conflict {
        let schema = sdl::parse(
            "type Post @model { id: ID! title: String! rating: Int tags: [String] }",
            "schema",
        );
        let sent = [(FieldId(0), "p".into()), (FieldId(1), "Mine".into())].into_iter();
        let fields = sent.filter(|_| operation != Operation::Delete).collect();
        let (schema, rating) = (schema.unwrap(), espressync_model::Value::from(4));
        let values = vec!["p".into(), "Theirs".into(), rating, vec!["x"].into()];
        let meta = Meta { version: 7, changed_at: Timestamp(50), deleted: false };
        Conflict {
            mutation: Mutation {
                model: schema.id_of("Post").unwrap(),
                key: Key::from("p"),
                operation,
                fields,
                version: 3,
                condition: Predicate::All,
                once: None,
            },
            rules: Arc::new(Rules::of(schema, ConflictStrategy::Handler)),
            caller: Arc::new(caller),
            stored: Record { row: Row::new(values), meta },
        }
    }

    #[test]
    fn the_event_is_appsyncs() {
        let event = event(&conflict(Operation::Update, Caller::with_api_key()));
        let of = |item: &Json, names: &[&str]| {
            Json::Array(names.iter().map(|name| item[name].clone()).collect())
        };
        let fields = ["id", "title", "rating", "tags", "_version", "_deleted"];
        let wanted = json!(["p", "Mine", 4, ["x"], 3, null]);
        assert_eq!(of(&event["newItem"], &fields), wanted);
        let existing = json!(["p", "Theirs", 4, ["x"], 7, null]);
        assert_eq!(of(&event["existingItem"], &fields), existing);
        assert_eq!(event["existingItem"]["_lastChangedAt"], 50);
        let input = json!({ "id": "p", "title": "Mine", "_version": 3 });
        assert_eq!(event["arguments"], json!({ "input": input }));
        let resolver = json!({
            "tableName": "Post", "awsRegion": "local", "parentType": "Mutation",
            "field": "updatePost"
        });
        assert_eq!((&event["resolver"], &event["identity"]), (&resolver, &Json::Null));
    }

    #[test]
    fn of_a_delete_and_by_whom() {
        let claims = [
            ("sub".to_owned(), Claim::One("u1".to_owned())),
            ("iss".to_owned(), Claim::One("https://issuer.example".to_owned())),
            ("cognito:groups".to_owned(), Claim::Several(vec!["staff".to_owned()])),
        ];
        let identity = Identity { provider: Provider::UserPools, claims: claims.into() };
        let event = event(&conflict(Operation::Delete, Caller::Known(identity)));
        assert_eq!(event["newItem"]["_deleted"], true);
        assert_eq!(event["arguments"]["input"], json!({ "id": "p", "_version": 3 }));
        assert_eq!(event["resolver"]["field"], "deletePost");
        let identity = &event["identity"];
        assert_eq!((&identity["sub"], &identity["username"]), (&json!("u1"), &json!("u1")));
        assert_eq!(identity["claims"]["cognito:groups"], json!(["staff"]));
    }

    fn check(reply: &str, expected: Result<Resolution, &str>) {
        let read = resolution(&conflict(Operation::Update, Caller::Operator), reply);
        match (read, expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{reply}"),
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{reply}: {error}");
            }
            (read, expected) => panic!("{reply}: {read:?}, not {expected:?}"),
        }
    }

    #[test]
    fn replies() {
        check("{\"action\":\"REJECT\"}", Ok(Resolution::Reject));
        check("{\"action\":\"REMOVE\"}", Ok(Resolution::Remove));
        let item = "{\"id\":\"q\",\"title\":\"Both\",\"rating\":4,\"tags\":null,\"_version\":9,
            \"_lastChangedAt\":1,\"_deleted\":true,\"__typename\":\"Post\"}";
        let patch = [(FieldId(1), "Both".into()), (FieldId(3), espressync_model::Value::Null)];
        let resolved = Resolution::Resolve(patch.into_iter().collect());
        check(&format!("{{\"action\":\"RESOLVE\",\"item\":{item}}}"), Ok(resolved));
        check("hello", Err("no JSON"));
        check("[]", Err("`action` should be RESOLVE, REJECT or REMOVE, found null"));
        check("{\"action\":\"DISCARD\"}", Err("found \"DISCARD\""));
        check("{\"action\":\"RESOLVE\"}", Err("RESOLVE comes with an `item`"));
        check("{\"action\":\"RESOLVE\",\"item\":{\"tilte\":1}}", Err("no field `tilte`"));
        check("{\"action\":\"RESOLVE\",\"item\":{\"title\":1}}", Err("Post.title"));
    }
}
