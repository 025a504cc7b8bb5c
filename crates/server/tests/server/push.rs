//! A database is brought to another schema while a server has it and writers are at it.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::program::{Door, Program, free_address};
use crate::realtime::Socket;
use crate::support::KEY;

const WRITERS: usize = 4;

const OLD: &str = "type Product @model { id: ID! name: String! price: Float }";

const NEW: &str = "type Dish @model { id: ID! }
    type Product @model { id: ID! price: Float origin: String
    name: String! @index(name: \"byName\", queryField: \"productsByName\") }";

const CREATE: &str = "mutation m($i: CreateProductInput!) { p: createProduct(input: $i) { id } }";

const ORIGINS: &str = "query q { productsByName(name: \"n\") { items { id origin } } }";

/// A shop with a server whose schema is `schema.graphql`.
struct Shop {
    folder: TempDir,
    address: SocketAddr,
    program: Program,
}

impl Shop {
    async fn open() -> Self {
        let (folder, address) = (TempDir::new().expect("a folder"), free_address());
        fs::write(folder.path().join("schema.graphql"), OLD).expect("it is written");
        let program = Self::start(folder.path(), address).await;
        Self { folder, address, program }
    }

    async fn start(folder: &Path, address: SocketAddr) -> Program {
        let flags = ["--api-key", KEY];
        Program::serving(&folder.join("schema.graphql"), folder, address, &flags).await
    }

    async fn restart(&mut self) {
        self.program.kill();
        self.program = Self::start(self.folder.path(), self.address).await;
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Begins to push a schema, which is written to a file first.
    fn push(&self, name: &str, schema: &str) -> Child {
        fs::write(self.file(name), schema).expect("it is written");
        Command::new(env!("CARGO_BIN_EXE_espressync"))
            .current_dir(self.folder.path())
            .args(["push", "--allow-data-loss", "--data", "data.sqlite", "--schema", name])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    async fn data(&self, query: &str) -> Json {
        self.program.api().ask(query, json!({})).await.expect("an answer")
    }
}

/// Waits for a command and returns its code and what it has said.
async fn end_of(child: Child) -> (Option<i32>, String) {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().expect("it ends"));
    let output = output.await.expect("it is waited for");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    (output.status.code(), text)
}

/// Writers, and the ids of what was acknowledged to each of them.
struct Writers {
    count: Arc<AtomicUsize>,
    put_off: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    at_work: Vec<JoinHandle<BTreeSet<String>>>,
}

impl Writers {
    fn begin(door: &Door, prefix: &str) -> Self {
        let (count, put_off, stop) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::default());
        let at_work = (0..WRITERS).map(|number| {
            let name = format!("{prefix}-{number}");
            let counts = (Arc::clone(&count), Arc::clone(&put_off));
            tokio::spawn(write(door.clone(), name, counts, Arc::clone(&stop)))
        });
        let at_work = at_work.collect();
        Self { count, put_off, stop, at_work }
    }

    /// Waits until so many more are acknowledged, or nobody writes any more.
    async fn pass(&self, more: usize) {
        let goal = self.count.load(Ordering::SeqCst) + more;
        while self.count.load(Ordering::SeqCst) < goal
            && !self.at_work.iter().all(JoinHandle::is_finished)
        {
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = BTreeSet::new();
        for writer in self.at_work {
            all.extend(writer.await.expect("a writer ends"));
        }
        all
    }
}

/// Makes one product after the other until it is stopped or no answer comes; what is put off is
/// sent again, as clients do.
async fn write(
    door: Door,
    name: String,
    (count, put_off): (Arc<AtomicUsize>, Arc<AtomicUsize>),
    stop: Arc<AtomicBool>,
) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    while !stop.load(Ordering::SeqCst) {
        let id = format!("{name}-{}", acknowledged.len());
        let input = json!({ "i": { "id": id, "name": "n", "price": 1 } });
        let Some(answer) = door.ask(CREATE, input).await else { return acknowledged };
        if answer["data"]["p"]["id"] == json!(id) {
            acknowledged.insert(id);
            count.fetch_add(1, Ordering::SeqCst);
        } else {
            let kept = answer["errors"][0]["message"] == "Network Error";
            assert!(kept, "a client would give it up: {answer}");
            put_off.fetch_add(1, Ordering::SeqCst);
        }
    }
    acknowledged
}

/// Looks at the file: whole, with all that was acknowledged.
fn check(file: &Path, acknowledged: &BTreeSet<String>) {
    let file = Connection::open(file).expect("the file opens");
    let damage: String =
        file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a line");
    assert_eq!(damage, "ok");
    let keys = |sql: &str| {
        let mut statement = file.prepare(sql).expect("SQL");
        let keys = statement.query_map([], |row| row.get(0)).expect("rows");
        keys.collect::<Result<BTreeSet<String>, _>>().expect("keys")
    };
    let rows = keys("SELECT key FROM rows_Product WHERE json_extract(body, '$.name') = 'n'");
    assert_eq!(rows, keys("SELECT key FROM journal WHERE model = 'Product'"));
    let lost: Vec<&String> = acknowledged.difference(&rows).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_takes_up_a_push_and_loses_no_write() {
    let mut shop = Shop::open().await;
    let writers = Writers::begin(&shop.program.api(), "a");
    writers.pass(50).await;
    let mut socket = Socket::open(shop.address).await;
    socket.subscribe("s", "subscription s { onDeleteProduct { id } }", json!({})).await;
    let (code, said) = end_of(shop.push("schema.graphql", NEW)).await;
    assert_eq!(code, Some(0), "{said}");
    let ended = "Done: the running server serves the new schema\n";
    assert!(said.ends_with(ended), "{said}");
    // At once, and for good.
    let input = json!({ "i": { "id": "new", "name": "n", "origin": "Peru" } });
    let made = shop.program.api().ask(CREATE, input).await.expect("an answer");
    assert_eq!(made["data"]["p"]["id"], "new", "{made}");
    let found = shop.data("{ getProduct(id: \"new\") { origin } listDishes { items { id } } }");
    let expected = json!({ "getProduct": { "origin": "Peru" }, "listDishes": { "items": [] } });
    assert_eq!(found.await["data"], expected);
    // Who listens is told to come again, and then hears of what is new.
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "s" }));
    assert!(matches!(socket.next().await, Some(Message::Close(Some(_)))));
    let mut socket = Socket::open(shop.address).await;
    let query = "subscription s { onDeleteProduct { id origin } }";
    socket.subscribe("s", query, json!({})).await;
    writers.pass(50).await;
    // A second push takes something away again.
    let (code, said) = end_of(shop.push("old.graphql", OLD)).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("- field origin: LOSES the values of 1 record\n"), "{said}");
    assert!(said.contains("The server says: its own --schema "), "{said}");
    assert_eq!(shop.data(ORIGINS).await["errors"][0]["errorType"], "ValidationError");
    writers.pass(50).await;
    let acknowledged = writers.end().await;
    check(&shop.file("data.sqlite"), &acknowledged);
    // The server's own file says what it serves when it is started anew.
    shop.restart().await;
    let found = shop.data(ORIGINS).await;
    let items = found["data"]["productsByName"]["items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["origin"].is_null()), "{found}");
}

/// The same records by every door, under their new names.
async fn check_goods(shop: &Shop, since: &Json, price: f64) {
    let goods = json!([{ "id": "p", "title": "Bun", "price": price }]);
    let fields = "{ items { id title price } }";
    for door in [
        "listGoods".to_owned(),
        "listGoods(filter: { title: { eq: \"Bun\" } })".to_owned(),
        "goodsByTitle(title: \"Bun\")".to_owned(),
        "syncGoods".to_owned(),
        format!("syncGoods(lastSync: {since})"),
    ] {
        let found = shop.data(&format!("query q {{ found: {door} {fields} }}")).await;
        let items = found["data"]["found"]["items"].as_array().expect("items");
        // A delta tells every change.
        assert_eq!(items.last(), goods.get(0), "{door}: {found}");
        assert!(items.iter().all(|item| item["title"] == "Bun"), "{door}: {found}");
    }
    let found = shop.data("{ getGood(id: \"p\") { id title price } }").await;
    assert_eq!(found["data"]["getGood"], goods[0], "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_renamed_is_found_by_every_door() {
    let mut shop = Shop::open().await;
    let since = shop.data("{ syncProducts { startedAt } }").await;
    let since = since["data"]["syncProducts"]["startedAt"].clone();
    let input = json!({ "i": { "id": "p", "name": "Bun", "price": 2.5 } });
    let made = shop.program.api().ask(CREATE, input).await.expect("an answer");
    assert_eq!(made["data"]["p"]["id"], "p", "{made}");
    let renamed = "type Good @model @renamed(from: \"Product\") { id: ID! price: Float
        title: String! @renamed(from: \"name\")
            @index(name: \"byTitle\", queryField: \"goodsByTitle\") }";
    let (code, said) = end_of(shop.push("schema.graphql", renamed)).await;
    assert_eq!(code, Some(0), "{said}");
    let plan = "Good
  ~ rename Product to Good
  ~ rename Good.name to Good.title, in 1 record
  + index byTitle (title)
Done: ";
    assert!(said.starts_with(plan), "{said}");
    check_goods(&shop, &since, 2.5).await;
    let mut socket = Socket::open(shop.address).await;
    socket.subscribe("s", "subscription s { onUpdateGood { id title } }", json!({})).await;
    let update = "mutation m { updateGood(input: { id: \"p\", price: 3.5, _version: 1 }) \
                  { id title } }";
    let updated = shop.data(update).await;
    let told = json!({ "id": "p", "title": "Bun" });
    assert_eq!(updated["data"]["updateGood"], told, "{updated}");
    let heard = socket.hear().await;
    assert_eq!(heard["payload"]["data"]["onUpdateGood"]["title"], "Bun", "{heard}");
    let (code, said) = end_of(shop.push("schema.graphql", renamed)).await;
    assert_eq!((code, said.contains("agrees with the schema")), (Some(0), true), "{said}");
    shop.restart().await;
    check_goods(&shop, &since, 3.5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_serve_what_is_pushed_goes_on_as_it_was() {
    let (folder, address) = (TempDir::new().expect("a folder"), free_address());
    fs::write(folder.path().join("schema.graphql"), OLD).expect("it is written");
    let settings = "schema = 'schema.graphql'\n[models.Product]\nconflict = 'optimistic'\n";
    let config = folder.path().join("espressync.toml");
    fs::write(&config, settings).expect("it is written");
    let flags = ["--config", config.to_str().expect("text")];
    let schema = folder.path().join("schema.graphql");
    let program = Program::serving(&schema, folder.path(), address, &flags).await;
    let shop = Shop { folder, address, program };
    // The server's settings are about a model that the schema lacks.
    let (code, said) = end_of(shop.push("new.graphql", "type Cup @model { id: ID! }")).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the running server goes on with the old schema"), "{said}");
    assert!(said.contains("The server says: [models.Product] is about no model"), "{said}");
    let made = shop.program.api().ask(CREATE, json!({ "i": { "id": "p", "name": "n" } })).await;
    assert_eq!(made.expect("an answer")["data"]["p"]["id"], "p");
}

/// `ESPRESSYNC_CRASH_ROUNDS=100` says how often; `--nocapture` shows the figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_in_a_push_nothing_is_lost() {
    let rounds = std::env::var("ESPRESSYNC_CRASH_ROUNDS").ok();
    let rounds: usize = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(4);
    let mut shop = Shop::open().await;
    let (mut acknowledged, mut put_off, mut outlived) = (BTreeSet::new(), 0, 0);
    for round in 0..rounds {
        let writers = Writers::begin(&shop.program.api(), &format!("r{round}"));
        writers.pass(20).await;
        let schema = if round % 2 == 0 { NEW } else { OLD };
        let mut push = shop.push("pushed.graphql", schema);
        // At another moment each time.
        writers.pass(round * 37 % 150).await;
        if round % 4 < 2 {
            // The push: the server goes on, by one schema or the other.
            let _ = push.kill();
            writers.pass(20).await;
        } else {
            shop.program.kill();
        }
        put_off += writers.put_off.load(Ordering::SeqCst);
        acknowledged.extend(writers.end().await);
        let (_, said) = end_of(push).await;
        outlived += usize::from(said.contains("Done"));
        check(&shop.file("data.sqlite"), &acknowledged);
        shop.restart().await;
        check(&shop.file("data.sqlite"), &acknowledged);
    }
    let file = Connection::open(shop.file("data.sqlite")).expect("the file opens");
    let sql = "SELECT max(value) FROM meta WHERE name = 'pushes'";
    let pushes: Option<i64> = file.query_row(sql, [], |row| row.get(0)).expect("a row");
    #[allow(clippy::print_stderr, reason = "the figures of a proof")]
    {
        eprintln!(
            "{rounds} kills in a push: {} mutations acknowledged, none lost; {put_off} put off; \
             {} pushes were done, {outlived} of them outlived the kill",
            acknowledged.len(),
            pushes.unwrap_or_default()
        );
    }
}
