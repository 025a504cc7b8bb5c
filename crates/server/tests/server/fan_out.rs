use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value as Json, json};

use crate::realtime::{Socket, listen};
use crate::support::Server;

const CREATE: &str = "mutation m($i: CreateProductInput!) { createProduct(input: $i) { id } }";
const DELETE: &str = "mutation m($i: DeleteProductInput!) { deleteProduct(input: $i) { id } }";

/// Makes a record, changes it again and again and deletes it.
async fn live(server: Arc<Server>, id: String, versions: u64) {
    let input = json!({ "id": id, "name": "Latte", "price": 0 });
    server.data(CREATE, json!({ "i": input })).await;
    for version in 1..versions - 1 {
        let input = json!({ "id": id, "price": version, "_version": version });
        let answer = server.update(input).await;
        assert!(answer.get("errors").is_none(), "{answer}");
    }
    let input = json!({ "id": id, "_version": versions - 1 });
    server.data(DELETE, json!({ "i": input })).await;
}

/// A record is made, changed and deleted under three subscriptions, and `aws-amplify` takes what
/// comes last for the newest: so the order must hold over all three.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_record_is_told_in_the_order_of_its_versions_while_many_write() {
    const WRITERS: usize = 8;
    const VERSIONS: u64 = 30;
    let server = Arc::new(Server::new());
    let address = listen(&server).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::open(address).await;
        for operation in ["Create", "Update", "Delete"] {
            let query = format!("subscription s {{ on{operation}Product {{ id _version }} }}");
            socket.subscribe(operation, &query, json!({})).await;
        }
        sockets.push(socket);
    }
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(live(Arc::clone(&server), format!("p{writer}"), VERSIONS)))
        .collect();
    let heard = sockets.into_iter().map(|mut socket| async move {
        let mut versions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let total = WRITERS * usize::try_from(VERSIONS).expect("a small number");
        for _ in 0..total {
            let frame = socket.hear().await;
            let data = frame["payload"]["data"].as_object().expect("data");
            let record = data.values().next().expect("a record");
            let id = record["id"].as_str().expect("an id").to_owned();
            versions.entry(id).or_default().push(record["_version"].as_u64().expect("a number"));
        }
        versions
    });
    let all: Vec<u64> = (1..=VERSIONS).collect();
    for versions in join_all(heard).await {
        assert_eq!(versions.len(), WRITERS);
        for (id, versions) in versions {
            assert_eq!(versions, all, "{id}");
        }
    }
    for writer in writers {
        writer.await.expect("a writer ends");
    }
}

/// What this process holds, server and clients together.
fn memory() -> String {
    let facts = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = facts.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or(" unknown").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_mutation_reaches_all_that_match_of_ten_thousand_subscriptions() {
    const SOCKETS: usize = 100;
    const EACH: usize = 50;
    let server = Server::new();
    let address = listen(&server).await;
    let before = memory();
    let query = "subscription s($filter: ModelSubscriptionProductFilterInput) {
        onCreateProduct(filter: $filter) { id name } }";
    let opened = (0..SOCKETS).map(|number| async move {
        let mut socket = Socket::open(address).await;
        let own = json!({ "filter": { "name": { "eq": format!("n{number}") } } });
        for id in 0..EACH {
            socket.start(&format!("all-{id}"), query, json!({})).await;
            socket.start(&format!("own-{id}"), query, own.clone()).await;
        }
        for _ in 0..2 * EACH {
            assert_eq!(socket.hear().await["type"], "start_ack");
        }
        socket
    });
    let mut sockets = join_all(opened).await;
    assert_eq!(server.state.hub.count(), 2 * SOCKETS * EACH);
    eprintln!("10,000 subscriptions on {SOCKETS} sockets: {before} before, {} with them", memory());
    server.product("first", "n7", 1.0).await;
    server.product("last", "nobody's", 1.0).await;
    for (number, socket) in sockets.iter_mut().enumerate() {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        let expected = if number == 7 { 3 * EACH } else { 2 * EACH };
        for _ in 0..expected {
            let mut frame = socket.hear().await;
            let id = frame["payload"]["data"]["onCreateProduct"]["id"].take();
            let kind = frame["id"].as_str().and_then(|id| id.split('-').next()).expect("an id");
            *told.entry(format!("{kind} {}", id.as_str().expect("an id"))).or_default() += 1;
        }
        let mut all = BTreeMap::from([("all first", EACH), ("all last", EACH)]);
        if number == 7 {
            all.insert("own first", EACH);
        }
        let all = all.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
        assert_eq!(told, all, "socket {number}");
    }
    drop(sockets);
    while server.state.hub.count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn filters_by_equality_and_others_hear_what_they_ask_for() {
    let server = Server::new();
    let mut socket = Socket::open(listen(&server).await).await;
    let query = "subscription s($filter: ModelSubscriptionProductFilterInput) {
        onCreateProduct(filter: $filter) { id } }";
    let filters = [
        ("everything", json!(null)),
        ("one name", json!({ "name": { "eq": "Latte" } })),
        ("names", json!({ "name": { "in": ["Latte", "Mocha", "Latte"] } })),
        ("within and", json!({ "and": [{ "price": { "gt": 3 } }, { "name": { "eq": "Latte" } }] })),
        ("either", json!({ "or": [{ "name": { "eq": "Latte" } }, { "price": { "gt": 3 } }] })),
        ("null", json!({ "sku": { "eq": null } })),
        ("a number", json!({ "price": { "eq": 4 } })),
        ("another", json!({ "name": { "ne": "Latte" } })),
    ];
    for (id, filter) in filters {
        socket.subscribe(id, query, json!({ "filter": filter })).await;
    }
    let mut check = async |name: &str, price: f64, expected: &[&str]| {
        server.product(&format!("{name}{price}"), name, price).await;
        let mut told = Vec::new();
        for _ in expected {
            told.push(socket.hear().await["id"].as_str().expect("an id").to_owned());
        }
        told.sort();
        assert_eq!(told, expected, "{name} {price}");
    };
    let all = ["a number", "either", "everything", "names", "null", "one name", "within and"];
    check("Latte", 4.0, &all).await;
    check("Latte", 2.0, &["either", "everything", "names", "null", "one name"]).await;
    check("Mocha", 4.0, &["a number", "another", "either", "everything", "names", "null"]).await;
    check("Tea", 1.0, &["another", "everything", "null"]).await;
}

/// Of two that ask alike one ends and the other is told on.
#[tokio::test]
async fn one_of_a_group_that_ends_takes_nobody_along() {
    let server = Server::new();
    let address = listen(&server).await;
    let query = "subscription s { onCreateProduct { id } }";
    let (mut stays, mut goes) = (Socket::open(address).await, Socket::open(address).await);
    stays.subscribe("a", query, json!({})).await;
    goes.subscribe("a", query, json!({})).await;
    goes.say(json!({ "type": "stop", "id": "a" })).await;
    assert_eq!(goes.hear().await["type"], "complete");
    for round in 0..2 {
        let id = format!("p{round}");
        server.product(&id, "Latte", 1.0).await;
        let frame = stays.hear().await;
        assert_eq!(frame["payload"]["data"]["onCreateProduct"], json!({ "id": id }) as Json);
        if round == 0 {
            goes.subscribe("b", query, json!({})).await;
        }
    }
    assert_eq!(goes.hear().await["id"], "b");
}
