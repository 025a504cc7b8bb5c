//! What follows from rules beyond yes and no: who owns what is made, what is hidden in an answer,
//! what a subscription may ask for, and tokens on sockets.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request as HttpRequest;
use espressync_model::Timestamp;
use espressync_server::app::app;
use espressync_wire::Auth;
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use crate::realtime::{Socket, listen};
use crate::support::{KEY, Server, json_of};
use crate::tokens::{seconds, server, token};

const NOTES: &str = r#"
type Note @model @auth(rules: [
  { allow: owner }
  { allow: owner, ownerField: "readers", operations: [read] }
  { allow: groups, groups: ["admins"] }
]) {
  id: ID!
  text: String
  owner: String
  readers: [String]
  boxId: ID @index(name: "byBox", queryField: "notesByBox")
  box: Box @belongsTo(fields: ["boxId"])
}
type Box @model @auth(rules: [{ allow: owner }, { allow: private, operations: [update] }]) {
  id: ID!
  name: String
  owner: String @auth(rules: [{ allow: owner, operations: [read] }])
  notes: [Note] @hasMany(indexName: "byBox", fields: ["id"])
}
"#;

pub(crate) fn user(name: &str) -> Auth {
    Auth::Token(token(&json!({ "sub": format!("s-{name}"), "username": name, "exp": seconds(60) })))
}

pub(crate) fn admin() -> Auth {
    let claims = json!({ "sub": "s-root", "username": "root", "cognito:groups": ["admins"] });
    let mut claims = claims;
    claims["exp"] = json!(seconds(60));
    Auth::Token(token(&claims))
}

pub(crate) async fn ask(server: &Server, auth: &Auth, query: &str) -> Json {
    let (name, secret) = auth.http_header();
    let body = json!({ "query": query }).to_string();
    let request = HttpRequest::post("/graphql").header(name, secret).body(Body::from(body));
    let answer = app(Arc::clone(&server.state)).oneshot(request.expect("a request")).await;
    json_of(answer.expect("routers do not fail")).await
}

/// Writes and says what came of it: the data, or the error's type.
pub(crate) async fn write(server: &Server, auth: &Auth, mutation: &str) -> Json {
    let answer = ask(server, auth, &format!("mutation m {{ it: {mutation} }}")).await;
    match answer["errors"].is_null() {
        true => answer["data"]["it"].clone(),
        false => answer["errors"][0]["errorType"].clone(),
    }
}

#[tokio::test]
async fn a_create_belongs_to_who_sends_it_and_to_nobody_else() {
    let server = server(NOTES);
    let alice = user("alice");
    let check = async |auth: &Auth, input: &str, expected: Json| {
        let mutation = format!("createNote(input: {{ {input} }}) {{ owner }}");
        assert_eq!(write(&server, auth, &mutation).await, expected, "{input}");
    };
    let unauthorized = || json!("Unauthorized");
    check(&alice, r#"id: "1""#, json!({ "owner": "s-alice::alice" })).await;
    check(&alice, r#"id: "1""#, json!({ "owner": "s-alice::alice" })).await;
    check(&alice, r#"id: "2", owner: "alice""#, json!({ "owner": "alice" })).await;
    check(&alice, r#"id: "3", owner: "s-alice""#, json!({ "owner": "s-alice" })).await;
    check(&alice, r#"id: "4", owner: "bob""#, unauthorized()).await;
    check(&alice, r#"id: "4", owner: null"#, unauthorized()).await;
    check(&alice, r#"id: "4", owner: "", readers: ["alice"]"#, unauthorized()).await;
    check(&Auth::ApiKey(KEY.to_owned()), r#"id: "4""#, unauthorized()).await;
    check(&admin(), r#"id: "4", owner: "bob""#, json!({ "owner": "bob" })).await;
    check(&admin(), r#"id: "5", owner: null"#, json!({ "owner": null })).await;
    check(&admin(), r#"id: "6""#, json!({ "owner": "s-root::root" })).await;
}

#[tokio::test]
async fn whoever_chooses_their_name_does_not_become_another() {
    let server = server(NOTES);
    let create = r#"createNote(input: { id: "1" }) { owner }"#;
    write(&server, &user("alice"), create).await;
    let claims = json!({ "sub": "s-eve", "username": "s-alice::alice", "exp": seconds(60) });
    let eve = Auth::Token(token(&claims));
    let answer = ask(&server, &eve, r#"{ getNote(id: "1") { owner } }"#).await;
    assert_eq!(answer["errors"][0]["errorType"], "Unauthorized", "{answer}");
}

#[tokio::test]
async fn an_owner_may_hand_over_unless_the_field_says_otherwise() {
    let server = server(NOTES);
    let (alice, bob) = (user("alice"), user("bob"));
    write(&server, &alice, r#"createNote(input: { id: "n" }) { id }"#).await;
    write(&server, &alice, r#"createBox(input: { id: "b" }) { id }"#).await;
    let missing = r#"updateNote(input: { id: "none", text: "x" }) { id }"#;
    assert_eq!(write(&server, &alice, missing).await, "Unauthorized");
    let take = r#"updateNote(input: { id: "n", owner: "bob", _version: 1 }) { owner }"#;
    assert_eq!(write(&server, &bob, take).await, "Unauthorized");
    let given = json!({ "owner": "bob" });
    assert_eq!(write(&server, &alice, take).await, given, "what was sent is shown");
    let back = r#"updateNote(input: { id: "n", owner: "alice", _version: 2 }) { owner }"#;
    assert_eq!(write(&server, &alice, back).await, "Unauthorized", "it is no longer hers");
    assert_eq!(write(&server, &bob, back).await, json!({ "owner": "alice" }));
    let box_owner = r#"updateBox(input: { id: "b", owner: "bob", _version: 1 }) { id }"#;
    assert_eq!(write(&server, &alice, box_owner).await, "Unauthorized");
    let name = r#"updateBox(input: { id: "b", name: "x", _version: 1 }) { id name owner }"#;
    let shown = json!({ "id": "b", "name": "x", "owner": null });
    assert_eq!(write(&server, &bob, name).await, shown, "of others no more than was sent");
}

#[tokio::test]
async fn refusals_tell_nothing_of_records_that_one_may_not_read() {
    let server = server(NOTES);
    let (alice, bob) = (user("alice"), user("bob"));
    let secret = r#"createNote(input: { id: "n", text: "secret" }) { id }"#;
    write(&server, &alice, secret).await;
    let again = r#"mutation m { createNote(input: { id: "n", text: "x" }) { id text owner } }"#;
    let answer = ask(&server, &bob, again).await;
    assert_eq!(answer["errors"][0]["errorType"], "ConditionalCheckFailedException");
    assert_eq!(answer["errors"][0]["data"], Json::Null, "{answer}");
    assert!(!answer.to_string().contains("secret"), "{answer}");
    let answer = ask(&server, &alice, again).await;
    assert_eq!(answer["errors"][0]["data"]["text"], "secret", "her own she may see");
    let same = r#"mutation m { createNote(input: { id: "n", text: "secret" }) { id owner } }"#;
    let answer = ask(&server, &bob, same).await;
    assert!(!answer.to_string().contains("s-alice"), "not the same create: {answer}");
}

#[tokio::test]
async fn pages_count_what_was_looked_at_and_show_what_may_be_seen() {
    let server = server(NOTES);
    let (alice, bob) = (user("alice"), user("bob"));
    for (id, auth) in [("1", &alice), ("2", &bob), ("3", &bob), ("4", &alice)] {
        let create = format!(r#"createNote(input: {{ id: "{id}", boxId: "b" }}) {{ id }}"#);
        assert_eq!(write(&server, auth, &create).await["id"], id);
    }
    for query in ["listNotes(", "syncNotes(", r#"notesByBox(boxId: "b" "#] {
        let name = query.split('(').next().unwrap();
        let (mut seen, mut lengths, mut token) = (Vec::new(), Vec::new(), "null".to_owned());
        loop {
            let page = format!(
                "{{ {query} limit: 2 nextToken: {token}) {{ items {{ id }} nextToken }} }}"
            );
            let answer = ask(&server, &alice, &page).await;
            assert!(answer["errors"].is_null(), "{answer}");
            let items = answer["data"][name]["items"].as_array().unwrap().clone();
            lengths.push(items.len());
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let said = answer["data"][name]["nextToken"].to_string();
            assert!(!said.contains("after") && !said.contains("base"), "it is sealed: {said}");
            match answer["data"][name]["nextToken"].as_str() {
                Some(next) => token = format!("{next:?}"),
                None => break,
            }
        }
        assert_eq!((seen, lengths), (vec!["1".to_owned(), "4".to_owned()], vec![1, 1]), "{query}");
    }
}

#[tokio::test]
async fn who_does_not_see_everything_cannot_make_up_tokens() {
    let server = server(NOTES);
    let alice = user("alice");
    for id in ["1", "2"] {
        let create = format!(r#"createNote(input: {{ id: "{id}" }}) {{ id }}"#);
        write(&server, &alice, &create).await;
    }
    let page =
        |token: &str| format!("{{ listNotes(limit: 1 nextToken: {token}) {{ nextToken }} }}");
    let first = ask(&server, &alice, &page("null")).await;
    let sealed = first["data"]["listNotes"]["nextToken"].clone();
    let server = server.restart(NOTES).await;
    let server = crate::tokens::with_tokens(server);
    let answer = ask(&server, &alice, &page(&sealed.to_string())).await;
    assert!(answer["errors"].is_null(), "it is good after a restart: {answer}");
    let other = format!("{{ syncNotes(limit: 1 nextToken: {sealed}) {{ nextToken }} }}");
    for refused in [page(r#""listNotes|after|key+|n||1""#), page(r#""""#), other] {
        let answer = ask(&server, &alice, &refused).await;
        assert_eq!(answer["errors"][0]["errorType"], "ValidationError", "{refused}: {answer}");
    }
}

#[tokio::test]
async fn a_delta_sync_shows_what_one_may_see() {
    let server = server(NOTES);
    let (alice, bob) = (user("alice"), user("bob"));
    server.time.set(2_000_000);
    for (id, auth) in [("1", &alice), ("2", &bob)] {
        let create = format!(r#"createNote(input: {{ id: "{id}" }}) {{ id }}"#);
        write(&server, auth, &create).await;
        let delete = format!(r#"deleteNote(input: {{ id: "{id}", _version: 1 }}) {{ id }}"#);
        write(&server, auth, &delete).await;
    }
    let Timestamp(since) = Timestamp(1_500_000);
    let query = format!("{{ syncNotes(lastSync: {since}) {{ items {{ id _deleted }} }} }}");
    let answer = ask(&server, &alice, &query).await;
    let expected = json!([{ "id": "1", "_deleted": null }, { "id": "1", "_deleted": true }]);
    assert_eq!(answer["data"]["syncNotes"]["items"], expected, "{answer}");
    let undelete = r#"undeleteNote(input: { id: "1", _version: 2 }) { id }"#;
    assert_eq!(write(&server, &bob, undelete).await, "Unauthorized");
    assert_eq!(write(&server, &alice, undelete).await, json!({ "id": "1" }));
}

#[tokio::test]
async fn a_hidden_parent_is_null_but_for_its_key() {
    let server = server(NOTES);
    let (alice, bob) = (user("alice"), user("bob"));
    write(&server, &bob, r#"createBox(input: { id: "b", name: "his" }) { id }"#).await;
    let create = "createNote(input: { id: \"n\", boxId: \"b\", readers: [\"bob\"] })";
    let shown = write(&server, &alice, &format!("{create} {{ box {{ id _deleted }} }}")).await;
    assert_eq!(shown, json!({ "box": { "id": "b", "_deleted": null } }));
    let get = |fields: &str| format!("{{ getNote(id: \"n\") {{ id box {{ {fields} }} }} }}");
    let answer = ask(&server, &alice, &get("id name")).await;
    assert_eq!(answer["data"]["getNote"], json!({ "id": "n", "box": null }));
    let answer = ask(&server, &bob, &get("id name")).await;
    assert_eq!(answer["data"]["getNote"]["box"], json!({ "id": "b", "name": "his" }));
    write(&server, &admin(), r#"createNote(input: { id: "o", boxId: "b", owner: "x" }) { id }"#)
        .await;
    let query = "{ getBox(id: \"b\") { id notes { items { id } } } }";
    let answer = ask(&server, &bob, query).await;
    assert_eq!(answer["data"]["getBox"]["notes"]["items"], json!([{ "id": "n" }]), "{answer}");
}

/// Sends a `start` with these credentials and returns what is answered.
async fn start(socket: &mut Socket, auth: Option<&Auth>, query: &str, variables: Json) -> Json {
    let data = json!({ "query": query, "variables": variables }).to_string();
    let authorization = auth.map_or_else(Default::default, |auth| auth.realtime_header("h"));
    let payload = json!({ "data": data, "extensions": { "authorization": authorization } });
    socket.say(json!({ "id": "s", "payload": payload, "type": "start" })).await;
    socket.hear().await
}

const BY_OWNER: &str =
    "subscription s($owner: String!) { onCreateNote(owner: $owner) { id owner } }";

#[tokio::test]
async fn a_subscription_may_name_its_own_owner_only() {
    let server = server(NOTES);
    let address = listen(&server).await;
    let alice = user("alice");
    let mut socket = Socket::open_as(address, &alice).await;
    let refused = start(&mut socket, Some(&alice), BY_OWNER, json!({ "owner": "bob" })).await;
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"]["errors"][0]["errorType"], "Unauthorized");
    for name in ["alice", "s-alice", "s-alice::alice"] {
        let started = start(&mut socket, Some(&alice), BY_OWNER, json!({ "owner": name })).await;
        assert_eq!(started, json!({ "type": "start_ack", "id": "s" }));
        for (auth, id) in [(user("bob"), format!("bob {name}")), (alice.clone(), name.to_owned())] {
            let create = format!(r#"createNote(input: {{ id: "{id}" }}) {{ id }}"#);
            assert_eq!(write(&server, &auth, &create).await["id"], id);
        }
        let event = socket.hear().await;
        assert_eq!(event["payload"]["data"]["onCreateNote"]["id"], name);
    }
    let mut socket = Socket::open_as(address, &admin()).await;
    start(&mut socket, Some(&admin()), BY_OWNER, json!({ "owner": "s-bob::bob" })).await;
    for (auth, id) in [(&alice, "hers"), (&user("bob"), "his")] {
        write(&server, auth, &format!(r#"createNote(input: {{ id: "{id}" }}) {{ id }}"#)).await;
    }
    assert_eq!(socket.hear().await["payload"]["data"]["onCreateNote"]["id"], "his");
}

#[tokio::test]
async fn tokens_open_sockets_in_three_ways_and_each_start_is_checked() {
    let server = server(NOTES);
    let address = listen(&server).await;
    let (alice, query) = (user("alice"), "subscription s { onCreateNote { id } }");
    let late = Auth::Token(token(&json!({ "sub": "s", "exp": seconds(-1) })));
    let expired = json!({ "errorType": "UnauthorizedException", "message": "Token has expired." });
    let refused = |frame: &Json, kind: &str| {
        assert_eq!(frame["type"], kind, "{frame}");
        let error = &frame["payload"]["errors"][0];
        assert_eq!(error["errorType"], expired["errorType"], "{frame}");
        assert_eq!(error["message"], expired["message"], "{frame}");
    };
    for way in 0..3 {
        let mut socket = Socket::greet(address, &late, way).await;
        let frame = socket.hear().await;
        refused(&frame, "connection_error");
        assert_eq!(frame["payload"]["errors"][0]["errorCode"], 401);
        let mut socket = Socket::greet(address, &alice, way).await;
        assert_eq!(socket.hear().await["type"], "connection_ack");
        assert_eq!(socket.hear().await["type"], "ka");
        assert_eq!(start(&mut socket, None, query, json!({})).await["type"], "start_ack");
        refused(&start(&mut socket, Some(&late), query, json!({})).await, "error");
        let again = start(&mut socket, Some(&alice), query, json!({})).await;
        assert_eq!(again["type"], "start_ack", "one refused start ends nothing else");
    }
    // A socket outlives the token that opened it, but what it starts later is checked anew.
    let claims = json!({ "sub": "s-alice", "exp": seconds(1) });
    let short = Auth::Token(token(&claims));
    let mut socket = Socket::open_as(address, &short).await;
    assert_eq!(start(&mut socket, None, query, json!({})).await["type"], "start_ack");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let frame = start(&mut socket, None, query, json!({})).await;
        if frame["type"] == "error" {
            refused(&frame, "error");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it never expires");
    }
    let create = r#"createNote(input: { id: "n", owner: "s-alice" }) { id }"#;
    write(&server, &alice, create).await;
    let event = socket.hear().await;
    assert_eq!(event["payload"]["data"]["onCreateNote"]["id"], "n", "the first still stands");
}

#[tokio::test]
async fn only_who_sees_a_child_learns_of_it_from_its_parent() {
    let server = server(
        "type Board @model @auth(rules: [{ allow: private }]) {
           id: ID!
           safe: Safe @hasOne(references: [\"boardId\"])
         }
         type Safe @model @auth(rules: [{ allow: groups, groups: [\"admins\"] }]) {
           id: ID!
           boardId: ID
           board: Board @belongsTo(references: [\"boardId\"])
         }",
    );
    write(&server, &admin(), "createBoard(input: { id: \"b\" }) { id }").await;
    write(&server, &admin(), "createSafe(input: { id: \"s\", boardId: \"b\" }) { id }").await;
    let query = "{ getBoard(id: \"b\") { safe { id } } }";
    let safe = async |auth: &Auth| ask(&server, auth, query).await["data"]["getBoard"].take();
    assert_eq!(safe(&admin()).await, json!({ "safe": { "id": "s" } }));
    assert_eq!(safe(&user("ben")).await, json!({ "safe": null }));
}

#[tokio::test]
async fn a_child_found_by_a_field_that_is_hidden_is_not_shown() {
    let server = server(
        "type Board @model @auth(rules: [{ allow: private }]) {
           id: ID!
           name: String
           safe: Safe @hasOne(references: [\"boardId\"])
         }
         type Safe @model @auth(rules: [{ allow: private }]) {
           id: ID!
           boardId: ID @auth(rules: [{ allow: groups, groups: [\"admins\"] }])
           board: Board @belongsTo(references: [\"boardId\"])
         }",
    );
    write(&server, &admin(), "createBoard(input: { id: \"b\" }) { id }").await;
    write(&server, &admin(), "createSafe(input: { id: \"s\", boardId: \"b\" }) { id }").await;
    let address = listen(&server).await;
    let query = "{ getBoard(id: \"b\") { safe { id } } }";
    let change = "subscription s { onUpdateBoard { name safe { id } } }";
    for (auth, safe, version) in [(admin(), json!({ "id": "s" }), 1), (user("ben"), json!(null), 2)]
    {
        let answer = ask(&server, &auth, query).await;
        assert_eq!(answer, json!({ "data": { "getBoard": { "safe": safe } } }));
        let mut socket = Socket::open_as(address, &auth).await;
        let started = start(&mut socket, Some(&auth), change, json!({})).await;
        assert_eq!(started["type"], "start_ack", "{started}");
        let update = format!(
            r#"updateBoard(input: {{ id: "b", name: "{version}", _version: {version} }}) {{ safe {{ id }} }}"#
        );
        assert_eq!(write(&server, &admin(), &update).await, json!({ "safe": { "id": "s" } }));
        let event = socket.hear().await;
        let expected =
            json!({ "data": { "onUpdateBoard": { "name": version.to_string(), "safe": safe } } });
        assert_eq!(event["payload"], expected);
    }
}
