//! The browser's side of a DataStore: IndexedDB, fetch, WebSocket, time and the network's events.
//!
//! Each type is the browser's form of one of `client`'s or `store`'s traits and decides nothing:
//! no retry, no merge, no schedule. Everything works in a page and in a worker, and dropping a
//! value releases what it holds: a request is aborted, a socket closed, a listener removed.
//!
//! ```no_run
//! # async fn open(schema: espressync_model::Schema) -> Result<(), Box<dyn std::error::Error>> {
//! use espressync_browser::{AppSync, BrowserClock, Connectivity, IndexedDb, database_name};
//! use espressync_client::{Config, DataStore};
//! use espressync_browser::Auth;
//! use futures::StreamExt;
//!
//! let endpoint = "https://till.example/graphql";
//! let storage = IndexedDb::open(&database_name("till", endpoint)).await?;
//! let appsync = AppSync::new(schema.clone(), endpoint, Auth::ApiKey("da2-key".into()));
//! let (store, driver, _) =
//!     DataStore::open(schema, storage, appsync, BrowserClock, Config::default()).await?;
//! wasm_bindgen_futures::spawn_local(driver.run());
//! let mut connectivity = Connectivity::watch();
//! while let Some(is_online) = connectivity.next().await {
//!     store.set_online(is_online);
//! }
//! # Ok(())
//! # }
//! ```

mod amplify;
mod appsync;
mod clock;
mod connectivity;
mod indexed_db;
mod link;
mod listener;
mod scope;

pub use amplify::{
    AmplifyError, AmplifyReport, IfUnreadable, Imported, amplify_database_name, import_from_amplify,
};
pub use appsync::AppSync;
pub use clock::BrowserClock;
pub use connectivity::Connectivity;
pub use espressync_wire::Auth;
pub use indexed_db::{IndexedDb, database_name};
pub use link::Link;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
