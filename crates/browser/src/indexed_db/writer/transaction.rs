use espressync_store::{Durability, StoreError, StoreErrorKind};
use futures::channel::oneshot;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbDatabase, IdbObjectStore, IdbTransaction};

use super::super::error::{from_exception, from_js};

/// A transaction that writes, and is undone when it is dropped before it was committed.
pub(super) struct Transaction {
    raw: IdbTransaction,
    /// Whether it has committed.
    ended: oneshot::Receiver<bool>,
    _handler: Closure<dyn FnMut(Event)>,
}

impl Transaction {
    pub(super) fn begin(
        database: &IdbDatabase,
        stores: &[&str],
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let raw = begin_raw(database, stores, durability)
            .map_err(|error| from_js("beginning a transaction", &error))?;
        let (told, ended) = oneshot::channel();
        let handler = Closure::once(move |event: Event| {
            let _ = told.send(event.type_() == "complete");
        });
        let function = handler.as_ref().unchecked_ref();
        raw.set_oncomplete(Some(function));
        raw.set_onabort(Some(function));
        Ok(Self { raw, ended, _handler: handler })
    }

    pub(super) fn store(&self, name: &str) -> Result<IdbObjectStore, StoreError> {
        self.raw.object_store(name).map_err(|error| from_js("opening a store", &error))
    }

    /// Commits, and resolves when it is as durable as was asked for.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        const WHAT: &str = "committing";
        // It would commit by itself, only later. It throws when a request has failed, and then the
        // event that follows says so.
        #[allow(
            deprecated,
            reason = "a draft of the standard had left it out; all browsers have it"
        )]
        let _ = self.raw.commit();
        if (&mut self.ended).await == Ok(true) {
            return Ok(());
        }
        Err(match self.raw.error() {
            Some(exception) => from_exception(WHAT, &exception),
            None => StoreError::new(StoreErrorKind::Aborted, "the transaction was aborted"),
        })
    }

    /// Undoes everything, and resolves when that is done.
    pub(super) async fn abort(mut self) -> Result<(), StoreError> {
        self.raw.abort().map_err(|error| from_js("aborting", &error))?;
        // The handler lives as long as this transaction, so it is heard.
        let _ = (&mut self.ended).await;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.raw.set_oncomplete(None);
        self.raw.set_onabort(None);
        // After its end it throws, which is fine.
        let _ = self.raw.abort();
    }
}

/// `database.transaction(stores, "readwrite", {durability})`, which web-sys counts as unstable.
fn begin_raw(
    database: &IdbDatabase,
    stores: &[&str],
    durability: Durability,
) -> Result<IdbTransaction, JsValue> {
    let durability = match durability {
        Durability::Relaxed => "relaxed",
        Durability::Strict => "strict",
    };
    let options = Object::new();
    Reflect::set(&options, &"durability".into(), &durability.into())?;
    let begin: Function = Reflect::get(database, &"transaction".into())?.dyn_into()?;
    let stores: Array = stores.iter().map(|store| JsValue::from(*store)).collect();
    begin.call3(database, &stores, &"readwrite".into(), &options)?.dyn_into()
}
