use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const KEY: &str = "da2-crash";
const STARTUP: Duration = Duration::from_secs(30);

/// The program itself.
struct Program {
    child: Child,
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Program {
    async fn start(folder: &Path, address: SocketAddr) -> Self {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/schema.graphql");
        let child = Command::new(env!("CARGO_BIN_EXE_espressync"))
            .args(["serve", "--schema", schema, "--api-key", KEY, "--data"])
            .arg(folder.join("data.sqlite"))
            .args(["--listen", &address.to_string()])
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let client = Client::builder(TokioExecutor::new()).build_http();
        let program = Self { child, address, client };
        let deadline = Instant::now() + STARTUP;
        while !program.is_well().await {
            assert!(Instant::now() < deadline, "the program does not answer");
            tokio::task::yield_now().await;
        }
        program
    }

    async fn is_well(&self) -> bool {
        let address = format!("http://{}/healthz", self.address);
        self.client.get(address.parse().expect("an address")).await.is_ok()
    }

    /// Ends the program as a power cut would.
    fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    fn api(&self) -> Door {
        Door { address: self.address, client: self.client.clone() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program's API.
#[derive(Clone)]
struct Door {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Door {
    /// `None` when no whole answer came.
    async fn ask(&self, query: &str, variables: Json) -> Option<Json> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post(format!("http://{}/graphql", self.address))
            .header("x-api-key", KEY)
            .body(Body::from(body))
            .expect("a request");
        let answer = self.client.request(request).await.ok()?;
        let bytes = answer.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&bytes).ok()
    }

    /// The ids and versions of all products.
    async fn products(&self) -> Vec<(String, u64)> {
        let query = "query q($t: String) { syncProducts(limit: 1000, nextToken: $t) {
            items { id _version } nextToken } }";
        let (mut all, mut token) = (Vec::new(), json!(null));
        loop {
            let mut answer = self.ask(query, json!({ "t": token })).await.expect("an answer");
            let page = answer["data"]["syncProducts"].take();
            let items = page["items"].as_array().expect("items").iter();
            all.extend(items.map(|item| {
                let version = item["_version"].as_u64().expect("a version");
                (item["id"].as_str().expect("an id").to_owned(), version)
            }));
            token = page["nextToken"].clone();
            if token.is_null() {
                return all;
            }
        }
    }
}

fn free_address() -> SocketAddr {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    probe.local_addr().expect("its address")
}

const CREATE: &str = "mutation m($a: CreateProductInput!, $b: CreateProductInput!) {
    a: createProduct(input: $a) { id _version } b: createProduct(input: $b) { id _version } }";

fn pair(id: &str) -> Json {
    let product = |half: &str| json!({ "id": format!("{id}-{half}"), "name": "x", "price": 1 });
    json!({ "a": product("a"), "b": product("b") })
}

/// Killed in the middle of a stream of mutations and started again on the same file: what was
/// acknowledged is there, what was not is taken when it is sent again, and nothing is doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_power_goes() {
    const WRITERS: usize = 8;
    let folder = TempDir::new().expect("a folder");
    let address = free_address();
    let mut acknowledged = BTreeSet::new();
    let mut unanswered = BTreeSet::new();
    for round in 0..3 {
        let mut program = Program::start(folder.path(), address).await;
        let door = program.api();
        let count = Arc::new(AtomicUsize::new(0));
        let writers = (0..WRITERS).map(|writer| {
            let (door, count) = (door.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                let mut done = Vec::new();
                for number in 0.. {
                    let id = format!("r{round}-w{writer}-{number}");
                    match door.ask(CREATE, pair(&id)).await {
                        Some(answer) if answer.get("errors").is_none() => done.push(id),
                        _ => return (done, id),
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                }
                (done, String::new())
            })
        });
        let writers: Vec<_> = writers.collect();
        while count.load(Ordering::SeqCst) < 200 {
            tokio::task::yield_now().await;
        }
        program.kill();
        for writer in writers {
            let (done, lost) = writer.await.expect("a writer ends");
            acknowledged.extend(done);
            unanswered.insert(lost);
        }
    }
    let program = Program::start(folder.path(), address).await;
    let door = program.api();
    let stored: BTreeSet<String> = door.products().await.into_iter().map(|(id, _)| id).collect();
    for id in &acknowledged {
        assert!(stored.contains(&format!("{id}-a")) && stored.contains(&format!("{id}-b")), "{id}");
    }
    for id in &unanswered {
        // Two mutations of one request are in one commit.
        let halves = ["a", "b"].map(|half| stored.contains(&format!("{id}-{half}")));
        assert!(halves[0] == halves[1], "{id} is half written");
        let answer = door.ask(CREATE, pair(id)).await.expect("an answer");
        assert_eq!(answer["data"]["a"]["_version"], 1, "{answer}");
    }
    let all = door.products().await;
    assert_eq!(all.len(), 2 * (acknowledged.len() + unanswered.len()));
    assert!(all.iter().all(|(_, version)| *version == 1));
}

/// Asked to stop, the program ends by itself and without an error.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_finishes_and_ends() {
    let folder = TempDir::new().expect("a folder");
    let mut program = Program::start(folder.path(), free_address()).await;
    program.api().ask(CREATE, pair("x")).await.expect("an answer");
    let pid = program.child.id().to_string();
    let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
    assert!(asked.expect("a shell").success());
    assert!(program.child.wait().expect("it ends").success());
    // All is in the file itself: nothing is left in a log beside it.
    assert!(!folder.path().join("data.sqlite-wal").exists());
}
