//! Amplify's database, read as of one moment (contract 6.9). By hand: rexie's opening deletes the
//! stores that it is not told of.

use std::cell::Cell;
use std::rc::Rc;

use espressync_store::{StoreError, StoreErrorKind};
use espressync_wire::amplify::Stores;
use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbTransaction, IdbTransactionMode,
};

use crate::indexed_db::{answer, from_js};

const ROWS: &str = "user_";
const METADATA: &str = "sync_ModelMetadata";
const EVENTS: &str = "sync_MutationEvent";

/// All that the database holds; `None` when there is none, or one that is not Amplify's.
pub(super) async fn read(name: &str) -> Result<Option<Stores>, StoreError> {
    let Some(database) = open(name).await? else { return Ok(None) };
    let read = read_all(&database).await;
    database.close();
    read
}

/// Opens a database that is there. Opening would make one that is not, which is called off.
async fn open(name: &str) -> Result<Option<IdbDatabase>, StoreError> {
    let what = format!("opening Amplify's database `{name}`");
    let factory = Reflect::get(&js_sys::global(), &"indexedDB".into()).unwrap_or_default();
    let Ok(factory) = factory.dyn_into::<IdbFactory>() else {
        let message = format!("{what}: this browser offers no IndexedDB here");
        return Err(StoreError::new(StoreErrorKind::Unavailable, message));
    };
    let request = factory.open(name).map_err(|error| from_js(&what, &error))?;
    let is_new = Rc::new(Cell::new(false));
    let upgrade = Closure::<dyn FnMut(Event)>::new({
        let is_new = Rc::clone(&is_new);
        move |event: Event| {
            is_new.set(true);
            let request = event.target().and_then(|it| it.dyn_into::<IdbOpenDbRequest>().ok());
            // Nothing is left of it if this fails but an empty database.
            let _ = request.and_then(|it| it.transaction()).map(|it| it.abort());
            event.prevent_default();
        }
    });
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    let opened = answer(&request, &what).await;
    request.set_onupgradeneeded(None);
    match opened {
        _ if is_new.get() => Ok(None),
        opened => Ok(Some(opened?.unchecked_into())),
    }
}

async fn read_all(database: &IdbDatabase) -> Result<Option<Stores>, StoreError> {
    let names = database.object_store_names();
    let names: Vec<String> = (0..names.length()).filter_map(|index| names.get(index)).collect();
    let is_there = |name: &str| names.iter().any(|it| it == name);
    if !is_there(METADATA) || !is_there(EVENTS) {
        return Ok(None);
    }
    let of_models = names.iter().filter(|name| name.starts_with(ROWS));
    let wanted: Vec<&String> = of_models
        .chain(names.iter().filter(|name| [METADATA, EVENTS].contains(&name.as_str())))
        .collect();
    let list: Array = wanted.iter().map(|name| JsValue::from(name.as_str())).collect();
    let transaction = database
        .transaction_with_str_sequence_and_mode(&list, IdbTransactionMode::Readonly)
        .map_err(|error| from_js("reading Amplify's database", &error))?;
    let mut stores = Stores::default();
    for name in wanted {
        let rows = rows(&transaction, name).await?;
        match name.as_str() {
            METADATA => stores.metadata = rows,
            EVENTS => stores.events = rows,
            model => stores.models.push((model[ROWS.len()..].to_owned(), rows)),
        }
    }
    Ok(Some(stores))
}

/// A store's rows in the order of their keys, as JSON.
async fn rows(transaction: &IdbTransaction, store: &str) -> Result<String, StoreError> {
    let what = format!("reading `{store}` of Amplify's database");
    let failed = |error: JsValue| from_js(&what, &error);
    let request = transaction.object_store(store).and_then(|it| it.get_all()).map_err(failed)?;
    let rows = answer(&request, &what).await?;
    JSON::stringify(&rows).map(String::from).map_err(failed)
}
