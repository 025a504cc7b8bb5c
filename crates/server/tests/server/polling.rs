//! That a client which polls with the last `startedAt` misses no commit of eight writers: over HTTP
//! against the program itself, while its sweeper is at work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::program::{Door, Program, free_address};

const WRITERS: usize = 8;
const READERS: usize = 3;
/// How many products each writer goes round.
const PRODUCTS: usize = 12;
const AT_WORK: Duration = Duration::from_secs(4);

/// A client that keeps what it is told.
struct Client {
    door: Door,
    last_sync: Json,
    seen: BTreeMap<String, Json>,
    limit: usize,
    bases: usize,
    deltas: usize,
}

impl Client {
    fn new(door: Door, limit: usize) -> Self {
        Self { door, last_sync: json!(0), seen: BTreeMap::new(), limit, bases: 0, deltas: 0 }
    }

    /// One sync, page by page.
    async fn poll(&mut self) {
        let query = "query q($limit: Int, $nextToken: String, $lastSync: AWSTimestamp) {
            syncProducts(limit: $limit, nextToken: $nextToken, lastSync: $lastSync) {
                items { id price _version _deleted _lastChangedAt } nextToken startedAt } }";
        let (mut token, mut told, mut is_base) = (json!(null), BTreeMap::new(), false);
        loop {
            let variables =
                json!({ "limit": self.limit, "nextToken": token, "lastSync": self.last_sync });
            let mut answer = self.door.ask(query, variables).await.expect("an answer");
            assert!(answer.get("errors").is_none(), "{answer}");
            is_base |= !answer["extensions"]["espressync"]["base"].is_null();
            let mut page = answer["data"]["syncProducts"].take();
            for item in page["items"].as_array_mut().expect("items") {
                told.insert(item["id"].as_str().expect("an id").to_owned(), item.take());
            }
            token = page["nextToken"].take();
            if token.is_null() {
                self.last_sync = page["startedAt"].take();
                break;
            }
        }
        if is_base {
            self.bases += 1;
            self.seen = told;
        } else {
            self.deltas += 1;
            self.seen.extend(told);
        }
    }

    /// What a user sees.
    fn live(&self) -> BTreeMap<&String, &Json> {
        self.seen.iter().filter(|(_, item)| item["_deleted"].is_null()).collect()
    }
}

/// Creates, updates, deletes and undeletes its own products until told to stop.
async fn write(door: Door, writer: usize, is_over: Arc<AtomicBool>, written: Arc<AtomicUsize>) {
    let query = "mutation m($c: CreateProductInput!, $u: UpdateProductInput!) {
        createProduct(input: $c) { _version }
        updateProduct(input: $u) { _version _deleted } }";
    let delete = "mutation m($i: DeleteProductInput!) { p: deleteProduct(input: $i) { id } }";
    let undelete = "mutation m($i: UndeleteProductInput!) { p: undeleteProduct(input: $i) { id } }";
    for number in 0.. {
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        let id = format!("w{writer}-{}", number % PRODUCTS);
        let create = json!({ "id": id, "name": "Coffee", "price": 0 });
        // A version above the stored one is the newest, whatever that is.
        let update = json!({ "id": id, "price": number, "_version": number + 2 });
        let answer = door.ask(query, json!({ "c": create, "u": update })).await.expect("an answer");
        let updated = &answer["data"]["updateProduct"];
        assert!(updated["_version"].is_u64(), "{answer}");
        let input = json!({ "i": { "id": id, "_version": updated["_version"] } });
        let more = match number % 5 {
            0 if updated["_deleted"].is_null() => door.ask(delete, input).await,
            1 if updated["_deleted"] == true => door.ask(undelete, input).await,
            _ => continue,
        };
        let more = more.expect("an answer");
        assert!(more["data"]["p"]["id"].is_string(), "{more}");
        written.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn polling_clients_miss_nothing_over_http() {
    let folder = TempDir::new().expect("a folder");
    let flags = ["--delta-ttl", "2s", "--base-ttl", "0s"];
    let program = Program::start(folder.path(), free_address(), &flags).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (is_over, written) = (Arc::clone(&is_over), Arc::clone(&written));
            tokio::spawn(write(program.api(), writer, is_over, written))
        })
        .collect();
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let mut client = Client::new(program.api(), [1000, 17, 150][reader]);
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    client.poll().await;
                }
                client
            })
        })
        .collect();
    let until = Instant::now() + AT_WORK;
    while Instant::now() < until && !writers.iter().any(|writer| writer.is_finished()) {
        tokio::task::yield_now().await;
    }
    is_over.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    let mut whole = Client::new(program.api(), 1000);
    whole.poll().await;
    assert!(written.load(Ordering::SeqCst) > 0 && !whole.live().is_empty());
    for reader in readers {
        let mut reader = reader.await.expect("a reader ends");
        // What was acknowledged before this poll began must be in it or before.
        reader.poll().await;
        assert_eq!(reader.live(), whole.live(), "{} deltas, {} bases", reader.deltas, reader.bases);
        assert!(reader.deltas > 0);
    }
}
