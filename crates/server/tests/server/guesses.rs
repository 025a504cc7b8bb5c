//! What may not be read cannot be guessed either: by creating what is there, by writing on an old
//! version, by a filter; and what no record can hold is refused by name.

use std::sync::Arc;

use espressync_resolver::{Caller, ConflictStrategy};
use espressync_server::Request;
use espressync_wire::Auth;
use serde_json::{Value as Json, json};

use crate::ownership::{admin, ask, user, write};
use crate::realtime::{Socket, listen};
use crate::support::Server;
use crate::tokens::{server, with_tokens};

const SCHEMA: &str = r#"
type Note @model @auth(rules: [
  { allow: owner, operations: [read, update, delete] }
  { allow: private, operations: [create] }
]) {
  id: ID!
  text: String
  owner: String
}
type Card @model @auth(rules: [{ allow: private }]) {
  id: ID!
  name: String
  pin: String @auth(rules: [
    { allow: private, operations: [create, update] }
    { allow: groups, groups: ["admins"] }
  ])
}
type Box @model @auth(rules: [
  { allow: owner }
  { allow: private, operations: [update, delete] }
]) {
  id: ID!
  name: String
  owner: String
}
type Seat @model @auth(rules: [{ allow: private }]) {
  row: ID! @primaryKey(sortKeyFields: ["place"])
  place: ID!
}
"#;

/// The type and the data of an answer's only error.
fn failure(answer: &Json) -> (&str, &Json) {
    let error = &answer["errors"][0];
    (error["errorType"].as_str().unwrap_or_else(|| panic!("{answer}")), &error["data"])
}

async fn mutate(server: &Server, auth: &Auth, mutation: &str) -> Json {
    ask(server, auth, &format!("mutation m {{ it: {mutation} }}")).await
}

#[tokio::test]
async fn a_create_of_what_is_there_tells_nothing_of_it() {
    let server = server(SCHEMA);
    let (anna, bob) = (user("anna"), user("bob"));
    let first =
        r#"createNote(input: { id: "n", text: "secret", owner: "anna" }) { text _version }"#;
    let made = json!({ "text": "secret", "_version": 1 });
    assert_eq!(write(&server, &anna, first).await, made);
    assert_eq!(write(&server, &anna, first).await, made, "sent again");
    let edit = r#"updateNote(input: { id: "n", text: "new", _version: 1 }) { text _version }"#;
    let edited = json!({ "text": "new", "_version": 2 });
    assert_eq!(write(&server, &anna, edit).await, edited);
    assert_eq!(write(&server, &anna, first).await, edited, "sent again after an edit");
    let second = first.replace("secret", "new");
    let refused = "ConditionalCheckFailedException";
    for mutation in [first, &second, r#"createNote(input: { id: "n" }) { id _version }"#] {
        let answer = mutate(&server, &bob, mutation).await;
        assert_eq!(failure(&answer), (refused, &Json::Null), "{mutation}");
    }
    let empty = r#"createNote(input: { id: "n" }) { id text }"#;
    let stored = json!({ "id": "n", "text": "new" });
    let answer = mutate(&server, &anna, empty).await;
    assert_eq!(failure(&answer), (refused, &stored), "another record of the same id");
}

#[tokio::test]
async fn a_create_of_what_is_there_tells_nothing_of_a_hidden_field() {
    let server = server(SCHEMA);
    let (anna, bob) = (user("anna"), user("bob"));
    let plain = r#"createCard(input: { id: "p", name: "x" }) { id pin }"#;
    let shown = json!({ "id": "p", "pin": null });
    for _ in 0..2 {
        assert_eq!(write(&server, &anna, plain).await, shown, "what is hidden is not compared");
    }
    let made = r#"createCard(input: { id: "c", name: "x", pin: "1234" }) { pin }"#;
    assert_eq!(write(&server, &anna, made).await, json!({ "pin": "1234" }));
    assert_eq!(write(&server, &admin(), made).await, json!({ "pin": "1234" }), "the same create");
    let stored = json!({ "id": "c", "pin": null });
    for guess in ["1234", "0000"] {
        let guess =
            format!(r#"createCard(input: {{ id: "c", name: "x", pin: "{guess}" }}) {{ id pin }}"#);
        let answer = mutate(&server, &bob, &guess).await;
        assert_eq!(failure(&answer), ("ConditionalCheckFailedException", &stored), "{guess}");
    }
}

#[tokio::test]
async fn only_what_was_written_is_shown_to_who_wrote_it() {
    let server = server(SCHEMA);
    let (anna, bob) = (user("anna"), user("bob"));
    let made = r#"createCard(input: { id: "c", name: "x", pin: "1" }) { pin }"#;
    write(&server, &anna, made).await;
    let update = |pin: &str, version: u64| {
        let input = format!(r#"id: "c", pin: "{pin}", _version: {version}"#);
        format!("updateCard(input: {{ {input} }}) {{ id pin _version }}")
    };
    let written = json!({ "id": "c", "pin": "2", "_version": 2 });
    assert_eq!(write(&server, &bob, &update("2", 1)).await, written);
    let kept = json!({ "id": "c", "pin": null, "_version": 2 });
    for (pin, version) in [("2", 1), ("3", 1), ("2", 2)] {
        assert_eq!(write(&server, &bob, &update(pin, version)).await, kept, "{pin} on {version}");
    }
    let stale = r#"deleteCard(input: { id: "c", _version: 1 }) { id name pin _version }"#;
    let stored = json!({ "id": "c", "name": "x", "pin": null, "_version": 2 });
    assert_eq!(failure(&mutate(&server, &bob, stale).await), ("ConflictUnhandled", &stored));
}

#[tokio::test]
async fn a_conflict_about_what_one_may_not_read_is_no_conflict() {
    let server = server(SCHEMA);
    let (anna, bob) = (user("anna"), user("bob"));
    write(&server, &anna, r#"createBox(input: { id: "b", name: "x" }) { id }"#).await;
    write(&server, &anna, r#"updateBox(input: { id: "b", name: "y", _version: 1 }) { id }"#).await;
    let stale = r#"deleteBox(input: { id: "b", _version: 1 }) { id name _version }"#;
    let answer = mutate(&server, &bob, stale).await;
    assert_eq!(failure(&answer), ("Unauthorized", &Json::Null));
    let message = "Not Authorized to access deleteBox on type Mutation";
    assert_eq!(answer["errors"][0]["message"], message);
    let stored = json!({ "id": "b", "name": "y", "_version": 2 });
    assert_eq!(failure(&mutate(&server, &anna, stale).await), ("ConflictUnhandled", &stored));
    let same = r#"updateBox(input: { id: "b", name: "y", _version: 2 }) { id name _version }"#;
    let kept = json!({ "id": "b", "name": null, "_version": 2 });
    assert_eq!(write(&server, &bob, same).await, kept, "nothing was written, so no more is shown");
}

#[tokio::test]
async fn a_stale_write_tells_nobody_that_they_have_guessed_right() {
    let server = with_tokens(Server::by(SCHEMA, ConflictStrategy::Optimistic));
    let (anna, bob) = (user("anna"), user("bob"));
    let made = r#"createCard(input: { id: "c", name: "x", pin: "1234" }) { id }"#;
    write(&server, &admin(), made).await;
    let edit = r#"updateCard(input: { id: "c", name: "y", _version: 1 }) { id }"#;
    write(&server, &admin(), edit).await;
    let guess = |pin: &str| {
        let input = format!(r#"id: "c", pin: "{pin}", _version: 1"#);
        format!("updateCard(input: {{ {input} }}) {{ id name pin _version }}")
    };
    let stored = json!({ "id": "c", "name": "y", "pin": null, "_version": 2 });
    for pin in ["1234", "0000"] {
        let answer = mutate(&server, &bob, &guess(pin)).await;
        assert_eq!(failure(&answer), ("ConflictUnhandled", &stored), "{pin}");
    }
    let kept = json!({ "id": "c", "name": "y", "pin": "1234", "_version": 2 });
    assert_eq!(write(&server, &admin(), &guess("1234")).await, kept, "who sees it may compare");
    let seen = r#"updateCard(input: { id: "c", name: "y", _version: 1 }) { name _version }"#;
    let kept = json!({ "name": "y", "_version": 2 });
    assert_eq!(write(&server, &bob, seen).await, kept, "a field that is seen may be compared");
    write(&server, &anna, r#"createBox(input: { id: "b", name: "x" }) { id }"#).await;
    write(&server, &anna, r#"updateBox(input: { id: "b", name: "y", _version: 1 }) { id }"#).await;
    for name in ["y", "z"] {
        let stale =
            format!(r#"updateBox(input: {{ id: "b", name: "{name}", _version: 1 }}) {{ id }}"#);
        let answer = mutate(&server, &bob, &stale).await;
        assert_eq!(failure(&answer), ("Unauthorized", &Json::Null), "{name}");
    }
}

#[tokio::test]
async fn a_subscription_does_not_filter_by_what_is_hidden() {
    let server = server(SCHEMA);
    let bob = user("bob");
    let mut socket = Socket::open_as(listen(&server).await, &bob).await;
    let filter = r#"{ or: [{ pin: { eq: "1234" } }, { name: { eq: "last" } }] }"#;
    let query = format!("subscription s {{ onCreateCard(filter: {filter}) {{ id }} }}");
    let data = json!({ "query": query, "variables": {} }).to_string();
    let authorization = bob.realtime_header("till.example");
    let payload = json!({ "data": data, "extensions": { "authorization": authorization } });
    socket.say(json!({ "id": "s", "payload": payload, "type": "start" })).await;
    let answer = socket.hear().await;
    assert_eq!(answer["type"], "start_ack", "{answer}");
    for (id, name) in [("a", "first"), ("b", "last")] {
        let input = format!(r#"{{ id: "{id}", name: "{name}", pin: "1234" }}"#);
        write(&server, &admin(), &format!("createCard(input: {input}) {{ id pin name }}")).await;
    }
    let event = socket.hear().await;
    assert_eq!(event["payload"]["data"]["onCreateCard"]["id"], "b", "{event}");
}

#[tokio::test]
async fn the_parts_of_a_key_cannot_run_into_each_other() {
    let server = server(SCHEMA);
    let anna = user("anna");
    let wrong = r#"createSeat(input: { row: "x\u001fy", place: "z" }) { row place }"#;
    let answer = mutate(&server, &anna, wrong).await;
    let message = answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(
        message,
        "Seat.row should be a key without the control character U+001F, found \"x\\u{1f}y\""
    );
    let get = r#"{ getSeat(row: "x", place: "y\u001fz") { row } }"#;
    assert_eq!(ask(&server, &anna, get).await["data"]["getSeat"], Json::Null);
}

#[tokio::test]
async fn whole_numbers_end_where_an_int_does() {
    let server = Server::new();
    let check = async |query: &str, variables: Json, expected: Option<&str>| {
        let variables = variables.as_object().cloned().unwrap_or_default();
        let request = Request { query: query.to_owned(), variables, ..Request::default() };
        let reply = server.state.api.execute(Arc::new(Caller::with_api_key()), request).await;
        let message = reply.body["errors"][0]["message"].as_str();
        match expected {
            None => assert_eq!(message, None, "{query}"),
            Some(expected) => {
                let message = message.unwrap_or_else(|| panic!("{query}: {}", reply.body));
                assert!(message.contains(expected), "{query}: {message}");
            }
        }
    };
    let list = "query q($l: Int) { listProducts(limit: $l) { items { id } } }";
    for wrong in [2_147_483_648_i64, -2_147_483_649, 99_999_999_999] {
        let message = format!(
            "Variable 'l' has an invalid value: Expected value to be in the Integer range but it \
             was a '{wrong}'"
        );
        check(list, json!({ "l": wrong }), Some(&message)).await;
        let message = format!("limit should be at least 1 and an Int, found {wrong}");
        let literal = format!("{{ listProducts(limit: {wrong}) {{ nextToken }} }}");
        check(&literal, json!({}), Some(&message)).await;
    }
    check(list, json!({ "l": 2_147_483_647 }), None).await;
    let sync = "query q($l: AWSTimestamp) { syncProducts(lastSync: $l) { items { id } } }";
    check(sync, json!({ "l": 99_999_999_999_i64 }), None).await;
    let update = "mutation m($v: Int) { updateProduct(input: { id: \"p\", _version: $v }) { id } }";
    let version = json!({ "v": 9_223_372_036_854_775_806_i64 });
    check(update, version, Some("Expected value to be in the Integer range")).await;
    for wrong in ["9223372036854775806", "2147483648", "-1"] {
        let message =
            format!("_version should be a whole number from 0 to 2147483647, found {wrong}");
        let input = format!(r#"{{ id: "p", _version: {wrong} }}"#);
        let update = format!("mutation m {{ updateProduct(input: {input}) {{ id }} }}");
        check(&update, json!({}), Some(&message)).await;
    }
}
