//! A database of Amplify's layout in a real browser, taken over.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::rc::Rc;

use espressync_browser::{AmplifyError, IfUnreadable, Imported, IndexedDb, import_from_amplify};
use espressync_client::{ClientError, SyncError};
use espressync_model::{Field, FieldId, Key, Model, ModelId, Scalar, Schema};
use espressync_store::{Storage, Store};
use js_sys::{Function, Promise};
use support::database::{count, fresh_name, stores};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const PRODUCT: ModelId = ModelId(0);

fn schema() -> Schema {
    let product = Model::new("Product", "Products")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("name", Scalar::String).required())
        .field(Field::new("stock", Scalar::Int));
    Schema::new(vec![product])
}

/// Makes a database as Amplify 6 does: out-of-line keys, `byPk` over the key array, version 3.
/// `events` is a list of JavaScript objects.
async fn amplify(events: &str) -> String {
    let name = fresh_name();
    let script = format!(
        "return new Promise((resolve, reject) => {{
            const request = indexedDB.open(name, 3);
            request.onerror = reject;
            request.onupgradeneeded = () => {{
                for (const store of ['user_Product', 'user_Old', 'sync_MutationEvent',
                    'sync_ModelMetadata', 'datastore_Setting']) {{
                    request.result.createObjectStore(store, {{ autoIncrement: true }})
                        .createIndex('byPk', ['id'], {{ unique: true }});
                }}
            }};
            request.onsuccess = () => {{
                const database = request.result;
                const all = [...database.objectStoreNames];
                const writing = database.transaction(all, 'readwrite');
                const add = (store, row) => writing.objectStore(store).add(row);
                for (let n = 0; n < 1000; n++) {{
                    add('user_Product', {{
                        id: 'p' + n, name: 'Tea', stock: n < 50 ? 100 : n,
                        _version: 1, _lastChangedAt: 1700000000000, _deleted: undefined,
                    }});
                }}
                add('user_Old', {{ id: 'o' }});
                add('sync_ModelMetadata', {{ id: 'm', namespace: 'user', model: 'Product',
                    lastSync: 9, lastFullSync: 5, fullSyncInterval: 1, lastSyncPredicate: null }});
                add('datastore_Setting', {{ id: 's', key: 'schemaVersion', value: '\"1\"' }});
                for (const event of {events}) add('sync_MutationEvent', event);
                writing.oncomplete = () => {{ database.close(); resolve(); }};
                writing.onerror = reject;
            }};
        }});"
    );
    let make = Function::new_with_args("name", &script);
    let made = make.call1(&JsValue::NULL, &JsValue::from(&name)).unwrap();
    JsFuture::from(made.unchecked_into::<Promise>()).await.unwrap();
    name
}

const FIFTY: &str = "Array.from({ length: 50 }, (_, n) => ({
    id: 'e' + String(n).padStart(3, '0'), model: 'Product', operation: 'Update',
    modelId: 'p' + n, condition: '{}',
    data: JSON.stringify({ id: 'p' + n, stock: 100, _version: 1, _lastChangedAt: 1 }),
}))";

async fn import(
    from: &str,
    to: &str,
    if_unreadable: IfUnreadable,
) -> Result<Imported, AmplifyError> {
    let storage = IndexedDb::open(to).await.unwrap();
    let imported = import_from_amplify(&schema(), from, &storage, if_unreadable).await;
    storage.close();
    imported
}

async fn opened(name: &str) -> Store {
    let storage = IndexedDb::open(name).await.unwrap();
    Store::open(Rc::new(schema()), storage.load().await.unwrap()).unwrap().0
}

#[wasm_bindgen_test]
async fn rows_cursors_and_queue_are_taken_over_once() {
    let (from, to) = (amplify(FIFTY).await, fresh_name());
    let before = stores(&from).await;
    let imported = import(&from, &to, IfUnreadable::Refuse).await.unwrap();
    let Imported::Now(report) = imported else { panic!("{imported:?}") };
    assert_eq!(report.taken.records.get("Product"), Some(&1_000));
    assert_eq!((report.taken.waiting, report.taken.was_here), (50, false));
    assert_eq!(report.unknown, ["Old"]);
    let store = opened(&to).await;
    assert_eq!(store.live_count(PRODUCT), 1_000);
    let order: Vec<_> = store.outbox().iter().map(|(_, key, _)| key.to_string()).collect();
    assert_eq!(order, (0..50).map(|number| format!("p{number}")).collect::<Vec<_>>());
    let first = store.record(PRODUCT, &Key::from("p0")).unwrap();
    assert_eq!((first.row.get(FieldId(2)), first.meta.version), (&100.into(), 1));
    assert_eq!(store.cursor(PRODUCT).map(|cursor| cursor.last_sync.0), Some(9));

    let written = count(&to).await;
    let again = import(&from, &to, IfUnreadable::Refuse).await;
    assert_eq!(again, Ok(Imported::Before));
    assert_eq!(count(&to).await, written);
    assert_eq!(stores(&from).await, before, "the old database is as it was");
}

#[wasm_bindgen_test]
async fn a_run_that_ended_before_the_mark_is_finished_by_the_next() {
    let (from, to) = (amplify(FIFTY).await, fresh_name());
    import(&from, &to, IfUnreadable::Refuse).await.unwrap();
    let forget = Function::new_with_args(
        "name",
        "return new Promise(resolve => {
            const request = indexedDB.open(name);
            request.onsuccess = () => {
                const writing = request.result.transaction('meta', 'readwrite');
                writing.objectStore('meta').delete('amplify');
                writing.oncomplete = () => { request.result.close(); resolve(); };
            };
        });",
    );
    let forgotten = forget.call1(&JsValue::NULL, &JsValue::from(&to)).unwrap();
    JsFuture::from(forgotten.unchecked_into::<Promise>()).await.unwrap();
    let written = count(&to).await;
    let again = import(&from, &to, IfUnreadable::Refuse).await.unwrap();
    let Imported::Now(report) = again else { panic!("{again:?}") };
    assert!(report.taken.was_here);
    assert_eq!(count(&to).await, written);
    assert_eq!(import(&from, &to, IfUnreadable::Refuse).await, Ok(Imported::Before));

    // Another app's database does not go on top.
    let other = amplify("[]").await;
    let full = fresh_name();
    import(&other, &full, IfUnreadable::Refuse).await.unwrap();
    let forgotten = forget.call1(&JsValue::NULL, &JsValue::from(&full)).unwrap();
    JsFuture::from(forgotten.unchecked_into::<Promise>()).await.unwrap();
    let refused = import(&from, &full, IfUnreadable::Refuse).await;
    let expected = ClientError::Write(SyncError::NotEmpty { count: 1_000 });
    assert_eq!(refused, Err(AmplifyError::Client(expected)));
}

#[wasm_bindgen_test]
async fn a_change_that_cannot_be_read_is_not_lost_without_a_word() {
    let bad = "[{ id: 'e', model: 'Product', operation: 'Update', modelId: 'p1', data: '{' }]";
    let (from, to) = (amplify(bad).await, fresh_name());
    let refused = import(&from, &to, IfUnreadable::Refuse).await.unwrap_err();
    assert!(refused.to_string().contains("the queued change of Product p1"), "{refused}");
    assert_eq!(opened(&to).await.live_count(PRODUCT), 0);
    let imported = import(&from, &to, IfUnreadable::LeaveOut).await.unwrap();
    let Imported::Now(report) = imported else { panic!("{imported:?}") };
    assert_eq!(report.unreadable_changes.len(), 1);
    assert_eq!(report.taken.waiting, 0);
}

#[wasm_bindgen_test]
async fn no_database_is_made_where_none_is() {
    let (from, to) = (fresh_name(), fresh_name());
    let nothing = import(&from, &to, IfUnreadable::Refuse).await;
    assert_eq!(nothing, Ok(Imported::NothingThere));
    let names =
        Function::new_no_args("return indexedDB.databases().then(all => all.map(it => it.name));");
    let names = names.call0(&JsValue::NULL).unwrap();
    let names = JsFuture::from(names.unchecked_into::<Promise>()).await.unwrap();
    assert!(!names.unchecked_into::<js_sys::Array>().includes(&JsValue::from(&from), 0));
}
