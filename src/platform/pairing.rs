//! Which server this till belongs to.
//!
//! The server that hands out the app hands out its key too (`espressync serve --share-key`). What
//! it said is kept, so that a till that starts without a network knows where to sync once there
//! is one.

use gloo_net::http::Request;
use serde::{Deserialize, Serialize};

use super::storage;

const PAIRING_KEY: &str = "espressync.pairing";
const ADDRESS: &str = "/espressync.json";

/// What a till knows of its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pairing {
    /// The key that opens the API.
    pub api_key: String,
    /// Names the server's database: with another one this till's data begins anew, beside the old.
    #[serde(default)]
    pub database: Option<String>,
}

/// The pairing that was kept from the last time.
#[must_use]
pub fn kept() -> Option<Pairing> {
    storage::read(PAIRING_KEY)
}

/// Keeps a pairing for the next time.
pub fn keep(pairing: &Pairing) {
    storage::write(PAIRING_KEY, &Some(pairing));
}

/// Asks the server for its pairing. `None` without a network, and from a server that shares no
/// key.
pub async fn ask() -> Option<Pairing> {
    let answer = Request::get(ADDRESS).send().await.ok().filter(|answer| answer.ok())?;
    serde_json::from_str(&answer.text().await.ok()?).ok()
}
