//! IndexedDB by hand, as another program would use it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbFactory, IdbObjectStore, IdbRequest, IdbTransactionMode};

thread_local! {
    static NAMES: Cell<u32> = const { Cell::new(0) };
}

/// A database that no other test has used.
pub(crate) fn fresh_name() -> String {
    let number = NAMES.replace(NAMES.get() + 1);
    format!("espressync-test/{}/{number}", js_sys::Date::now())
}

fn factory() -> IdbFactory {
    Reflect::get(&js_sys::global(), &"indexedDB".into()).unwrap().unchecked_into()
}

async fn finish(request: &IdbRequest) -> JsValue {
    let promise = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(promise).await.unwrap();
    request.result().unwrap()
}

/// A connection that does not give way.
pub(crate) async fn open(name: &str, version: Option<u32>) -> IdbDatabase {
    let request = match version {
        Some(version) => factory().open_with_u32(name, version).unwrap(),
        None => factory().open(name).unwrap(),
    };
    finish(&request).await.unchecked_into()
}

pub(crate) async fn upgrade(name: &str, version: u32, new_store: &'static str) {
    let request = factory().open_with_u32(name, version).unwrap();
    let upgraded = request.clone();
    let upgrade = Closure::once_into_js(move || {
        let database: IdbDatabase = upgraded.result().unwrap().unchecked_into();
        database.create_object_store(new_store).unwrap();
    });
    request.set_onupgradeneeded(Some(upgrade.unchecked_ref()));
    finish(&request).await.unchecked_into::<IdbDatabase>().close();
}

pub(crate) async fn stores(name: &str) -> Vec<String> {
    let database = open(name, None).await;
    let names = database.object_store_names();
    database.close();
    (0..names.length()).filter_map(|index| names.get(index)).collect()
}

async fn with_log(name: &str, act: impl FnOnce(&IdbObjectStore) -> IdbRequest) -> JsValue {
    let database = open(name, None).await;
    let mode = IdbTransactionMode::Readwrite;
    let transaction = database.transaction_with_str_and_mode("log", mode).unwrap();
    let request = act(&transaction.object_store("log").unwrap());
    let result = finish(&request).await;
    database.close();
    result
}

pub(crate) async fn count(name: &str) -> u32 {
    let count = with_log(name, |log| log.count().unwrap()).await;
    count.as_f64().map(|count| count as u32).unwrap()
}

/// Reads all records and says how many there are.
pub(crate) async fn values(name: &str) -> u32 {
    with_log(name, |log| log.get_all().unwrap()).await.unchecked_into::<Array>().length()
}

pub(crate) async fn put(name: &str, key: impl Into<f64>, value: &JsValue) {
    let key = JsValue::from(key.into());
    with_log(name, |log| log.put_with_key(value, &key).unwrap()).await;
}

pub(crate) async fn remove(name: &str, key: u32) {
    with_log(name, |log| log.delete(&JsValue::from(key)).unwrap()).await;
}

/// Notes the durability of every transaction as long as it lives.
pub(crate) struct Watched {
    prototype: JsValue,
    before: JsValue,
    seen: Rc<RefCell<Vec<String>>>,
}

impl Watched {
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        Reflect::set(&self.prototype, &"transaction".into(), &self.before).unwrap();
    }
}

pub(crate) fn watch_durability() -> Watched {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let class = Reflect::get(&js_sys::global(), &"IDBDatabase".into()).unwrap();
    let prototype = Reflect::get(&class, &"prototype".into()).unwrap();
    let before = Reflect::get(&prototype, &"transaction".into()).unwrap();
    let note = {
        let seen = Rc::clone(&seen);
        Closure::<dyn FnMut(JsValue)>::new(move |durability: JsValue| {
            seen.borrow_mut().push(durability.as_string().unwrap_or_default());
        })
        .into_js_value()
    };
    let wrap = Function::new_with_args(
        "before, note",
        "return function (...args) {
            const begun = before.apply(this, args);
            note(begun.durability);
            return begun;
        }",
    );
    let wrapped = wrap.apply(&JsValue::NULL, &Array::of2(&before, &note)).unwrap();
    Reflect::set(&prototype, &"transaction".into(), &wrapped).unwrap();
    Watched { prototype, before, seen }
}
