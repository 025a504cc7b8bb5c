//! Puts the engine together: the log in IndexedDB, the way to the server, clock and connectivity.

use std::rc::Rc;

use espressync_browser::{AppSync, Auth, BrowserClock, Connectivity, IndexedDb, database_name};
use espressync_client::{ClientError, Config, DataStore, OpenReport};
use futures::StreamExt as _;
use leptos::logging::warn;
use leptos::task::spawn_local;

use crate::app_store::Engine;
use crate::app_store::error::AppError;
use crate::models;
use crate::platform::pairing::{self, Pairing};
use crate::platform::{identity, screen};

/// The API of the server that handed out the app.
const ENDPOINT: &str = "/graphql";

/// Opens the engine. A till that has never met a server works alone until it does.
pub(super) async fn open() -> Result<Engine, AppError> {
    let kept = pairing::kept();
    let pairing = match &kept {
        Some(kept) => Some(kept.clone()),
        None => pairing::ask().await,
    };
    let namespace = pairing.as_ref().and_then(|pairing| pairing.database.as_deref());
    let name = database_name(namespace.unwrap_or("till"), ENDPOINT);
    let disk = IndexedDb::open(&name).await.map_err(ClientError::from)?;
    let key = pairing.as_ref().map(|pairing| pairing.api_key.clone()).unwrap_or_default();
    let server = Rc::new(AppSync::new(models::schema(), ENDPOINT, Auth::ApiKey(key)));
    let config = Config { seed: identity::seed(), ..Config::default() };
    let opened =
        DataStore::open(models::schema(), disk, Rc::clone(&server), BrowserClock, config).await;
    let (store, driver, report) = opened?;
    say(&report);
    spawn_local(driver.run());
    spawn_local(watch_connection(store.clone()));
    match (kept, &pairing) {
        (Some(kept), _) => spawn_local(renew_and_start(kept, server, store.clone())),
        (None, Some(fresh)) => {
            pairing::keep(fresh);
            store.start();
        }
        (None, None) => {}
    }
    Ok(Engine { store, has_server: pairing.is_some() })
}

/// Tells the engine what the browser thinks of the network, and that the page is looked at again.
async fn watch_connection(store: DataStore) {
    let mut news = Connectivity::watch();
    while let Some(is_online) = news.next().await {
        store.set_online(is_online);
    }
}

/// Starts the sync with what the server now says of itself. One that has got another database
/// gets a till that begins anew, as soon as nothing waits to be sent from the old one.
async fn renew_and_start(kept: Pairing, server: Rc<AppSync>, store: DataStore) {
    if let Some(renewed) = pairing::ask().await {
        server.set_auth(Auth::ApiKey(renewed.api_key.clone()));
        if renewed.database == kept.database {
            pairing::keep(&renewed);
        } else if store.status().pending == 0 {
            pairing::keep(&renewed);
            return screen::reload();
        }
    }
    store.start();
}

fn say(report: &OpenReport) {
    for (position, reason) in &report.unreadable {
        warn!("{reason}; left aside at {}, and read from the server again", position.0);
    }
}
