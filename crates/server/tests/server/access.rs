//! Who may do what, through every door: each kind of rule with each operation, for whom it allows
//! and for whom it does not, by a rule that names the operation and by one that names all others.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request as HttpRequest;
use espressync_resolver::Caller;
use espressync_server::Request;
use espressync_server::app::app;
use espressync_wire::Auth;
use serde_json::{Map, Value as Json, json};
use tower::ServiceExt;

use crate::realtime::{Socket, listen};
use crate::support::{KEY, Server, json_of};
use crate::tokens::{seconds, server, token};

const OPERATIONS: [&str; 7] = ["create", "update", "delete", "get", "list", "sync", "listen"];

/// Somebody, and what in a record names them.
#[derive(Clone)]
struct Person {
    auth: Auth,
    marks: Json,
}

/// A kind of rule, with whom it allows, if that is anybody, and whom it does not.
struct Kind {
    rule: &'static str,
    right: Option<Person>,
    wrong: Vec<Person>,
}

fn holder() -> Person {
    Person { auth: Auth::ApiKey(KEY.to_owned()), marks: json!({}) }
}

fn person(name: &str, claims: Json, marks: Json) -> Person {
    let mut all = json!({ "sub": format!("s-{name}"), "username": name, "exp": seconds(600) });
    for (claim, value) in claims.as_object().into_iter().flatten() {
        all[claim] = value.clone();
    }
    Person { auth: Auth::Token(token(&all)), marks }
}

/// A kind by which Alice is named and Bob as well, each in records of their own.
fn naming(rule: &'static str, of: impl Fn(&str) -> Person) -> Kind {
    Kind { rule, right: Some(of("alice")), wrong: vec![of("bob"), holder()] }
}

fn kinds() -> Vec<Kind> {
    let plain = |name: &str| person(name, json!({}), json!({}));
    let in_group = |claim: &'static str, group: &str, marks: Json| {
        person("member", json!({ claim: [group] }), marks)
    };
    let nobody = |rule| Kind { rule, right: None, wrong: vec![plain("bob"), holder()] };
    let group_of = |name: &str| if name == "alice" { "admins" } else { "guests" };
    vec![
        Kind { rule: "allow: public", right: Some(holder()), wrong: vec![plain("bob")] },
        Kind { rule: "allow: private", right: Some(plain("alice")), wrong: vec![holder()] },
        naming("allow: owner", |name| {
            person(name, json!({}), json!({ "owner": format!("s-{name}::{name}") }))
        }),
        naming("allow: owner", |name| {
            person(name, json!({}), json!({ "owner": format!("s-{name}") }))
        }),
        naming("allow: owner", |name| {
            let claims = json!({ "username": null, "cognito:username": name });
            person(name, claims, json!({ "owner": name }))
        }),
        naming(r#"allow: owner, ownerField: "owners""#, |name| {
            person(name, json!({}), json!({ "owners": ["carol", format!("s-{name}::{name}")] }))
        }),
        naming(r#"allow: owner, identityClaim: "email""#, |name| {
            let email = format!("{name}@till.example");
            person(name, json!({ "email": email }), json!({ "owner": email }))
        }),
        Kind {
            rule: r#"allow: groups, groups: ["owners", "admins"]"#,
            right: Some(in_group("cognito:groups", "admins", json!({}))),
            wrong: vec![in_group("cognito:groups", "guests", json!({})), plain("bob"), holder()],
        },
        Kind {
            rule: r#"allow: groups, groups: ["admins"], groupClaim: "roles""#,
            right: Some(in_group("roles", "admins", json!({}))),
            wrong: vec![in_group("cognito:groups", "admins", json!({})), holder()],
        },
        naming(r#"allow: groups, groupsField: "group""#, |name| {
            let group = group_of(name);
            in_group("cognito:groups", group, json!({ "group": group }))
        }),
        naming(r#"allow: groups, groupsField: "teams""#, |name| {
            let group = group_of(name);
            in_group("cognito:groups", group, json!({ "teams": ["staff", group] }))
        }),
        nobody("allow: private, provider: oidc"),
        nobody("allow: owner, provider: oidc"),
        nobody("allow: public, provider: iam"),
        nobody("allow: custom"),
    ]
}

const FIELDS: &str = "id: ID! title: String owner: String owners: [String] group: String \
                      teams: [String]";

/// A schema where for each operation one model's rule allows it alone, and another's all others;
/// with relations that lead there, and fields with rules.
fn schema(rule: &str) -> String {
    const OPEN: &str = "@auth(rules: [{ allow: public }, { allow: private }])";
    let mut text = String::new();
    for operation in OPERATIONS {
        let others = OPERATIONS.into_iter().filter(|other| *other != operation);
        let others: Vec<&str> = others.collect();
        for (name, operations) in [("Only", operation.to_owned()), ("Not", others.join(" "))] {
            let model = model(name, operation);
            text += &format!(
                "type {model} @model @auth(rules: [{{ {rule}, operations: [{operations}] }}]) {{ \
                 {FIELDS} boxId: ID @index(name: \"by{model}Box\", queryField: \"boxOf{model}\") \
                 }}\n"
            );
        }
    }
    let children = ["OnlyList", "NotList"].map(|model| {
        let field = format!("{}{}", model[..1].to_lowercase(), &model[1..]);
        format!("{field}: [{model}] @hasMany(indexName: \"by{model}Box\", fields: [\"id\"]) ")
    });
    let parents = ["OnlyGet", "NotGet"].map(|model| {
        let field = format!("{}{}", model[..1].to_lowercase(), &model[1..]);
        format!("{field}Id: ID {field}: {model} @hasOne(fields: [\"{field}Id\"]) ")
    });
    let found = ["OnlyKey", "NotKey"].map(|model| {
        let field = format!("{}{}", model[..1].to_lowercase(), &model[1..]);
        format!("{field}: {model} @hasOne(references: [\"boxId\"]) ")
    });
    text += &format!(
        "type Box @model {OPEN} {{ id: ID! {}{}{} }}\n",
        children.concat(),
        parents.concat(),
        found.concat()
    );
    for (model, operations) in [("OnlyKey", "create update read"), ("NotKey", "delete")] {
        text += &format!(
            "type {model} @model {OPEN} {{ {FIELDS} boxId: ID \
             @auth(rules: [{{ {rule}, operations: [{operations}] }}]) \
             box: Box @belongsTo(references: [\"boxId\"]) }}\n"
        );
    }
    for (model, operations) in [("OnlyField", "create update read"), ("NotField", "delete")] {
        text += &format!(
            "type {model} @model {OPEN} {{ {FIELDS} secret: String \
             @auth(rules: [{{ {rule}, operations: [{operations}] }}]) }}\n"
        );
    }
    text
}

fn model(name: &str, operation: &str) -> String {
    format!("{name}{}{}", operation[..1].to_uppercase(), &operation[1..])
}

/// A server under test, and what was counted.
struct Matrix {
    server: Server,
    cells: usize,
    allowed: usize,
}

impl Matrix {
    async fn by_operator(&self, query: &str, variables: Json) -> Json {
        let variables = variables.as_object().cloned().unwrap_or_default();
        let request = Request { query: query.to_owned(), variables, ..Request::default() };
        let reply = self.server.state.api.execute(Arc::new(Caller::Operator), request).await;
        assert!(reply.body.get("errors").is_none(), "{query}: {}", reply.body);
        reply.body["data"].clone()
    }

    async fn ask(&self, person: &Person, query: &str, variables: Json) -> Json {
        let (name, secret) = person.auth.http_header();
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = HttpRequest::post("/graphql").header(name, secret);
        let request = request.body(Body::from(body)).expect("a request");
        let app = app(Arc::clone(&self.server.state));
        json_of(app.oneshot(request).await.expect("routers do not fail")).await
    }

    async fn put(&self, model: &str, id: &str, marks: &Json, more: Json) {
        let query = format!(
            "mutation m($input: Create{model}Input!) {{ create{model}(input: $input) {{ id }} }}"
        );
        self.by_operator(&query, json!({ "input": merged(&[&json!({ "id": id }), marks, &more]) }))
            .await;
    }

    async fn stored(&self, model: &str, id: &str) -> Json {
        let query = format!("{{ get{model}(id: \"{id}\") {{ id title _version _deleted }} }}");
        self.by_operator(&query, json!({})).await[format!("get{model}")].clone()
    }

    fn count(&mut self, what: &str, is_allowed: bool, expected: bool) {
        assert_eq!(is_allowed, expected, "{what}");
        self.cells += 1;
        self.allowed += usize::from(expected);
    }

    /// Writes of one model. What is refused leaves the record as it was, says so in AppSync's
    /// words, and says no more.
    async fn write(&self, operation: &str, model: &str, marks: &Json, person: &Person) -> bool {
        let id = format!("w{}", self.cells);
        let own = json!({ "id": id, "title": "new" });
        let input = match operation {
            "create" => merged(&[&own, marks]),
            "update" => merged(&[&own, &json!({ "_version": 1 })]),
            "undelete" => json!({ "id": id, "_version": 2 }),
            _ => json!({ "id": id, "_version": 1 }),
        };
        if operation != "create" {
            self.put(model, &id, marks, json!({ "title": "old" })).await;
        }
        if operation == "undelete" {
            let query = format!(
                "mutation m {{ delete{model}(input: {{ id: \"{id}\", _version: 1 }}) {{ id }} }}"
            );
            self.by_operator(&query, json!({})).await;
        }
        let before = self.stored(model, &id).await;
        let (name, of) = (format!("{operation}{model}"), model_input(operation, model));
        let query = format!("mutation m($i: {of}!) {{ {name}(input: $i) {{ id title }} }}");
        let answer = self.ask(person, &query, json!({ "i": input })).await;
        let is_allowed = answer["errors"].is_null();
        if !is_allowed {
            let error = &answer["errors"][0];
            assert_eq!(error["errorType"], "Unauthorized", "{answer}");
            let message = format!("Not Authorized to access {name} on type Mutation");
            assert_eq!(error["message"], message.as_str());
            assert_eq!(error["data"], Json::Null);
            assert_eq!(self.stored(model, &id).await, before);
        } else {
            assert_eq!(answer["data"][&name]["id"], id.as_str(), "{answer}");
            assert_ne!(self.stored(model, &id).await, before);
        }
        is_allowed
    }

    /// Whether somebody reads a record, by whatever way; what they do not read is nowhere in the
    /// answer.
    async fn reads(&self, person: &Person, query: &str) -> bool {
        let answer = self.ask(person, query, json!({})).await;
        let shows = answer.to_string().contains("latte macchiato");
        let is_refused = answer["errors"].as_array().into_iter().flatten();
        for error in is_refused {
            assert_eq!(error["errorType"], "Unauthorized", "{answer}");
        }
        shows
    }

    /// Whether somebody hears of a change to a record that names `right`. That they do not is
    /// known once they hear of a later one that names them.
    async fn hears(&self, model: &str, right: &Json, person: &Person) -> bool {
        let ids = ["right", "theirs"].map(|whose| format!("{whose}{}", self.cells));
        for (id, marks) in ids.iter().zip([right, &person.marks]) {
            self.put(model, id, marks, json!({ "title": id })).await;
        }
        let mut socket = Socket::open_as(listen(&self.server).await, &person.auth).await;
        let query = format!("subscription s {{ onUpdate{model} {{ id title }} }}");
        let data = json!({ "query": query, "variables": {} }).to_string();
        let authorization = person.auth.realtime_header("till.example");
        let payload = json!({ "data": data, "extensions": { "authorization": authorization } });
        socket.say(json!({ "id": "s", "payload": payload, "type": "start" })).await;
        let answer = socket.hear().await;
        if answer["type"] == "error" {
            assert_eq!(answer["payload"]["errors"][0]["errorType"], "Unauthorized", "{answer}");
            let message = format!("Not Authorized to access onUpdate{model} on type Subscription");
            assert_eq!(answer["payload"]["errors"][0]["message"], message.as_str());
            return false;
        }
        assert_eq!(answer["type"], "start_ack", "{answer}");
        for id in &ids {
            let name = format!("update{model}");
            let query = format!(
                "mutation m {{ {name}(input: {{ id: \"{id}\", title: \"latte\", _version: 1 }}) \
                 {{ id }} }}"
            );
            self.by_operator(&query, json!({})).await;
        }
        let event = socket.hear().await;
        event["payload"]["data"][format!("onUpdate{model}")]["id"] == ids[0].as_str()
    }

    /// Whether somebody reaches the record through relations of a record that is open to all.
    async fn reaches(&self, person: &Person, relation: &str) -> bool {
        let below = if relation.ends_with("List") { "items { title }" } else { "title" };
        let query = format!("{{ getBox(id: \"b\") {{ id {relation} {{ {below} }} }} }}");
        let answer = self.ask(person, &query, json!({})).await;
        assert_eq!(answer["data"]["getBox"]["id"], "b", "the rest does not fail: {answer}");
        answer.to_string().contains("latte macchiato")
    }

    /// The records that are read.
    async fn prepare(&self, marks: &Json) {
        let title = json!({ "title": "latte macchiato", "boxId": "b" });
        for operation in ["Get", "List", "Sync"] {
            for name in ["Only", "Not"] {
                self.put(&format!("{name}{operation}"), "r", marks, title.clone()).await;
            }
        }
        self.put("Box", "b", &json!({}), json!({ "onlyGetId": "r", "notGetId": "r" })).await;
        for model in ["OnlyKey", "NotKey"] {
            self.put(model, "r", marks, title.clone()).await;
        }
        let secret = json!({ "title": "open to all", "secret": "latte macchiato" });
        for model in ["OnlyField", "NotField"] {
            self.put(model, "r", marks, secret.clone()).await;
        }
    }

    async fn people(&mut self, kind: &Kind) {
        let right = kind.right.as_ref();
        let marks = right.map_or(json!({}), |right| right.marks.clone());
        self.prepare(&marks).await;
        let everybody = kind.wrong.iter().map(|person| (person, false));
        let everybody: Vec<_> =
            right.map(|right| (right, true)).into_iter().chain(everybody).collect();
        for (person, is_right) in everybody {
            for name in ["Only", "Not"] {
                let expected = is_right && name == "Only";
                self.operations(kind.rule, name, &marks, (person, expected)).await;
                self.relations_and_fields(kind.rule, name, (person, expected)).await;
            }
        }
    }

    async fn operations(
        &mut self,
        rule: &str,
        name: &str,
        marks: &Json,
        (person, expected): (&Person, bool),
    ) {
        for operation in OPERATIONS {
            let model = model(name, operation);
            let plural = format!("{model}s");
            let is_allowed = match operation {
                "get" => {
                    self.reads(person, &format!("{{ get{model}(id: \"r\") {{ title }} }}")).await
                }
                "list" | "sync" => {
                    let query = format!("{{ {operation}{plural} {{ items {{ title }} }} }}");
                    self.reads(person, &query).await
                }
                "listen" => self.hears(&model, marks, person).await,
                _ => self.write(operation, &model, marks, person).await,
            };
            self.count(&format!("{rule}: {operation} of {model}"), is_allowed, expected);
            let (what, is_allowed) = match operation {
                "delete" => ("undelete", self.write("undelete", &model, marks, person).await),
                "list" => {
                    let query = format!("{{ boxOf{model}(boxId: \"b\") {{ items {{ title }} }} }}");
                    ("index query", self.reads(person, &query).await)
                }
                _ => continue,
            };
            self.count(&format!("{rule}: {what} of {model}"), is_allowed, expected);
        }
    }

    async fn relations_and_fields(
        &mut self,
        rule: &str,
        name: &str,
        (person, expected): (&Person, bool),
    ) {
        let lower = name.to_lowercase();
        for relation in ["List", "Get", "Key"].map(|what| format!("{lower}{what}")) {
            let is_allowed = self.reaches(person, &relation).await;
            self.count(&format!("{rule}: relation {relation}"), is_allowed, expected);
        }
        let model = format!("{name}Field");
        let query = format!("{{ get{model}(id: \"r\") {{ id title secret }} }}");
        let answer = self.ask(person, &query, json!({})).await;
        let shown = &answer["data"][format!("get{model}")];
        assert_eq!(shown["title"], "open to all", "{answer}");
        let message = format!("Not Authorized to access secret on type {model}");
        match shown["secret"].is_null() {
            true => assert_eq!(answer["errors"][0]["message"], message.as_str()),
            false => assert!(answer["errors"].is_null()),
        }
        self.count(&format!("{rule}: read of a field"), !shown["secret"].is_null(), expected);
        let filtered = format!(
            "{{ list{model}s(filter: {{ secret: {{ eq: \"latte macchiato\" }} }}) {{ items {{ title }} }} }}"
        );
        let answer = self.ask(person, &filtered, json!({})).await;
        let found = answer["data"][format!("list{model}s")]["items"].as_array().map_or(0, Vec::len);
        self.count(&format!("{rule}: filter by a field"), found == 1, expected);
        for (what, arguments) in [
            ("write of a field", "input: { id: \"r\", secret: \"latte macchiato\" }"),
            (
                "condition on a field",
                "input: { id: \"r\" } condition: { secret: { eq: \"latte macchiato\" } }",
            ),
        ] {
            let query = format!("mutation m {{ update{model}({arguments}) {{ id }} }}");
            let answer = self.ask(person, &query, json!({})).await;
            self.count(&format!("{rule}: {what}"), answer["errors"].is_null(), expected);
        }
    }
}

fn model_input(operation: &str, model: &str) -> String {
    format!("{}{}{model}Input", operation[..1].to_uppercase(), &operation[1..])
}

fn merged(parts: &[&Json]) -> Json {
    let members = parts.iter().filter_map(|part| part.as_object()).flatten();
    Json::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

#[tokio::test]
async fn every_kind_of_rule_with_every_operation() {
    let (mut cells, mut allowed) = (0, 0);
    for kind in kinds() {
        let server = server(&schema(kind.rule));
        let mut matrix = Matrix { server, cells: 0, allowed: 0 };
        matrix.people(&kind).await;
        (cells, allowed) = (cells + matrix.cells, allowed + matrix.allowed);
    }
    println!("{cells} cells: {allowed} allowed, {} denied", cells - allowed);
    assert!(allowed > 100 && cells > 5 * allowed, "{cells} {allowed}");
}
