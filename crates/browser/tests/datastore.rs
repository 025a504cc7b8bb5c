//! The whole DataStore on the browser's adapters: what was saved survives, and is sent once the
//! network is there.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::cell::RefCell;
use std::time::Duration;

use espressync_browser::{AppSync, BrowserClock, IndexedDb};
use espressync_client::{Config, DataStore, Write, Writes};
use espressync_model::{Field, FieldId, Key, Model, ModelId, Query, Row, Scalar, Schema};
use espressync_testkit::queries::conformance;
use espressync_wire::Auth;
use futures::StreamExt;
use futures::future::join_all;
use support::database::fresh_name;
use support::network::{Fetch, Sockets};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const PRODUCT: ModelId = ModelId(0);

async fn open(name: &str) -> DataStore {
    let product = Model::new("Product", "Products")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("price", Scalar::Float));
    open_with(Schema::new(vec![product]), name).await
}

async fn open_with(schema: Schema, name: &str) -> DataStore {
    let storage = IndexedDb::open(name).await.unwrap();
    let appsync =
        AppSync::new(schema.clone(), "https://till.example/graphql", Auth::ApiKey("key".into()))
            .with_timeout(Duration::from_secs(5));
    let opened = DataStore::open(schema, storage, appsync, BrowserClock, Config::default()).await;
    let (store, driver, _) = opened.unwrap();
    wasm_bindgen_futures::spawn_local(driver.run());
    store
}

fn save(id: &str, price: f64) -> Writes {
    Writes::new().and(Write::save(PRODUCT, Row::new(vec![id.into(), price.into()])))
}

fn prices(store: &DataStore) -> Vec<(String, f64)> {
    let records = store.records(PRODUCT, &Query::all().ascending(FieldId(0))).unwrap();
    let of = |row: &Row| {
        let price = row.get(FieldId(1)).as_number().unwrap();
        (row.get(FieldId(0)).as_text().unwrap().to_owned(), price)
    };
    records.iter().map(|record| of(&record.row)).collect()
}

#[wasm_bindgen_test]
async fn what_was_saved_is_there_after_a_reload() {
    let name = fresh_name();
    let store = open(&name).await;
    let saves = ["a", "b", "c"].map(|id| store.write(save(id, 2.5)));
    for saved in join_all(saves).await {
        saved.unwrap();
    }
    store
        .write(Writes::new().and(Write::save(PRODUCT, Row::new(vec!["a".into(), 3.0.into()]))))
        .await
        .unwrap();
    let expected = [("a".to_owned(), 3.0), ("b".to_owned(), 2.5), ("c".to_owned(), 2.5)];
    assert_eq!(prices(&store), expected);
    drop(store);
    assert_eq!(prices(&open(&name).await), expected);
}

#[wasm_bindgen_test]
async fn what_waits_is_sent_when_the_network_is_there() {
    let name = fresh_name();
    let store = open(&name).await;
    store.write(save("p1", 2.5)).await.unwrap();
    assert_eq!(store.status().pending, 1);
    drop(store);

    let _sockets = Sockets::new();
    let fetch = Fetch::answering(
        "const { query, variables } = log.asked.at(-1).body;
        const meta = { _version: 1, _lastChangedAt: 9, _deleted: null };
        const data = query.startsWith('mutation')
            ? { createProduct: { ...variables.input, ...meta } }
            : { syncProducts: { items: [], nextToken: null, startedAt: 9 } };
        return Response.json({ data });",
    );
    let store = open(&name).await;
    let mut statuses = Box::pin(store.observe_status());
    store.start();
    while let Some(status) = statuses.next().await {
        if status.pending == 0 {
            break;
        }
    }
    let asked = fetch.asked();
    let mutations: Vec<_> = (asked.as_array().unwrap().iter())
        .filter(|asked| asked["body"]["query"].as_str().unwrap().starts_with("mutation"))
        .map(|asked| asked["body"]["variables"]["input"].clone())
        .collect();
    assert_eq!(mutations, [serde_json::json!({ "id": "p1", "price": 2.5 })]);
    let record = store.records(PRODUCT, &Query::all()).unwrap().remove(0);
    assert_eq!(record.meta.version, 1);
    assert_eq!(store.schema().model(PRODUCT).key_of(&record.row), Ok(Key::from("p1")));
}

#[wasm_bindgen_test]
async fn queries_are_answered_as_by_every_data_store() {
    let name = RefCell::new(String::new());
    let open = async |schema: Schema, is_again: bool| {
        if !is_again {
            name.replace(fresh_name());
        }
        let name = name.borrow().clone();
        open_with(schema, &name).await
    };
    let checks = conformance(open).await;
    assert!(checks >= 400, "{checks} checks");
}
