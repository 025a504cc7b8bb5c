//! Sessions from `tests/golden/sessions.json`: what the server says, what the client does.

use std::rc::Rc;

use espressync_model::remote::Operation;
use espressync_model::{Field, FieldId, Model, ModelId, Scalar, Schema};
use espressync_wire::Auth;
use espressync_wire::document::Document;
use espressync_wire::realtime::{
    ClientFrame, ClientSession, Event, FrameError, Output, ServerFrame,
};
use serde_json::{Map, Value as Json, json};

use crate::golden;

fn schema() -> Rc<Schema> {
    let order = Model::new("Order", "Orders")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("total", Scalar::Float).required());
    Rc::new(Schema::new(vec![order]))
}

/// What is said to the session, by name; `{}` opens the socket.
fn scripts() -> [(&'static str, Vec<Json>); 5] {
    let ack = || json!({ "type": "connection_ack", "payload": { "connectionTimeoutMs": 9_000 } });
    let start_ack = |id: &str| json!({ "type": "start_ack", "id": id });
    let error = |id: &str, errors: Json| {
        let payload = json!({ "errors": errors });
        json!({ "type": "error", "id": id, "payload": payload })
    };
    let data = |id: &str, data: Json| json!({ "id": id, "type": "data", "payload": data });
    let order = json!({ "id": "o1", "total": 3, "_version": 1, "_lastChangedAt": 5 });
    let changes = vec![
        json!({}),
        ack(),
        json!({ "type": "ka" }),
        start_ack("onCreateOrder"),
        data("onCreateOrder", json!({ "data": { "onCreateOrder": order } })),
        start_ack("onUpdateOrder"),
        start_ack("onUpdateOrder"),
        start_ack("onDeleteOrder"),
        json!({ "type": "news" }),
        data("onNothing", json!({})),
        data("onUpdateOrder", json!({ "data": { "onUpdateOrder": { "id": "o1" } } })),
        data("onUpdateOrder", json!({ "data": null, "errors": [{ "message": "too large" }] })),
        json!({ "type": "complete", "id": "onUpdateOrder" }),
    ];
    let refused = vec![
        json!({}),
        ack(),
        start_ack("onCreateOrder"),
        error("onUpdateOrder", json!([{ "errorType": "Unauthorized", "message": "no" }])),
        error(
            "onDeleteOrder",
            json!({ "errorType": "MaxSubscriptionsReachedError", "message": "Max number of 100" }),
        ),
    ];
    let expired = vec![
        json!({}),
        ack(),
        error("onUpdateOrder", json!([{ "errorType": "UnauthorizedException", "message": "old" }])),
    ];
    let wrong_key = vec![
        json!({}),
        json!({ "type": "connection_error", "payload": { "errors": [
            { "errorType": "UnauthorizedException", "errorCode": 401 },
        ] } }),
    ];
    [
        ("changes come", changes),
        ("some models may not be watched", refused),
        ("the token has expired", expired),
        ("the key is wrong", wrong_key),
        ("something else answers", vec![json!({}), json!("hello")]),
    ]
}

#[test]
fn sessions_go_as_written_down() {
    let mut found = Map::new();
    for (name, script) in scripts() {
        let auth = Auth::ApiKey("da2-key".into());
        let mut session = ClientSession::new(schema(), &auth, "till.example");
        let steps = script.into_iter().map(|said| {
            let outputs = if said == json!({}) {
                session.opened()
            } else {
                session.received(&said.to_string())
            };
            json!({ "said": said, "done": outputs.iter().map(describe).collect::<Vec<_>>() })
        });
        let steps: Vec<Json> = steps.collect();
        found.insert(name.to_owned(), Json::Array(steps));
    }
    golden::check("sessions", &Json::Object(found));
}

fn describe(output: &Output) -> Json {
    match output {
        Output::Send(text) => json!({ "send": serde_json::from_str::<Json>(text).unwrap() }),
        Output::Event(event) => json!({ "event": match event {
            Event::Ready => "ready".to_owned(),
            Event::Alive => "alive".to_owned(),
            Event::Change(change) => {
                let (id, version) = (change.record.row.get(FieldId(0)), change.record.meta.version);
                format!("{:?} of {id} v{version}", change.operation)
            }
            Event::Unreadable(model, said) => format!("unreadable in {}: {said}", model.0),
            Event::Refused(ModelId(model), operation, error) => {
                format!("{operation:?} of {model} refused: {:?}: {error}", error.kind)
            }
            Event::Failed(error) => format!("failed: {:?}: {error}", error.kind),
        } }),
    }
}

#[test]
fn a_session_knows_the_servers_timeout() {
    let mut session = ClientSession::new(schema(), &Auth::Token("jwt".into()), "till.example");
    assert_eq!(session.timeout_ms(), None);
    session.received(&ServerFrame::ConnectionAck { timeout_ms: 9_000 }.to_text());
    assert_eq!(session.timeout_ms(), Some(9_000));
    assert!(!session.is_ready());
    assert_eq!(session.protocols()[0], "graphql-ws");
}

#[test]
fn without_a_model_a_session_is_ready_at_once() {
    let (schema, auth) = (Schema::default(), Auth::Token("jwt".into()));
    let mut session = ClientSession::new(&schema, &auth, "till.example");
    let outputs = session.received(&ServerFrame::ConnectionAck { timeout_ms: 1 }.to_text());
    assert_eq!(outputs, [Output::Event(Event::Ready)]);
}

#[test]
fn frames_come_back_as_they_were() {
    let id = || "s1".to_owned();
    let errors = || {
        vec![FrameError { error_type: "BadRequest".into(), message: "x".into(), code: Some(400) }]
    };
    for frame in [
        ServerFrame::ConnectionAck { timeout_ms: 300_000 },
        ServerFrame::KeepAlive,
        ServerFrame::StartAck { id: id() },
        ServerFrame::Data { id: id(), payload: json!({ "data": { "onCreateOrder": null } }) },
        ServerFrame::Error { id: Some(id()), errors: errors() },
        ServerFrame::Error { id: None, errors: errors() },
        ServerFrame::Complete { id: id() },
        ServerFrame::ConnectionError { errors: errors() },
    ] {
        assert_eq!(ServerFrame::parse(&frame.to_text()).unwrap(), frame);
    }
    let document = Document::subscription(&schema(), ModelId(0), Operation::Create);
    let authorization = Auth::ApiKey("k".into()).realtime_header("h");
    for frame in [
        ClientFrame::ConnectionInit,
        ClientFrame::Start { id: id(), document, authorization },
        ClientFrame::Stop { id: id() },
    ] {
        assert_eq!(ClientFrame::parse(&frame.to_text()).unwrap(), frame);
    }
}

#[test]
fn bad_client_frames_are_named() {
    let check = |text: &str, expected: &str| {
        assert_eq!(ClientFrame::parse(text).unwrap_err().to_string(), expected);
    };
    check("{", "the realtime message is not JSON: EOF while parsing an object at line 1 column 1");
    check("[]", "the realtime message's type should be text, found null");
    check(r#"{"type":"news"}"#, "there is no realtime message of type `news`");
    check(r#"{"type":"stop"}"#, "stop.id should be text, found null");
    let place = "start.payload.data should be the text of a GraphQL request, found an object";
    check(r#"{"type":"start","id":"1","payload":{"data":{}}}"#, place);
    let place = "query in start.payload.data should be text, found null";
    check(r#"{"type":"start","id":"1","payload":{"data":"{}"}}"#, place);
    let place = "variables in start.payload.data should be an object, found 1";
    let data =
        r#"{"type":"start","id":"1","payload":{"data":"{\"query\":\"x\",\"variables\":1}"}}"#;
    check(data, place);
}

#[test]
fn printing_a_session_shows_no_secret() {
    for auth in [Auth::ApiKey("da2-secret".into()), Auth::Token("jwt-secret".into())] {
        let printed = format!("{:?}", ClientSession::new(schema(), &auth, "till.example"));
        assert!(!printed.contains("secret"), "{printed}");
    }
}
