//! Puts the engine together: the log in IndexedDB, the way to the server, clock and connectivity.

use std::cell::Cell;
use std::rc::Rc;

use espressync_browser::{AppSync, Auth, BrowserClock, Connectivity, IndexedDb, database_name};
use espressync_client::{ClientError, Config, DataStore, OpenReport};
use futures::StreamExt as _;
use gloo_timers::future::TimeoutFuture;
use leptos::logging::warn;
use leptos::task::spawn_local;

use crate::app_store::Engine;
use crate::app_store::error::AppError;
use crate::models;
use crate::platform::pairing::{self, Kept, Pairing};
use crate::platform::{identity, screen};

/// The API of the server that handed out the app.
const ENDPOINT: &str = "/graphql";

/// Where a till keeps its records until its server gets another database. What it sells before it
/// meets its first server is there too, and is sent once it does.
const FIRST_NAMESPACE: &str = "till";

/// How long a till without a server waits before it asks for one again, in milliseconds.
const ASK_AGAIN_MS: u32 = 15_000;

/// Opens the engine. A till that has never met a server works alone until it does.
pub(super) async fn open() -> Result<Engine, AppError> {
    let kept = pairing::kept();
    let namespace = kept.as_ref().map_or(FIRST_NAMESPACE, |kept| kept.namespace.as_str());
    let disk = IndexedDb::open(&database_name(namespace, ENDPOINT)).await;
    let disk = disk.map_err(ClientError::from)?;
    let key = kept.as_ref().map(|kept| kept.pairing.api_key.clone()).unwrap_or_default();
    let server = Rc::new(AppSync::new(models::schema(), ENDPOINT, Auth::ApiKey(key)));
    let config = Config { seed: identity::seed(), ..Config::default() };
    let opened =
        DataStore::open(models::schema(), disk, Rc::clone(&server), BrowserClock, config).await;
    let (store, driver, report) = opened?;
    say(&report);
    spawn_local(driver.run());
    spawn_local(watch_connection(store.clone()));
    let has_server = Rc::new(Cell::new(kept.is_some()));
    let till = Till { server, store: store.clone(), has_server: Rc::clone(&has_server) };
    match kept {
        Some(kept) => spawn_local(till.renew_and_start(kept)),
        None => till.pair(pairing::ask().await),
    }
    Ok(Engine { store, has_server })
}

/// Tells the engine what the browser thinks of the network, and that the page is looked at again.
async fn watch_connection(store: DataStore) {
    let mut news = Connectivity::watch();
    while let Some(is_online) = news.next().await {
        store.set_online(is_online);
    }
}

/// A till on its way to its server.
struct Till {
    server: Rc<AppSync>,
    store: DataStore,
    has_server: Rc<Cell<bool>>,
}

impl Till {
    /// Begins to sync with the first server it meets; without one it goes on asking.
    fn pair(self, asked: Option<Pairing>) {
        match asked {
            Some(pairing) => {
                self.server.set_auth(Auth::ApiKey(pairing.api_key.clone()));
                pairing::keep(&Kept { pairing, namespace: FIRST_NAMESPACE.to_owned() });
                self.has_server.set(true);
                self.store.start();
            }
            None => spawn_local(async move {
                TimeoutFuture::new(ASK_AGAIN_MS).await;
                self.pair(pairing::ask().await);
            }),
        }
    }

    /// Begins to sync with what the server now says of itself. One that has got another database
    /// gets a till that begins anew beside the old, as soon as nothing waits to be sent from
    /// that; until then nothing of the old one is sent to the new.
    async fn renew_and_start(self, kept: Kept) {
        if let Some(renewed) = pairing::ask().await {
            let is_same = renewed.database == kept.pairing.database;
            self.server.set_auth(Auth::ApiKey(renewed.api_key.clone()));
            if is_same {
                pairing::keep(&Kept { pairing: renewed, ..kept });
            } else if self.has_unsent() {
                warn!("the server has another database, and changes for the old one wait here");
                return;
            } else {
                let namespace = renewed.database.clone().unwrap_or(kept.namespace);
                pairing::keep(&Kept { pairing: renewed, namespace });
                return screen::reload();
            }
        }
        self.store.start();
    }

    fn has_unsent(&self) -> bool {
        let status = self.store.status();
        status.pending + status.rejected > 0
    }
}

fn say(report: &OpenReport) {
    for (position, reason) in &report.unreadable {
        warn!("{reason}; left aside at {}, and read from the server again", position.0);
    }
}
