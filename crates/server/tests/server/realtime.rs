use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use espressync_model::remote::{Change, Operation};
use espressync_model::{Meta, Record, Row, Timestamp, Value};
use espressync_server::RealtimeLimits;
use espressync_server::app::app;
use espressync_server::auth::{Gate, KeyFile, Keys};
use espressync_server::backend::Events;
use espressync_server::config::LimitConfig;
use espressync_wire::Auth;
use espressync_wire::realtime::offered_protocols;
use futures::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{KEY, Server};

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

const ON_CREATE: &str = "subscription operation { onCreateProduct { id name _version _deleted } }";

/// Listens with a server's routes.
pub(crate) async fn listen(server: &Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let router = app(Arc::clone(&server.state));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens a socket by the subprotocol and says hello.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::open_as(address, &Auth::ApiKey(KEY.to_owned())).await
    }

    /// The same for whoever shows this.
    pub(crate) async fn open_as(address: SocketAddr, auth: &Auth) -> Self {
        let protocols = offered_protocols(&auth.realtime_header("till.example")).join(", ");
        let headers = [("sec-websocket-protocol", protocols.as_str())];
        let mut socket = Self::with_headers(address, "", &headers).await;
        socket.say(json!({ "type": "connection_init" })).await;
        let payload = json!({ "connectionTimeoutMs": 300_000 });
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack", "payload": payload }));
        assert_eq!(socket.hear().await, json!({ "type": "ka" }));
        socket
    }

    /// Says hello in one of the three ways to show credentials: the subprotocol, the query, HTTP
    /// headers.
    pub(crate) async fn greet(address: SocketAddr, auth: &Auth, way: usize) -> Self {
        let protocols = offered_protocols(&auth.realtime_header("till.example"));
        let encoded = protocols[1].trim_start_matches("header-");
        let (both, query) = (protocols.join(", "), format!("?header={encoded}&payload=e30="));
        let own = ("sec-websocket-protocol", "graphql-ws");
        let mut socket = match way {
            0 => Self::with_headers(address, "", &[(own.0, &both)]).await,
            1 => Self::with_headers(address, &query, &[own]).await,
            _ => Self::with_headers(address, "", &[own, auth.http_header()]).await,
        };
        socket.say(json!({ "type": "connection_init" })).await;
        socket
    }

    async fn connect(address: SocketAddr, key: &str) -> Self {
        let header = Auth::ApiKey(key.to_owned()).realtime_header("till.example");
        let protocols = offered_protocols(&header).join(", ");
        Self::with_headers(address, "", &[("sec-websocket-protocol", &protocols)]).await
    }

    async fn with_headers(address: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Self {
        let url = format!("ws://{address}/graphql/realtime{query}");
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            let name = tokio_tungstenite::tungstenite::http::HeaderName::try_from(*name);
            let value = HeaderValue::from_str(value).expect("a value");
            request.headers_mut().insert(name.expect("a name"), value);
        }
        let (socket, answer) = connect_async(request).await.expect("a socket");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "graphql-ws");
        Self(socket)
    }

    pub(crate) async fn say(&mut self, frame: Json) {
        self.0.send(Message::text(frame.to_string())).await.expect("it is sent");
    }

    pub(crate) async fn next(&mut self) -> Option<Message> {
        let message = timeout(PATIENCE, self.0.next()).await.expect("something comes");
        message.and_then(Result::ok)
    }

    pub(crate) async fn hear(&mut self) -> Json {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("{other:?}"),
        }
    }

    /// What comes next but for frames of a type; the code of the close where nothing does.
    async fn hear_other_than(&mut self, kind: &str) -> Result<Json, Option<u16>> {
        loop {
            let frame: Json = match self.next().await {
                Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
                Some(Message::Close(Some(frame))) => return Err(Some(u16::from(frame.code))),
                _ => return Err(None),
            };
            if frame["type"] != kind {
                return Ok(frame);
            }
        }
    }

    async fn start_as(&mut self, id: &str, key: &str, query: &str) {
        let data = json!({ "query": query }).to_string();
        let payload =
            json!({ "data": data, "extensions": { "authorization": { "x-api-key": key } } });
        self.say(json!({ "id": id, "payload": payload, "type": "start" })).await;
    }

    pub(crate) async fn start(&mut self, id: &str, query: &str, variables: Json) {
        let data = json!({ "query": query, "variables": variables }).to_string();
        let authorization = json!({ "host": "till.example", "x-api-key": KEY });
        let payload = json!({ "data": data, "extensions": { "authorization": authorization } });
        self.say(json!({ "id": id, "payload": payload, "type": "start" })).await;
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Json) {
        self.start(id, query, variables).await;
        assert_eq!(self.hear().await, json!({ "type": "start_ack", "id": id }));
    }
}

#[tokio::test]
async fn a_subscription_tells_the_whole_record_whatever_the_mutation_asked_for() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    socket.subscribe("s", ON_CREATE, json!({})).await;
    let query = "mutation m($i: CreateProductInput!) { createProduct(input: $i) { id } }";
    server.data(query, json!({ "i": { "id": "p", "name": "Latte", "price": 4 } })).await;
    let product = json!({ "id": "p", "name": "Latte", "_version": 1, "_deleted": null });
    let payload = json!({ "data": { "onCreateProduct": product } });
    assert_eq!(socket.hear().await, json!({ "id": "s", "type": "data", "payload": payload }));
}

#[tokio::test]
async fn refused_and_repeated_mutations_are_not_told() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    socket.subscribe("s", ON_CREATE, json!({})).await;
    let update = "subscription s { onUpdateProduct { id price } }";
    socket.subscribe("u", update, json!({})).await;
    server.product("a", "Latte", 4.0).await;
    server.product("a", "Latte", 4.0).await;
    server.update(json!({ "id": "none", "price": 4.0 })).await;
    server.update(json!({ "id": "a", "price": 4.0, "_version": 1 })).await;
    server.update(json!({ "id": "a", "price": 5.0, "_version": 1 })).await;
    assert_eq!(socket.hear().await["payload"]["data"]["onCreateProduct"]["id"], "a");
    assert_eq!(socket.hear().await["payload"]["data"]["onUpdateProduct"]["price"], 5.0);
}

#[tokio::test]
async fn changes_come_in_commit_order() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    let query = "subscription s { onUpdateProduct { _version } }";
    socket.subscribe("s", query, json!({})).await;
    server.product("p", "Latte", 0.0).await;
    for version in 1..50 {
        server.update(json!({ "id": "p", "price": version, "_version": version })).await;
    }
    for version in 2..=50 {
        let frame = socket.hear().await;
        assert_eq!(frame["payload"]["data"]["onUpdateProduct"]["_version"], version);
    }
}

#[tokio::test]
async fn a_filter_lets_through_what_it_says_and_relations_are_read() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    let query = "subscription s($filter: ModelSubscriptionLineItemFilterInput) {
        mine: onCreateLineItem(filter: $filter) { id order { id _deleted } product { id } } }";
    let filter = json!({ "and": [{ "lineItemOrderId": { "in": ["o", "x"] } }] });
    socket.subscribe("s", query, json!({ "filter": filter })).await;
    let order = "mutation m { createOrder(input: { id: \"o\" }) { id } }";
    server.data(order, json!({})).await;
    let item = "mutation m($i: CreateLineItemInput!) { createLineItem(input: $i) { id } }";
    for (id, order) in [("i1", "other"), ("i2", "o")] {
        server.data(item, json!({ "i": { "id": id, "lineItemOrderId": order } })).await;
    }
    let expected = json!({ "id": "i2", "order": { "id": "o", "_deleted": null }, "product": null });
    assert_eq!(socket.hear().await["payload"]["data"]["mine"], expected);
}

#[tokio::test]
async fn three_ways_lead_in_and_a_bad_key_is_told_over_the_socket() {
    let server = Server::new();
    let address = listen(&server).await;
    let encoded = offered_protocols(&Auth::ApiKey(KEY.into()).realtime_header("h"));
    let encoded = encoded[1].strip_prefix("header-").expect("a header").to_owned();
    let plain = ("sec-websocket-protocol", "graphql-ws");
    let by_query = format!("?header={encoded}&payload=e30=");
    let by_header = [plain, ("x-api-key", KEY)];
    for mut socket in [
        Socket::connect(address, KEY).await,
        Socket::with_headers(address, &by_query, &[plain]).await,
        Socket::with_headers(address, "", &by_header).await,
    ] {
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await["type"], "connection_ack");
    }
    for mut socket in [
        Socket::connect(address, "wrong").await,
        Socket::with_headers(address, "", &[plain]).await,
        Socket::with_headers(address, "?header=%%%&payload=e30=", &[plain]).await,
    ] {
        socket.say(json!({ "type": "connection_init" })).await;
        let frame = socket.hear().await;
        assert_eq!(frame["type"], "connection_error");
        let error = &frame["payload"]["errors"][0];
        assert_eq!(error["errorType"], "UnauthorizedException");
        assert_eq!(error["errorCode"], 401);
        assert!(matches!(socket.next().await, Some(Message::Close(_)) | None));
    }
}

#[tokio::test]
async fn a_start_sent_again_replaces_and_a_stop_ends() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    let other = "subscription s { onCreateProduct { price } }";
    socket.subscribe("s", ON_CREATE, json!({})).await;
    socket.subscribe("s", other, json!({})).await;
    assert_eq!(server.state.hub.count(), 1);
    server.product("p", "Latte", 4.0).await;
    let data = json!({ "onCreateProduct": { "price": 4.0 } });
    assert_eq!(socket.hear().await["payload"]["data"], data);
    socket.say(json!({ "type": "stop", "id": "s" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "s" }));
    while server.state.hub.count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_no_message_is_an_error_and_the_socket_lives_on() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    for text in ["", "{", "[]", "3", "{\"type\":\"dance\"}", "{\"type\":\"start\"}"] {
        socket.0.send(Message::text(text)).await.expect("it is sent");
        assert_eq!(socket.hear().await["type"], "error", "{text}");
    }
    socket.0.send(Message::binary(vec![1, 2, 3])).await.expect("it is sent");
    assert_eq!(socket.hear().await["type"], "error");
    for (query, message) in [
        ("{ listProducts { nextToken } }", "only subscriptions are served over the WebSocket"),
        ("subscription s { onBoil { id } }", "FieldUndefined: Field 'onBoil'"),
        ("subscription", "Invalid Syntax"),
        ("subscription s { onCreateProduct { id } onUpdateProduct { id } }", "exactly one field"),
    ] {
        socket.start("bad", query, json!({})).await;
        let frame = socket.hear().await;
        assert_eq!((&frame["type"], &frame["id"]), (&json!("error"), &json!("bad")));
        let found = frame["payload"]["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(found.contains(message), "{frame}");
    }
    let query = "subscription s($f: ModelSubscriptionProductFilterInput) {
        onCreateProduct(filter: $f) { id } }";
    socket.start("bad", query, json!({ "f": { "not": { "name": { "eq": "x" } } } })).await;
    // By these words amplify knows to filter by itself (contract 4.6).
    let found = socket.hear().await["payload"]["errors"][0]["message"].take();
    assert!(found.as_str().unwrap().starts_with("The variables input contains a field name 'not'"));
    let data = json!({ "query": ON_CREATE }).to_string();
    let payload =
        json!({ "data": data, "extensions": { "authorization": { "x-api-key": "wrong" } } });
    socket.say(json!({ "id": "s", "payload": payload, "type": "start" })).await;
    let frame = socket.hear().await;
    assert_eq!(frame["payload"]["errors"][0]["errorType"], "UnauthorizedException");
    socket.subscribe("good", ON_CREATE, json!({})).await;
}

#[tokio::test]
async fn a_server_that_stops_says_goodbye() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    socket.subscribe("s", ON_CREATE, json!({})).await;
    server.state.shutdown.cancel();
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "s" }));
    let Some(Message::Close(Some(frame))) = socket.next().await else { panic!("no close") };
    assert_eq!(u16::from(frame.code), 1001);
    server.state.sockets.close();
    timeout(PATIENCE, server.state.sockets.wait()).await.expect("the session ends");
}

/// A change as large as a picture in a field.
fn large_change(server: &Server, number: u64) -> Change {
    let model = server.rules.schema().id_of("Product").expect("the model");
    let fields = server.rules.schema().model(model).fields.iter();
    let values = fields.map(|field| match field.name.as_str() {
        "price" => Value::from(1.0),
        "id" => Value::from(format!("p{number}")),
        _ => Value::from("x".repeat(8 * 1024)),
    });
    let row = Row::new(values.collect());
    let meta = Meta { version: 1, changed_at: Timestamp(1), deleted: false };
    Change { model, operation: Operation::Create, record: Record { row, meta } }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_does_not_read_is_cut_off_and_holds_up_nobody() {
    let server = Server::new();
    let address = listen(&server).await;
    let (mut slow, mut alike) = (Socket::open(address).await, Socket::open(address).await);
    let mut other = Socket::open(address).await;
    let query = "subscription s { onCreateProduct { id name image sku } }";
    slow.subscribe("s", query, json!({})).await;
    alike.subscribe("s", query, json!({})).await;
    other.subscribe("s", "subscription s { onCreateProduct { id } }", json!({})).await;
    let mut number = 0;
    while server.state.hub.count() == 3 {
        server.state.hub.publish(vec![large_change(&server, number)]);
        for quick in [&mut alike, &mut other] {
            let frame = quick.hear().await;
            let data = &frame["payload"]["data"]["onCreateProduct"];
            assert_eq!(data["id"], format!("p{number}"));
        }
        number += 1;
        assert!(number < 20_000, "a client that never reads is kept for ever");
    }
    // What was under way is still read; then the socket ends.
    while slow.next().await.is_some() {}
}

/// On these words, and on no others, `aws-amplify` subscribes again without a filter.
#[tokio::test]
async fn a_filter_beyond_the_limits_is_refused_in_words_that_amplify_knows() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    let query = "subscription operation($filter: ModelSubscriptionProductFilterInput) {
        onCreateProduct(filter: $filter) { id } }";
    socket.start("s", "{ listProducts { nextToken } }", json!({})).await;
    let frame = socket.hear().await;
    assert_eq!(frame["payload"]["errors"][0]["errorType"], "UnsupportedOperation");
    let names: Vec<Json> =
        (0..11).map(|name| json!({ "name": { "eq": name.to_string() } })).collect();
    let field = |name: &str| json!({ name: { "ne": "x" } });
    let fields = ["id", "sku", "name", "image", "createdAt", "updatedAt"].map(field);
    let unknown = "subscription s { onCreateProduct(shop: 1) { id } }";
    socket.start("s", unknown, json!({})).await;
    let message = socket.hear().await["payload"]["errors"][0]["message"].take();
    let expected = "Validation error of type UnknownArgument: Unknown field argument shop @ \
                    'onCreateProduct'";
    assert_eq!(message, expected);
    for (filter, words) in [
        (json!({ "or": names }), "Filters combination exceed maximum limit"),
        (json!({ "and": fields }), "Filters exceed maximum attributes limit"),
        (json!({ "not": field("name") }), "The variables input contains a field name 'not'"),
        (
            json!({ "name": { "in": ["a", "b", "c", "d", "e", "f"] } }),
            "Filters combination exceed maximum limit",
        ),
    ] {
        socket.start("s", query, json!({ "filter": filter })).await;
        let frame = socket.hear().await;
        assert_eq!(frame["type"], "error", "{frame}");
        let message = frame["payload"]["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{frame}");
    }
    let ten = json!({ "or": names[..10], "name": { "in": ["a", "1"] } });
    socket.subscribe("s", query, json!({ "filter": ten })).await;
    for name in ["a", "2", "1"] {
        server.product(name, name, 4.0).await;
    }
    assert_eq!(socket.hear().await["payload"]["data"]["onCreateProduct"]["id"], "1");
}

/// A server whose realtime clients may ask this much.
fn limited(limits: RealtimeLimits) -> Server {
    let mut server = Server::new();
    Arc::get_mut(&mut server.state).expect("nobody else has it yet").realtime = limits;
    server
}

#[tokio::test]
async fn a_socket_has_so_many_subscriptions_and_one_that_is_replaced_counts_once() {
    let server = limited(RealtimeLimits { subscriptions: 2, ..RealtimeLimits::default() });
    let mut socket = Socket::open(listen(&server).await).await;
    for id in ["a", "b", "a"] {
        socket.subscribe(id, ON_CREATE, json!({})).await;
    }
    socket.start("c", ON_CREATE, json!({})).await;
    let frame = socket.hear().await;
    assert_eq!((&frame["type"], &frame["id"]), (&json!("error"), &json!("c")));
    let error = &frame["payload"]["errors"][0];
    assert_eq!(error["errorType"], "MaxSubscriptionsReachedError");
    assert_eq!(error["message"], "Max number of 2 subscriptions reached");
    socket.say(json!({ "type": "stop", "id": "b" })).await;
    assert_eq!(socket.hear().await["type"], "complete");
    socket.subscribe("c", ON_CREATE, json!({})).await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_and_the_socket_lives_on() {
    let server = limited(RealtimeLimits { message_bytes: 1000, ..RealtimeLimits::default() });
    let mut socket = Socket::open(listen(&server).await).await;
    let long = format!("{ON_CREATE} # {}", "x".repeat(1000));
    socket.start("s", &long, json!({})).await;
    let frame = socket.hear().await;
    assert_eq!((&frame["type"], &frame["id"]), (&json!("error"), &json!("s")));
    assert_eq!(frame["payload"]["errors"][0]["errorType"], "LimitExceededError");
    socket.subscribe("s", ON_CREATE, json!({})).await;
}

#[tokio::test]
async fn a_change_too_large_to_be_told_sends_its_clients_to_the_delta_sync() {
    let server = limited(RealtimeLimits { event_bytes: 4096, ..RealtimeLimits::default() });
    let address = listen(&server).await;
    let (mut whole, mut short) = (Socket::open(address).await, Socket::open(address).await);
    whole.subscribe("s", "subscription s { onCreateProduct { id image } }", json!({})).await;
    short.subscribe("s", "subscription s { onCreateProduct { id } }", json!({})).await;
    server.state.hub.publish(vec![large_change(&server, 1)]);
    let Some(Message::Close(Some(frame))) = whole.next().await else { panic!("no close") };
    assert_eq!(u16::from(frame.code), 1009);
    assert_eq!(short.hear().await["payload"]["data"]["onCreateProduct"]["id"], "p1");
}

#[tokio::test]
async fn a_socket_is_kept_alive_and_lives_only_so_long() {
    let limits = RealtimeLimits {
        keep_alive: Duration::from_millis(10),
        lifetime: Duration::from_millis(500),
        ..RealtimeLimits::default()
    };
    let server = limited(limits);
    let mut socket = Socket::open(listen(&server).await).await;
    for _ in 0..5 {
        assert_eq!(socket.hear().await, json!({ "type": "ka" }));
    }
    let last = loop {
        match socket.next().await {
            Some(Message::Text(text)) => assert_eq!(text.as_str(), r#"{"type":"ka"}"#),
            other => break other,
        }
    };
    let Some(Message::Close(Some(frame))) = last else { panic!("{last:?}") };
    assert_eq!(u16::from(frame.code), 1001);
}

#[tokio::test]
async fn a_key_that_is_revoked_hears_nothing_more() {
    let keep_alive = Duration::from_millis(10);
    let mut server = limited(RealtimeLimits { keep_alive, ..RealtimeLimits::default() });
    let file = KeyFile::of(&server.file());
    let key = file.create("till", None, Timestamp(1)).expect("a key");
    let keys = Keys::new(Vec::new()).and_of(file.clone()).expect("keys");
    Arc::get_mut(&mut server.state).expect("nobody else has it yet").gate =
        Arc::new(Gate::new(keys));
    let address = listen(&server).await;
    let mut socket = Socket::open_as(address, &Auth::ApiKey(key.key)).await;
    socket.start("s", ON_CREATE, json!({})).await;
    file.revoke(&key.stored.id).expect("it is there");
    let mut errors = Vec::new();
    let last = loop {
        match socket.next().await {
            Some(Message::Text(text)) => {
                let frame: Json = serde_json::from_str(&text).expect("JSON");
                if frame["type"] == "error" {
                    errors.push(frame["payload"]["errors"][0]["errorType"].clone());
                }
            }
            other => break other,
        }
    };
    assert_eq!(errors, [json!("UnauthorizedException")]);
    let Some(Message::Close(Some(frame))) = last else { panic!("{last:?}") };
    assert_eq!(u16::from(frame.code), 1008);
    assert_eq!(server.state.hub.count(), 0);
}

#[tokio::test]
async fn a_key_that_is_revoked_ends_what_it_has_started_and_no_more() {
    let keep_alive = Duration::from_millis(10);
    let mut server = limited(RealtimeLimits { keep_alive, ..RealtimeLimits::default() });
    let file = KeyFile::of(&server.file());
    let [opener, till, office] = ["opener", "till", "office"]
        .map(|name| file.create(name, None, Timestamp(1)).expect("a key"));
    let keys = Keys::new(vec![KEY.to_owned()]).and_of(file.clone()).expect("keys");
    Arc::get_mut(&mut server.state).expect("nobody else has it yet").gate =
        Arc::new(Gate::new(keys));
    let mut socket =
        Socket::open_as(listen(&server).await, &Auth::ApiKey(opener.key.clone())).await;
    for (id, key) in [("till", &till), ("office", &office), ("bad", &office)] {
        let key = if id == "bad" { "da2-bad" } else { key.key.as_str() };
        socket.start_as(id, key, ON_CREATE).await;
        let expected = if id == "bad" { "error" } else { "start_ack" };
        assert_eq!(socket.hear_other_than("ka").await.expect("a frame")["type"], expected);
    }
    file.revoke(&opener.stored.id).expect("it is there");
    file.revoke(&till.stored.id).expect("it is there");
    let frame = socket.hear_other_than("ka").await.expect("a frame");
    assert_eq!((&frame["type"], &frame["id"]), (&json!("error"), &json!("till")));
    assert_eq!(frame["payload"]["errors"][0]["errorType"], "UnauthorizedException");
    assert_eq!(server.state.hub.count(), 1);
    server.product("p", "Latte", 4.0).await;
    let frame = socket.hear_other_than("ka").await.expect("a frame");
    assert_eq!((&frame["type"], &frame["id"]), (&json!("data"), &json!("office")));
    // Nobody is left who may hear anything.
    file.revoke(&office.stored.id).expect("it is there");
    let frame = socket.hear_other_than("ka").await.expect("a frame");
    assert_eq!((&frame["type"], &frame["id"]), (&json!("error"), &json!("office")));
    assert_eq!(socket.hear_other_than("ka").await, Err(Some(1008)));
}

/// A data store asks for all its subscriptions at once. An error would end them for good in
/// `aws-amplify`, so each waits for its turn; and what is asked for again is there already.
#[tokio::test]
async fn subscriptions_beyond_the_rate_wait_for_their_turn() {
    let rate = NonZeroU32::new(10);
    let server = Server::limited(LimitConfig { rate, ..LimitConfig::default() });
    let mut socket = Socket::open(listen(&server).await).await;
    let began = Instant::now();
    for id in 0..13 {
        socket.start(&id.to_string(), ON_CREATE, json!({})).await;
    }
    for id in 0..13 {
        let expected = json!({ "type": "start_ack", "id": id.to_string() });
        assert_eq!(socket.hear().await, expected);
    }
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    for _ in 0..200 {
        socket.subscribe("12", ON_CREATE, json!({})).await;
    }
    assert!(began.elapsed() < Duration::from_secs(15), "what is there is not counted");
    assert_eq!(server.state.hub.count(), 13);
}

#[tokio::test]
async fn beyond_so_many_sockets_a_client_is_told_to_come_again() {
    let server = limited(RealtimeLimits { sockets: 1, ..RealtimeLimits::default() });
    let address = listen(&server).await;
    let first = Socket::open(address).await;
    let mut second = Socket::connect(address, KEY).await;
    second.say(json!({ "type": "connection_init" })).await;
    let frame = second.hear().await;
    assert_eq!(frame["type"], "connection_error");
    // Any code but 400, 401 and 403 lets amplify try again (contract 5.4).
    let expected = json!({
        "errorType": "LimitExceededError",
        "message": "Max number of 1 connections reached",
        "errorCode": 429,
    });
    assert_eq!(frame["payload"]["errors"][0], expected);
    drop((first, second));
    while !server.state.sockets.is_empty() {
        tokio::task::yield_now().await;
    }
    Socket::open(address).await;
}
