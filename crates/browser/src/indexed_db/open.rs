use std::pin::pin;

use espressync_store::{StoreError, StoreErrorKind};
use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::Reflect;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbDatabase, IdbFactory, IdbObjectStoreParameters, IdbOpenDbRequest};

use super::error::from_js;
use super::request::answer;
use super::{LOG, META, SEGMENTS};

/// Version of the database's layout. What its records hold has versions of its own.
pub(super) const VERSION: u32 = 1;

/// Opens a database and brings it to this version.
pub(super) async fn open(name: &str, version: u32) -> Result<IdbDatabase, StoreError> {
    let what = format!("opening the database `{name}`");
    let request = factory()?.open_with_u32(name, version);
    let request = request.map_err(|error| from_js(&what, &error))?;
    let upgrade = Closure::once({
        let request = request.clone();
        move |_: Event| upgrade(&request)
    });
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    match answer_unless_blocked(&request, &what).await? {
        Some(database) => {
            request.set_onupgradeneeded(None);
            Ok(database.unchecked_into())
        }
        None => {
            give_up(&request);
            let message = format!("{what}: another tab holds an older version open; close it");
            Err(StoreError::new(StoreErrorKind::Superseded, message))
        }
    }
}

/// Deletes a database.
pub(super) async fn delete(name: &str) -> Result<(), StoreError> {
    let what = format!("deleting the database `{name}`");
    let request = factory()?.delete_database(name).map_err(|error| from_js(&what, &error))?;
    match answer_unless_blocked(&request, &what).await? {
        Some(_) => Ok(()),
        None => {
            let message = format!("{what}: another tab holds it open; it goes when that closes");
            Err(StoreError::new(StoreErrorKind::Superseded, message))
        }
    }
}

/// The request's result; `None` when other connections stand in its way. They are asked to close
/// first, which every handle of ours does.
async fn answer_unless_blocked(
    request: &IdbOpenDbRequest,
    what: &str,
) -> Result<Option<JsValue>, StoreError> {
    let (told, blocked) = oneshot::channel();
    let handler = Closure::once(move |_: Event| {
        let _ = told.send(());
    });
    request.set_onblocked(Some(handler.as_ref().unchecked_ref()));
    let outcome = match select(pin!(answer(request, what)), blocked).await {
        Either::Left((answer, _)) => answer.map(Some),
        Either::Right(_) => Ok(None),
    };
    request.set_onblocked(None);
    outcome
}

/// A blocked request is not over: when the others close, it upgrades after all, for nobody.
fn give_up(request: &IdbOpenDbRequest) {
    let later = request.clone();
    let undo = Closure::once_into_js(move |_: Event| {
        if let Some(transaction) = later.transaction() {
            let _ = transaction.abort();
        }
    });
    request.set_onupgradeneeded(Some(undo.unchecked_ref()));
}

/// Makes what is missing and deletes nothing. When that fails, the database stays as it was.
fn upgrade(request: &IdbOpenDbRequest) {
    let Ok(database) = request.result().map(JsCast::unchecked_into::<IdbDatabase>) else { return };
    if create_stores(&database).is_err()
        && let Some(transaction) = request.transaction()
    {
        let _ = transaction.abort();
    }
}

fn create_stores(database: &IdbDatabase) -> Result<(), JsValue> {
    let existing = database.object_store_names();
    let numbered = IdbObjectStoreParameters::new();
    numbered.set_auto_increment(true);
    if !existing.contains(LOG) {
        database.create_object_store_with_optional_parameters(LOG, &numbered)?;
    }
    for name in [SEGMENTS, META] {
        if !existing.contains(name) {
            database.create_object_store(name)?;
        }
    }
    Ok(())
}

fn factory() -> Result<IdbFactory, StoreError> {
    let found = Reflect::get(&js_sys::global(), &"indexedDB".into());
    let factory = found.ok().and_then(|factory| factory.dyn_into::<IdbFactory>().ok());
    factory.ok_or_else(|| {
        let message = "this browser offers no IndexedDB here; a private window or blocked site \
                       data may be the reason";
        StoreError::new(StoreErrorKind::Unavailable, message)
    })
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// A connection of this module's own `open` gives way to nobody; `IndexedDb` does.
    #[wasm_bindgen_test]
    async fn an_upgrade_that_is_blocked_says_so_and_never_happens() {
        let name = format!("espressync-test/blocked/{}", js_sys::Date::now());
        let old = open(&name, 1).await.unwrap();
        let error = open(&name, 2).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Superseded, "{error}");
        old.close();
        let again = open(&name, 1).await.unwrap();
        assert_eq!(again.object_store_names().length(), 3);
        again.close();
        delete(&name).await.unwrap();
    }

    #[wasm_bindgen_test]
    async fn an_upgrade_keeps_the_stores_it_does_not_know() {
        let name = format!("espressync-test/upgrade/{}", js_sys::Date::now());
        let request = factory().unwrap().open_with_u32(&name, 1).unwrap();
        let made = request.clone();
        let make = Closure::once_into_js(move |_: Event| {
            let database: IdbDatabase = made.result().unwrap().unchecked_into();
            database.create_object_store("foreign").unwrap();
            database.create_object_store(META).unwrap();
        });
        request.set_onupgradeneeded(Some(make.unchecked_ref()));
        let made = answer(&request, "opening").await.unwrap();
        made.unchecked_into::<IdbDatabase>().close();
        let upgraded = open(&name, 2).await.unwrap();
        let names = upgraded.object_store_names();
        let names: Vec<_> = (0..names.length()).filter_map(|index| names.get(index)).collect();
        assert_eq!(names, ["foreign", LOG, META, SEGMENTS]);
        upgraded.close();
    }
}
