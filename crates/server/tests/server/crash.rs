use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::program::{Door, Program, free_address};

/// The ids and versions of all products.
async fn products(door: &Door) -> Vec<(String, u64)> {
    let query = "query q($t: String) { syncProducts(limit: 1000, nextToken: $t) {
        items { id _version } nextToken } }";
    let (mut all, mut token) = (Vec::new(), json!(null));
    loop {
        let mut answer = door.ask(query, json!({ "t": token })).await.expect("an answer");
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
        let mut program = Program::start(folder.path(), address, &[]).await;
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
    let program = Program::start(folder.path(), address, &[]).await;
    let door = program.api();
    let stored: BTreeSet<String> = products(&door).await.into_iter().map(|(id, _)| id).collect();
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
    let all = products(&door).await;
    assert_eq!(all.len(), 2 * (acknowledged.len() + unanswered.len()));
    assert!(all.iter().all(|(_, version)| *version == 1));
}

/// Asked to stop, the program ends by itself and without an error.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_finishes_and_ends() {
    let folder = TempDir::new().expect("a folder");
    let mut program = Program::start(folder.path(), free_address(), &[]).await;
    program.api().ask(CREATE, pair("x")).await.expect("an answer");
    let pid = program.child.id().to_string();
    let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
    assert!(asked.expect("a shell").success());
    assert!(program.child.wait().expect("it ends").success());
    // All is in the file itself: nothing is left in a log beside it.
    assert!(!folder.path().join("data.sqlite-wal").exists());
}
