use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use espressync_server::app::{AppState, app};
use espressync_server::config::{Config, LimitConfig};
use espressync_server::graphiql::{Graphiql, Part};
use espressync_server::serve::Server as Program;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::support::{KEY, Server, json_of, text_of};

const CREATE: &str = "mutation m($i: CreateProductInput!) { a: createProduct(input: $i) { id } }";

const SYNC: &str = "query q($s: AWSTimestamp) { syncProducts(lastSync: $s) { items { id } } }";

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request = Request::get(path).header("host", "127.0.0.1:20002");
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Body::empty()).expect("a request");
    server.router().oneshot(request).await.expect("routers do not fail")
}

fn body(query: &str, variables: &Json) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}

fn product(id: &str) -> Json {
    json!({ "i": { "id": id, "name": "Latte", "price": 4.0 } })
}

/// Checks that an answer keeps an unmodified client's mutation (contract 6.4).
async fn keeps_the_mutation(answer: Response<Body>, error_type: &str) {
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = json_of(answer).await;
    assert_eq!(answer["errors"][0]["message"], "Network Error", "{answer}");
    assert_eq!(answer["errors"][0]["errorType"], error_type, "{answer}");
    assert_eq!(answer["errors"][0]["data"], Json::Null, "{answer}");
}

#[tokio::test]
async fn what_was_done_is_counted_and_tells_no_secret() {
    let server = Server::new();
    server.data(CREATE, product("p-secret")).await;
    let conflicting = json!({ "i": { "id": "p-secret", "name": "Mocha", "price": 1 } });
    assert!(server.ask(CREATE, conflicting).await.get("errors").is_some());
    server.data(SYNC, json!({})).await;
    server.data(SYNC, json!({ "s": 1_000_000 })).await;
    let stranger = Request::post("/graphql").header("x-api-key", "da2-wrong");
    let stranger = stranger.body(Body::from(body(SYNC, &json!({})))).unwrap();
    server.router().oneshot(stranger).await.unwrap();
    let answer = get(&server, "/metrics", &[]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let text = text_of(answer).await;
    for line in [
        "espressync_requests_total{kind=\"mutation\",outcome=\"ok\"} 1",
        "espressync_requests_total{kind=\"mutation\",outcome=\"errors\"} 1",
        "espressync_requests_total{kind=\"query\",outcome=\"ok\"} 2",
        "espressync_requests_total{kind=\"unknown\",outcome=\"refused\"} 1",
        "espressync_request_duration_seconds_count{kind=\"mutation\"} 2",
        "espressync_mutations_total{outcome=\"accepted\"} 1",
        "espressync_mutations_total{outcome=\"refused\"} 1",
        "espressync_commits_total 2",
        "espressync_commit_mutations_sum 2.0",
        "espressync_sync_pages_total{source=\"base\"} 1",
        "espressync_sync_pages_total{source=\"delta\"} 1",
        "espressync_auth_refused_total 1",
        "espressync_writer_waiting 0",
        "espressync_realtime_sockets 0",
        "espressync_rate_limited_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for secret in [KEY, "da2-", "p-secret", "Latte"] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let server = Server::new();
    let status = async |headers: &[(&str, &str)]| get(&server, "/metrics", headers).await.status();
    assert_eq!(status(&[]).await, StatusCode::OK);
    assert_eq!(status(&[("x-forwarded-for", "10.0.0.1")]).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&[("via", "1.1 proxy")]).await, StatusCode::FORBIDDEN);
    let request = Request::get("/metrics").header("host", "evil.example");
    let answer = server.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_key_over_its_rate_is_put_off_and_its_mutation_kept() {
    let rate = NonZeroU32::new(2);
    let server = Server::limited(LimitConfig { rate, ..LimitConfig::default() });
    for _ in 0..2 {
        assert_eq!(server.post(body(SYNC, &json!({}))).await.status(), StatusCode::OK);
    }
    let answer = server.post(body(CREATE, &product("p"))).await;
    keeps_the_mutation(answer, "ThrottlingException").await;
    let answer = server.post(body(SYNC, &json!({}))).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["x-amzn-errortype"], "ThrottlingException");
    assert_eq!(answer.headers()["retry-after"], "1");
    let answer = json_of(answer).await;
    assert_eq!(answer["errors"][0]["errorType"], "ThrottlingException");
    let text = text_of(get(&server, "/metrics", &[]).await).await;
    assert!(text.contains("espressync_rate_limited_total 2\n"), "{text}");
}

#[tokio::test]
async fn each_field_of_a_request_counts_towards_the_rate() {
    let rate = NonZeroU32::new(10);
    let many = |count: usize| {
        let fields = (0..count).map(|number| format!("q{number}: syncProducts {{ nextToken }} "));
        format!("{{ {} }}", fields.collect::<String>())
    };
    let spread = "{ ...a ... on Query { v: syncProducts { nextToken } } }
        fragment a on Query { ...b x: syncProducts { nextToken } y: syncProducts { nextToken } }
        fragment b on Query { z: syncProducts { nextToken } w: syncProducts { nextToken } }";
    for (first, second, is_put_off) in [
        (many(5).as_str(), many(4).as_str(), false),
        (&many(9), &many(9), true),
        (&many(6), spread, true),
        // More than a key may ask for in a second is let in where it has asked for nothing.
        (&many(12), &many(9), true),
    ] {
        let server = Server::limited(LimitConfig { rate, ..LimitConfig::default() });
        assert_eq!(server.post(body(first, &json!({}))).await.status(), StatusCode::OK);
        let status = server.post(body(second, &json!({}))).await.status();
        assert_eq!(status == StatusCode::TOO_MANY_REQUESTS, is_put_off, "{second}: {status}");
    }
}

#[tokio::test]
async fn a_server_with_its_hands_full_keeps_mutations_too() {
    let server = Server::limited(LimitConfig { requests: 0, ..LimitConfig::default() });
    let answer = server.post(body(CREATE, &product("p"))).await;
    keeps_the_mutation(answer, "ThrottlingException").await;
    let answer = server.post(body(SYNC, &json!({}))).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_request_that_never_arrives_is_let_go_of_and_may_be_a_mutation() {
    let time = Duration::from_millis(20);
    let server = Server::limited(LimitConfig { time, ..LimitConfig::default() });
    let never = Body::from_stream(futures::stream::pending::<Result<&str, std::io::Error>>());
    keeps_the_mutation(server.post(never).await, "InternalFailure").await;
}

#[tokio::test]
async fn a_query_has_a_limited_time_and_a_mutation_is_waited_for() {
    // The body is there at once, which is looked at before the clock.
    let server = Server::limited(LimitConfig { time: Duration::ZERO, ..LimitConfig::default() });
    let answer = server.post(body(CREATE, &product("p"))).await;
    assert_eq!(json_of(answer).await, json!({ "data": { "a": { "id": "p" } } }));
    // No single look finds all of these answered.
    let fields = (0..50).map(|number| format!("q{number}: syncProducts {{ nextToken }} "));
    let query = format!("{{ {} }}", fields.collect::<String>());
    let answer = server.post(body(&query, &json!({}))).await;
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.headers()["x-amzn-errortype"], "InternalFailure");
}

#[tokio::test]
async fn the_largest_body_is_a_setting() {
    let server = Server::limited(LimitConfig { body: 100, ..LimitConfig::default() });
    assert_eq!(server.post(vec![b' '; 100]).await.status(), StatusCode::BAD_REQUEST);
    let answer = server.post(vec![b' '; 101]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let expected = "the request's body is larger than 100 bytes";
    assert_eq!(json_of(answer).await["errors"][0]["message"], expected);
}

#[tokio::test]
async fn a_request_keeps_its_id() {
    let server = Server::new();
    let answer = get(&server, "/healthz", &[("x-request-id", "from-the-proxy.1")]).await;
    assert_eq!(answer.headers()["x-request-id"], "from-the-proxy.1");
    let answer = get(&server, "/healthz", &[("x-request-id", "not sane")]).await;
    assert_eq!(answer.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn a_server_whose_database_takes_no_writes_is_alive_and_not_ready() {
    let server = Server::new();
    assert_eq!(get(&server, "/readyz", &[]).await.status(), StatusCode::OK);
    espressync_server::backend::Backend::close(&*server.backend).await;
    assert_eq!(get(&server, "/readyz", &[]).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&server, "/healthz", &[]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn graphiql_is_served_where_it_is_asked_for_and_needs_no_other_place() {
    let parts = ["graphiql.css", "react.js", "react-dom.js", "graphiql.js"];
    // A program that was built without them says how to get one that has them.
    let own = Graphiql::own().map(drop).map_err(|error| error.to_string());
    assert!(own.is_ok() || own.is_err_and(|error| error.contains("`cargo xtask server`")));
    let Server { state, .. } = Server::new();
    let Ok(state) = Arc::try_unwrap(state) else { panic!("nobody else has the state") };
    assert!(state.graphiql.is_none(), "it is for development");
    let parts = parts.map(|name| Part::new(name, "text/plain", b"part"));
    let graphiql = Some(Arc::new(Graphiql::of(parts.to_vec())));
    let router = app(Arc::new(AppState { graphiql, ..state }));
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    };
    let page = text_of(get("/graphiql").await).await;
    assert!(!page.contains("://"), "nothing comes from elsewhere: {page}");
    let links = page.lines().filter(|line| line.contains("=\"/"));
    assert_eq!(links.clone().count(), 5, "{page}");
    for line in links {
        let part = line.split('"').find(|text| text.starts_with('/')).unwrap();
        assert_eq!(get(part).await.status(), StatusCode::OK, "{part}");
    }
    assert_eq!(get("/graphiql/Cargo.toml").await.status(), StatusCode::NOT_FOUND);
}

/// The status of an answer and the answer, over a socket of its own.
async fn over_a_socket(address: std::net::SocketAddr, path: &str) -> std::io::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut socket = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_is_not_ready_and_serves_on_for_a_while() {
    let folder = TempDir::new().unwrap();
    let local = "127.0.0.1:0".parse().unwrap();
    let config = Config {
        schema: concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/schema.graphql").into(),
        data: folder.path().join("data.sqlite"),
        listen: local,
        metrics_listen: Some(local),
        drain_delay: Duration::from_secs(600),
        ..Config::default()
    };
    let server = Program::start(&config).await.unwrap();
    let address = server.address().unwrap();
    let metrics = server.metrics_address().unwrap().expect("an address of its own");
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(stopped.await) }));
    assert!(over_a_socket(address, "/readyz").await.unwrap().contains(" 200 "));
    // The metrics are at their own address and nowhere else.
    assert!(over_a_socket(address, "/metrics").await.unwrap().contains(" 404 "));
    let text = over_a_socket(metrics, "/metrics").await.unwrap();
    assert!(text.contains("espressync_commits_total 0"), "{text}");
    stop.send(()).unwrap();
    while !over_a_socket(address, "/readyz").await.unwrap().contains(" 503 ") {
        tokio::task::yield_now().await;
    }
    assert!(over_a_socket(address, "/healthz").await.unwrap().contains(" 200 "));
    assert!(over_a_socket(metrics, "/readyz").await.unwrap().contains(" 503 "));
    running.abort();
}
