use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use espressync_resolver::{ConflictStrategy, Resolution};
use espressync_server::conflicts::{
    Conflict, ConflictHandler, Endpoints, HandlerError, HttpHandler,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

use crate::support::Server;

/// An endpoint that answers events by a function, and keeps them.
async fn endpoint(answer: impl Fn(&Json) -> Response + Send + Sync + 'static) -> (Handler, Events) {
    let events = Events::default();
    let (kept, answer) = (Arc::clone(&events), Arc::new(answer));
    let serve = move |body: String| {
        let event: Json = serde_json::from_str(&body).expect("an event");
        let response = answer(&event);
        kept.lock().expect("events").push(event);
        async { response }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let router = Router::new().route("/conflicts", post(serve));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let default = format!("http://{address}/conflicts").parse().ok();
    let endpoints = Endpoints { default, ..Endpoints::default() };
    (Arc::new(HttpHandler::new(endpoints)), events)
}

type Events = Arc<Mutex<Vec<Json>>>;

type Handler = Arc<dyn ConflictHandler>;

fn reply(json: Json) -> Response {
    json.to_string().into_response()
}

/// A server with a product at version 2, of price 2, and a late update of its name and price.
async fn late(handler: Handler) -> (Server, Json) {
    let server = Server::resolving(ConflictStrategy::Handler, Some(handler));
    server.product("a", "Coffee", 1.0).await;
    server.update(json!({ "id": "a", "price": 2.0, "_version": 1 })).await;
    let late = json!({ "id": "a", "name": "Latte", "price": 9.0, "_version": 1 });
    let answer = server.update(late).await;
    (server, answer)
}

async fn delete(server: &Server, version: u64) -> Json {
    let query = "mutation m($i: DeleteProductInput!) {
        deleteProduct(input: $i) { id _version _deleted } }";
    server.ask(query, json!({ "i": { "id": "a", "_version": version } })).await
}

#[tokio::test]
async fn an_endpoint_resolves() {
    let (handler, events) = endpoint(|event| {
        let mut item = event["existingItem"].clone();
        item["name"] = event["newItem"]["name"].clone();
        reply(json!({ "action": "RESOLVE", "item": item }))
    })
    .await;
    let (_server, answer) = late(handler).await;
    let expected = json!({
        "id": "a", "name": "Latte", "price": 2.0, "image": null, "_version": 3, "_deleted": null
    });
    assert_eq!(answer["data"]["updateProduct"], expected, "{answer}");
    let events = events.lock().unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let input = json!({ "id": "a", "name": "Latte", "price": 9.0, "_version": 1 });
    assert_eq!(event["arguments"]["input"], input);
    assert_eq!((&event["existingItem"]["_version"], &event["identity"]), (&json!(2), &json!(null)));
}

#[tokio::test]
async fn an_endpoint_rejects_and_removes() {
    let (handler, _) = endpoint(|event| {
        let is_delete = event["resolver"]["field"] == "deleteProduct";
        reply(json!({ "action": if is_delete { "REMOVE" } else { "REJECT" } }))
    })
    .await;
    let (server, answer) = late(handler).await;
    let error = &answer["errors"][0];
    assert_eq!(error["errorType"], "ConflictUnhandled");
    assert_eq!(error["message"], "Conflict resolver rejects mutation.");
    assert_eq!((&error["data"]["price"], &error["data"]["_version"]), (&json!(2.0), &json!(2)));
    let deleted = json!({ "id": "a", "_version": 3, "_deleted": true });
    assert_eq!(delete(&server, 1).await["data"]["deleteProduct"], deleted);
}

/// An `aws-amplify` client keeps its write only for this message (contract 6.4).
fn is_kept(answer: &Json, error_type: &str, reason: &str) {
    let error = &answer["errors"][0];
    assert_eq!(
        (&error["errorType"], &error["message"]),
        (&json!(error_type), &json!("Network Error"))
    );
    assert!(error["errorInfo"].as_str().unwrap_or_default().contains(reason), "{error}");
    assert_eq!(answer["data"]["updateProduct"], json!(null));
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_loses_no_write() {
    let too_large = format!("{{\"action\":\"REJECT\",\"x\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let bad: [(Response, &str, &str); 6] = [
        ("hello".into_response(), "ConflictError", "no JSON"),
        (reply(json!({ "action": "REMOVE" })), "ConflictError", "answered REMOVE to an update"),
        (reply(json!({ "action": "RESOLVE", "item": { "name": null } })), "ConflictError", "name"),
        (too_large.into_response(), "ConflictError", "larger than"),
        (StatusCode::SERVICE_UNAVAILABLE.into_response(), "InternalFailure", "503"),
        (
            (StatusCode::FOUND, [("location", "/conflicts")]).into_response(),
            "InternalFailure",
            "no answer",
        ),
    ];
    for (response, error_type, reason) in bad {
        let response = Mutex::new(Some(response));
        let (handler, _) = endpoint(move |_| {
            response.lock().unwrap().take().unwrap_or_else(|| reply(json!({ "action": "REJECT" })))
        })
        .await;
        let (server, answer) = late(handler).await;
        is_kept(&answer, error_type, reason);
        let why = if error_type == "ConflictError" { "bad_answer" } else { "no_answer" };
        let count = format!("espressync_conflicts_undecided_total{{reason=\"{why}\"}} 1");
        let metrics = server.metrics().await;
        assert!(metrics.lines().any(|line| line == count), "{count}\n{metrics}");
        let stored = server.data("{ getProduct(id: \"a\") { name _version } }", json!({})).await;
        assert_eq!(stored["getProduct"], json!({ "name": "Coffee", "_version": 2 }));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_away_or_slow_loses_no_write() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [&silent, &closed].map(|listener| listener.local_addr().unwrap());
    drop(closed);
    for address in addresses {
        let default = format!("http://{address}/").parse().ok();
        let endpoints = Endpoints { default, ..Endpoints::default() };
        let handler = HttpHandler::with_timeout(endpoints, Duration::from_millis(200));
        let (_, answer) = late(Arc::new(handler)).await;
        is_kept(&answer, "InternalFailure", "gave no answer");
    }
}

/// A handler that waits until it is told what to say.
struct Slow {
    asked: mpsc::UnboundedSender<u64>,
    go: Notify,
}

impl ConflictHandler for Slow {
    fn decide(&self, conflict: Conflict) -> BoxFuture<'_, Result<Resolution, HandlerError>> {
        async move {
            self.asked.send(conflict.stored.meta.version).expect("the test listens");
            self.go.notified().await;
            Ok(Resolution::Resolve(conflict.mutation.fields))
        }
        .boxed()
    }
}

/// The handler sees version 2; before it answers, the record moves on. Nobody else waits for it,
/// and it is asked again about what is there then.
#[tokio::test]
async fn a_decision_about_an_older_version_is_asked_for_again() {
    let (asked, mut questions) = mpsc::unbounded_channel();
    let handler = Arc::new(Slow { asked, go: Notify::new() });
    let own = Arc::clone(&handler) as Handler;
    let server = Arc::new(Server::resolving(ConflictStrategy::Handler, Some(own)));
    server.product("a", "Coffee", 1.0).await;
    server.update(json!({ "id": "a", "price": 2.0, "_version": 1 })).await;
    let late = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            server.update(json!({ "id": "a", "name": "Latte", "_version": 1 })).await
        })
    };
    assert_eq!(questions.recv().await, Some(2));
    let other = server.update(json!({ "id": "a", "price": 3.0, "_version": 2 })).await;
    assert_eq!(other["data"]["updateProduct"]["_version"], 3);
    handler.go.notify_one();
    assert_eq!(questions.recv().await, Some(3));
    handler.go.notify_one();
    let answer = late.await.unwrap();
    let product = &answer["data"]["updateProduct"];
    let both = (&product["name"], &product["price"], &product["_version"]);
    assert_eq!(both, (&json!("Latte"), &json!(3.0), &json!(4)));
}

#[tokio::test]
async fn a_record_that_never_rests_is_given_up_for_now() {
    let (asked, mut questions) = mpsc::unbounded_channel();
    let handler = Arc::new(Slow { asked, go: Notify::new() });
    let own = Arc::clone(&handler) as Handler;
    let server = Arc::new(Server::resolving(ConflictStrategy::Handler, Some(own)));
    server.product("a", "Coffee", 1.0).await;
    server.update(json!({ "id": "a", "price": 2.0, "_version": 1 })).await;
    let late = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            server.update(json!({ "id": "a", "name": "Latte", "_version": 1 })).await
        })
    };
    for _ in 0..10 {
        let version = questions.recv().await.expect("a question");
        server.update(json!({ "id": "a", "price": version + 1, "_version": version })).await;
        handler.go.notify_one();
    }
    let answer = late.await.unwrap();
    is_kept(&answer, "MaxConflicts", "kept changing");
    assert_eq!(answer["errors"][0]["data"]["_version"], 12);
}

#[tokio::test]
async fn optimistic_concurrency_shows_the_stored_item() {
    let server = Server::resolving(ConflictStrategy::Optimistic, None);
    server.product("a", "Coffee", 1.0).await;
    server.update(json!({ "id": "a", "price": 2.0, "_version": 1 })).await;
    let answer = server.update(json!({ "id": "a", "name": "Latte", "_version": 1 })).await;
    let error = &answer["errors"][0];
    assert_eq!(error["errorType"], "ConflictUnhandled");
    assert_eq!(error["path"], json!(["updateProduct"]));
    let stored = json!({
        "id": "a", "name": "Coffee", "price": 2.0, "image": null, "_version": 2, "_deleted": null
    });
    assert_eq!(error["data"], stored);
    assert_eq!(delete(&server, 1).await["errors"][0]["errorType"], "ConflictUnhandled");
}
