//! The transport in a real browser, over a network that the test plays.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use espressync_browser::{AppSync, Link};
use espressync_client::{LinkEvent, Transport};
use espressync_model::remote::{Answer, RemoteError, RemoteErrorKind, Request};
use espressync_model::{Field, Key, Model, ModelId, Scalar, Schema};
use espressync_wire::Auth;
use espressync_wire::document::Document;
use futures::StreamExt;
use serde_json::{Value as Json, json};
use support::network::{Fetch, Sockets};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const ENDPOINT: &str = "https://till.example/graphql";

fn schema() -> Schema {
    let product = Model::new("Product", "Products")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("price", Scalar::Float));
    Schema::new(vec![product])
}

fn appsync(key: &str) -> AppSync {
    let auth = Auth::ApiKey(key.into());
    AppSync::new(schema(), ENDPOINT, auth).with_timeout(Duration::from_millis(300))
}

fn get() -> Request {
    Request::Get(ModelId(0), Key::from("p1"))
}

async fn check_failed(answer: &str, kind: RemoteErrorKind, message: &str) {
    let _fetch = Fetch::answering(answer);
    let error = appsync("da2-key").send(get()).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (kind, message), "{answer}");
}

#[wasm_bindgen_test]
async fn a_request_is_asked_as_amplify_asks_it() {
    let fetch = Fetch::answering("return Response.json({ data: { getProduct: null } });");
    let appsync = appsync("da2-key");
    assert_eq!(appsync.send(get()).await.unwrap(), Answer::Get(None));
    appsync.set_auth(Auth::Token("jwt".into()));
    appsync.send(get()).await.unwrap();
    let body: Json = serde_json::from_str(&Document::of(&schema(), &get()).body()).unwrap();
    let asked = |name: &str, secret: &str| {
        json!({
            "url": ENDPOINT,
            "method": "POST",
            "cache": "no-store",
            "headers": { "content-type": "application/json; charset=UTF-8", name: secret },
            "body": body,
        })
    };
    let expected = json!([asked("x-api-key", "da2-key"), asked("authorization", "jwt")]);
    assert_eq!(fetch.asked(), expected);
}

#[wasm_bindgen_test]
async fn a_record_is_read() {
    let record = r#"{ id: "p1", price: 2.5, _version: 3, _lastChangedAt: 9, _deleted: null }"#;
    let _fetch =
        Fetch::answering(&format!("return Response.json({{ data: {{ getProduct: {record} }} }});"));
    let Answer::Get(Some(record)) = appsync("da2-key").send(get()).await.unwrap() else {
        panic!("no record");
    };
    assert_eq!(record.row.values(), ["p1".into(), 2.5.into()]);
    assert_eq!(record.meta.version, 3);
}

#[wasm_bindgen_test]
async fn what_fails_says_how() {
    use RemoteErrorKind::{Malformed, Offline, Throttled, Unauthenticated, Unavailable};
    let fetch = "throw new TypeError('Failed to fetch');";
    check_failed(fetch, Offline, "TypeError: Failed to fetch").await;
    let fetch = "return new Response('busy', { status: 503 });";
    check_failed(fetch, Unavailable, "HTTP 503").await;
    let fetch = "return new Response('', { status: 400,
        headers: { 'x-amzn-errortype': 'ThrottlingException' } });";
    check_failed(fetch, Throttled, "HTTP 400").await;
    let fetch = "return Response.json({ message: 'no' }, { status: 401 });";
    check_failed(fetch, Unauthenticated, "HTTP 401: no").await;
    let fetch = "return new Response('<html>');";
    let message = "the answer is not JSON: expected value at line 1 column 1";
    check_failed(fetch, Malformed, message).await;
    let fetch = "return new Response(new ReadableStream({
        pull(stream) { stream.error(new TypeError('connection reset')); } }));";
    check_failed(fetch, Offline, "TypeError: Failed to fetch").await;
}

#[wasm_bindgen_test]
async fn a_silent_server_is_given_up_and_the_request_aborted() {
    let fetch = Fetch::answering("await new Promise(() => {});");
    let error = appsync("da2-key").send(get()).await.unwrap_err();
    assert_eq!(error.kind, RemoteErrorKind::Offline);
    assert_eq!(error.message, format!("{ENDPOINT} has not answered within 0.3 s"));
    assert_eq!(fetch.aborted(), 1);
}

#[wasm_bindgen_test]
async fn half_an_answer_is_given_up_too() {
    let script = "return new Response(new ReadableStream({
        start(stream) { stream.enqueue(new TextEncoder().encode('{')); } }));";
    let _fetch = Fetch::answering(script);
    let error = appsync("da2-key").send(get()).await.unwrap_err();
    assert_eq!(error.kind, RemoteErrorKind::Offline);
}

#[wasm_bindgen_test]
async fn a_key_that_no_header_may_hold_is_not_sent() {
    let fetch = Fetch::answering("return Response.json({});");
    for key in ["da2\nkey", "schlüssel"] {
        let error = appsync(key).send(get()).await.unwrap_err();
        assert_eq!(error.kind, RemoteErrorKind::Unauthenticated);
        let message = "the value for x-api-key holds characters that no header may";
        assert_eq!(error.message, message);
    }
    assert_eq!(fetch.asked(), json!([]));
}

fn start_acks() -> [Json; 3] {
    ["onCreateProduct", "onUpdateProduct", "onDeleteProduct"]
        .map(|id| json!({ "type": "start_ack", "id": id }))
}

fn ack() -> Json {
    json!({ "type": "connection_ack", "payload": { "connectionTimeoutMs": 300_000 } })
}

/// A link whose subscriptions stand.
async fn ready(sockets: &Sockets) -> Link {
    let mut link = appsync("da2-key").connect();
    assert!(futures::poll!(link.next()).is_pending());
    sockets.open();
    assert!(futures::poll!(link.next()).is_pending());
    sockets.say(&ack());
    assert!(futures::poll!(link.next()).is_pending());
    for start_ack in start_acks() {
        sockets.say(&start_ack);
    }
    assert_eq!(link.next().await, Some(LinkEvent::Ready));
    link
}

#[wasm_bindgen_test]
async fn a_link_subscribes_and_tells_what_changes() {
    let sockets = Sockets::new();
    let mut link = ready(&sockets).await;
    assert_eq!(sockets.url(), "wss://till.example/graphql/realtime");
    let header = Auth::ApiKey("da2-key".into()).realtime_header("till.example");
    let protocols = espressync_wire::realtime::offered_protocols(&header);
    assert_eq!(sockets.protocols(), protocols);
    let types: Vec<Json> = sockets.sent().iter().map(|sent| sent["type"].clone()).collect();
    assert_eq!(types, ["connection_init", "start", "start", "start"]);

    let record = json!({ "id": "p1", "price": 3, "_version": 2, "_lastChangedAt": 5 });
    let data = json!({ "data": { "onUpdateProduct": record } });
    sockets.say(&json!({ "id": "onUpdateProduct", "type": "data", "payload": data }));
    sockets.say(&json!({ "type": "ka" }));
    let Some(LinkEvent::Change(change)) = link.next().await else { panic!("no change") };
    assert_eq!(change.record.row.values(), ["p1".into(), 3.0.into()]);
    assert_eq!(link.next().await, Some(LinkEvent::Alive));
    assert!(!sockets.is_closed());
    drop(link);
    assert!(sockets.is_closed());
}

#[wasm_bindgen_test]
async fn an_unreadable_change_is_a_missed_one() {
    let sockets = Sockets::new();
    let mut link = ready(&sockets).await;
    let data = json!({ "data": { "onUpdateProduct": { "id": "p1" } } });
    sockets.say(&json!({ "id": "onUpdateProduct", "type": "data", "payload": data }));
    assert_eq!(link.next().await, Some(LinkEvent::Missed(ModelId(0))));
}

#[wasm_bindgen_test]
async fn a_refused_subscription_is_told_and_keeps_nothing_else_back() {
    let sockets = Sockets::new();
    let mut link = appsync("da2-key").connect();
    assert!(futures::poll!(link.next()).is_pending());
    sockets.open();
    assert!(futures::poll!(link.next()).is_pending());
    sockets.say(&ack());
    let errors = json!([{ "errorType": "Unauthorized", "message": "not yours" }]);
    let [created, _, deleted] = start_acks();
    sockets.say(&created);
    sockets
        .say(&json!({ "type": "error", "id": "onUpdateProduct", "payload": { "errors": errors } }));
    sockets.say(&deleted);
    let error = RemoteError::new(RemoteErrorKind::Unauthorized, "Unauthorized: not yours");
    assert_eq!(link.next().await, Some(LinkEvent::Refused(ModelId(0), error)));
    assert_eq!(link.next().await, Some(LinkEvent::Ready));
}

async fn check_closed(mut link: Link, kind: RemoteErrorKind, message: &str) {
    let closed = LinkEvent::Closed(RemoteError::new(kind, message));
    assert_eq!(link.next().await, Some(closed));
    assert_eq!(link.next().await, None);
}

#[wasm_bindgen_test]
async fn a_link_ends_with_the_reason() {
    let sockets = Sockets::new();
    let link = ready(&sockets).await;
    sockets.hang_up("restart");
    check_closed(link, RemoteErrorKind::Offline, "closed by the server (1012) restart").await;

    let link = appsync("da2-key").connect();
    sockets.fail();
    check_closed(link, RemoteErrorKind::Offline, "the realtime connection is lost").await;

    let link = appsync("da2-key").connect();
    sockets.open();
    let errors = json!([{ "errorType": "UnauthorizedException", "errorCode": 401 }]);
    sockets.say(&json!({ "type": "connection_error", "payload": { "errors": errors } }));
    check_closed(link, RemoteErrorKind::Unauthenticated, "UnauthorizedException").await;
    assert!(sockets.is_closed());
}

#[wasm_bindgen_test]
async fn a_link_that_is_not_ready_in_time_is_given_up() {
    let message = "the server has not taken the subscriptions in time";
    let sockets = Sockets::new();
    check_closed(appsync("da2-key").connect(), RemoteErrorKind::Offline, message).await;
    assert!(sockets.is_closed());

    let mut link = appsync("da2-key").connect();
    sockets.open();
    assert!(futures::poll!(link.next()).is_pending());
    sockets.say(&ack());
    check_closed(link, RemoteErrorKind::Offline, message).await;
}

#[wasm_bindgen_test]
async fn nobody_listens_where_the_browser_finds_no_server() {
    let endpoint = "http://127.0.0.1:9/graphql";
    let appsync = AppSync::new(schema(), endpoint, Auth::ApiKey("da2-key".into()));
    assert_eq!(appsync.send(get()).await.unwrap_err().kind, RemoteErrorKind::Offline);
    check_closed(appsync.connect(), RemoteErrorKind::Offline, "the realtime connection is lost")
        .await;
}
