//! The program is killed (`kill -9`) over and over while eight writers are at it, and started again
//! on the same file. Each writer sends what was not answered once more, and goes on. That is a
//! crash of the program. A power cut would try the disk too, which no test here does: against it
//! there is the flush at every commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::program::{Door, Program, free_address};

const WRITERS: usize = 8;

/// What becomes of each product, a version a step.
const LIFE: [Step; 8] = [
    Step::Create,
    Step::Update,
    Step::Update,
    Step::Delete,
    Step::Undelete,
    Step::Update,
    Step::Update,
    Step::Delete,
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Create,
    Update,
    Delete,
    Undelete,
}

/// A writer that makes one product after the other, each known to nobody else.
#[derive(Debug, Clone)]
struct Writer {
    number: usize,
    product: usize,
    /// How many steps of the product's life are acknowledged.
    done: usize,
}

impl Writer {
    fn id(&self, product: usize) -> String {
        format!("w{}-{product}", self.number)
    }

    /// The next step, made on the version that is acknowledged. Each sets a price of its own.
    fn mutation(&self) -> (&'static str, Json) {
        let (id, version) = (self.id(self.product), self.done);
        let price = price(version + 1);
        match LIFE[self.done] {
            Step::Create => (
                "mutation m($i: CreateProductInput!) { p: createProduct(input: $i) {
                    _version _deleted } }",
                json!({ "i": { "id": id, "name": "x", "price": price } }),
            ),
            Step::Update => (
                "mutation m($i: UpdateProductInput!) { p: updateProduct(input: $i) {
                    _version _deleted } }",
                json!({ "i": { "id": id, "price": price, "_version": version } }),
            ),
            Step::Delete => (
                "mutation m($i: DeleteProductInput!) { p: deleteProduct(input: $i) {
                    _version _deleted } }",
                json!({ "i": { "id": id, "_version": version } }),
            ),
            Step::Undelete => (
                "mutation m($i: UndeleteProductInput!) { p: undeleteProduct(input: $i) {
                    _version _deleted } }",
                json!({ "i": { "id": id, "_version": version } }),
            ),
        }
    }

    /// Writes until no answer comes.
    async fn work(mut self, door: Door, count: Arc<AtomicUsize>) -> Self {
        loop {
            let (query, variables) = self.mutation();
            let Some(answer) = door.ask(query, variables).await else { return self };
            let step = LIFE[self.done];
            let is_deleted = if step == Step::Delete { json!(true) } else { json!(null) };
            let expected = json!({ "_version": self.done + 1, "_deleted": is_deleted });
            assert_eq!(answer["data"]["p"], expected, "{self:?}: {answer}");
            self.done += 1;
            if self.done == LIFE.len() {
                (self.product, self.done) = (self.product + 1, 0);
            }
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The price that a version has: that of the last create or update.
fn price(version: usize) -> f64 {
    let is_priced = |version: &usize| matches!(LIFE[version - 1], Step::Create | Step::Update);
    let last = (1..=version).rev().find(is_priced).unwrap_or_default();
    f64::from(u32::try_from(last).expect("small"))
}

/// Version, whether deleted, price.
type Image = (i64, bool, f64);

/// The rows of one table by key, in the order of versions.
fn images(file: &Connection, table: &str) -> BTreeMap<String, Vec<Image>> {
    let sql = format!(
        "SELECT key, version, deleted, json_extract(body, '$.price') FROM {table} ORDER BY version"
    );
    let mut statement = file.prepare(&sql).expect("SQL");
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    });
    let mut images: BTreeMap<String, Vec<Image>> = BTreeMap::new();
    for row in rows.expect("rows") {
        let (key, image) = row.expect("a row");
        images.entry(key).or_default().push(image);
    }
    images
}

/// Looks at the file after a kill. Returns how many changes it holds.
fn check(file: &Path, writers: &[Writer]) -> usize {
    let file = Connection::open(file).expect("the file opens");
    let damage: String =
        file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a line");
    assert_eq!(damage, "ok");
    let (rows, journal) = (images(&file, "rows_Product"), images(&file, "journal"));
    // No change without its record, and no record without its change.
    assert!(rows.keys().eq(journal.keys()), "of some product only one half is there");
    for (key, versions) in &journal {
        // Each version once, from the first on, with what that step wrote.
        for ((version, step), image) in (1..).zip(LIFE).zip(versions) {
            let expected =
                (version, step == Step::Delete, price(usize::try_from(version).expect("small")));
            assert_eq!(*image, expected, "{key}: {versions:?}");
        }
        assert!(versions.len() <= LIFE.len(), "{key}: {versions:?}");
        assert_eq!(rows[key].as_slice(), &versions[versions.len() - 1..], "{key}");
    }
    for writer in writers {
        for product in 0..=writer.product {
            let known = if product < writer.product { LIFE.len() } else { writer.done };
            let stored = journal.get(&writer.id(product)).map_or(0, Vec::len);
            // What was acknowledged, and at most the one step that was under way beyond it.
            let most = if product < writer.product { known } else { known + 1 };
            assert!(known <= stored && stored <= most, "{writer:?} {product}: {stored}");
        }
        assert!(!journal.contains_key(&writer.id(writer.product + 1)), "{writer:?}");
    }
    journal.values().map(Vec::len).sum()
}

/// Nothing that was acknowledged is lost, nothing is doubled, and no half of a write is there.
/// `ESPRESSYNC_CRASH_ROUNDS=100` says how often; `--nocapture` shows the figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_in_the_middle_of_writes_lose_nothing() {
    let rounds = std::env::var("ESPRESSYNC_CRASH_ROUNDS").ok();
    let rounds = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(4);
    let folder = TempDir::new().expect("a folder");
    let (address, file) = (free_address(), folder.path().join("data.sqlite"));
    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|number| Writer { number, product: 0, done: 0 }).collect();
    let mut acknowledged = 0;
    let mut stored = 0;
    for round in 0..rounds {
        let mut program = Program::start(folder.path(), address, &[]).await;
        let count = Arc::new(AtomicUsize::new(0));
        let at_work: Vec<_> = writers
            .into_iter()
            .map(|writer| tokio::spawn(writer.work(program.api(), Arc::clone(&count))))
            .collect();
        // Killed at another moment each time.
        let enough = 20 + (round * 37) % 150;
        while count.load(Ordering::SeqCst) < enough && !at_work.iter().all(|it| it.is_finished()) {
            tokio::task::yield_now().await;
        }
        program.kill();
        writers = Vec::new();
        for writer in at_work {
            writers.push(writer.await.expect("a writer ends"));
        }
        acknowledged += count.load(Ordering::SeqCst);
        stored = check(&file, &writers);
    }
    let unanswered = stored - acknowledged.min(stored);
    #[allow(clippy::print_stderr, reason = "the figures of a proof")]
    {
        eprintln!(
            "{rounds} kills: {acknowledged} mutations acknowledged, {stored} stored, \
             {unanswered} of them unanswered when the last kill came"
        );
    }
}
