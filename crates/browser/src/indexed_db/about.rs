//! The record `about` in `meta`: a plain object that tells people what the database is. It is read
//! in DevTools, and by an older version that finds a newer database. Nothing else depends on it.

use rexie::TransactionMode;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::META;
use super::reader::Reader;

/// This software's version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

const KEY: &str = "about";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About {
    /// Of the software that opened the database last.
    pub(super) version: String,
    /// The version that made the database.
    made_by: String,
    made_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
}

impl About {
    /// A database made here and now.
    fn new(name: &str) -> Self {
        // As `database_name` puts it together; other names are good too.
        let parts = name.strip_prefix("espressync/").and_then(|name| name.split_once('/'));
        Self {
            version: VERSION.to_owned(),
            made_by: VERSION.to_owned(),
            made_at: js_sys::Date::new_0().to_iso_string().into(),
            namespace: parts.map(|(namespace, _)| namespace.to_owned()),
            endpoint: parts.map(|(_, endpoint)| endpoint.to_owned()),
        }
    }
}

/// The record; `None` when it is missing or is not what it should be.
pub(super) async fn read(database: &Reader) -> Option<About> {
    let meta = database.begin(&[META], TransactionMode::ReadOnly).ok()?.store(META).ok()?;
    let value = meta.get(KEY.into()).await.ok()??;
    serde_wasm_bindgen::from_value(value).ok()
}

/// Writes the record where there is none and where the version has changed. It is no reason not to
/// open a database that this cannot be done.
pub(super) async fn update(database: &Reader, name: &str) {
    let about = match read(database).await {
        Some(about) if about.version == VERSION => return,
        Some(about) => About { version: VERSION.to_owned(), ..about },
        None => About::new(name),
    };
    if let Ok(value) = serde_wasm_bindgen::to_value(&about) {
        write(database, &value).await;
    }
}

async fn write(database: &Reader, value: &JsValue) -> Option<()> {
    let transaction = database.begin(&[META], TransactionMode::ReadWrite).ok()?;
    transaction.store(META).ok()?.put(value, Some(&KEY.into())).await.ok()?;
    transaction.commit().await.ok()
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::super::reader::PATIENCE;
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    async fn fresh() -> (Reader, String) {
        let name = format!("espressync/till/https://till.example/{}", js_sys::Date::now());
        (Reader::open(&name, 1, PATIENCE).await.unwrap(), name)
    }

    #[wasm_bindgen_test]
    async fn it_is_written_once_and_again_for_another_version() {
        let (database, name) = fresh().await;
        assert_eq!(read(&database).await, None);
        update(&database, &name).await;
        let made = read(&database).await.unwrap();
        assert_eq!((made.version.as_str(), made.made_by.as_str()), (VERSION, VERSION));
        assert_eq!(made.namespace.as_deref(), Some("till"));
        assert_eq!(made.endpoint.as_deref(), name.strip_prefix("espressync/till/"));

        let old = About { version: "0.0.1".into(), made_by: "0.0.1".into(), ..made.clone() };
        write(&database, &serde_wasm_bindgen::to_value(&old).unwrap()).await.unwrap();
        update(&database, &name).await;
        let now = read(&database).await.unwrap();
        assert_eq!(now, About { made_by: "0.0.1".into(), ..made });
    }

    #[wasm_bindgen_test]
    async fn people_can_read_it() {
        let (database, name) = fresh().await;
        update(&database, &name).await;
        let meta = database.begin(&[META], TransactionMode::ReadOnly).unwrap().store(META).unwrap();
        let value = meta.get(KEY.into()).await.unwrap().unwrap();
        let member = |name: &str| js_sys::Reflect::get(&value, &name.into()).unwrap().as_string();
        assert_eq!(member("version").as_deref(), Some(VERSION));
        assert_eq!(member("namespace").as_deref(), Some("till"));
        assert!(member("madeAt").is_some_and(|at| at.starts_with("20") && at.ends_with('Z')));
    }

    #[wasm_bindgen_test]
    async fn what_is_odd_is_written_anew() {
        let (database, name) = fresh().await;
        write(&database, &"odd".into()).await.unwrap();
        assert_eq!(read(&database).await, None);
        update(&database, &name).await;
        assert!(read(&database).await.is_some());
    }
}
