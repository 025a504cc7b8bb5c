//! Which server this till belongs to.
//!
//! The server that hands out the app hands out its key too (`espressync serve --share-key`). What
//! it said is kept, so that a till that starts without a network knows where to sync once there
//! is one.

use futures::future::{Either, select};
use gloo_net::http::Request;
use gloo_timers::future::TimeoutFuture;
use serde::{Deserialize, Serialize};

use super::storage;

const PAIRING_KEY: &str = "espressync.pairing";
const ADDRESS: &str = "/espressync.json";

/// How long the server may take to say its pairing, in milliseconds: the till opens meanwhile only
/// with what it knows already.
const PATIENCE_MS: u32 = 4_000;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pairing {
    /// The key that opens the API.
    pub api_key: String,
    /// Names the server's database.
    #[serde(default)]
    pub database: Option<String>,
}

/// What a till keeps of its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// What the server said.
    #[serde(flatten)]
    pub pairing: Pairing,
    /// Where this till keeps the records of that database.
    pub namespace: String,
}

/// What was kept from the last time.
#[must_use]
pub fn kept() -> Option<Kept> {
    storage::read(PAIRING_KEY)
}

/// Keeps a pairing for the next time.
pub fn keep(kept: &Kept) {
    storage::write(PAIRING_KEY, &Some(kept));
}

/// Asks the server for its pairing. `None` without a network, from a server that shares no key,
/// and from one that takes too long.
pub async fn ask() -> Option<Pairing> {
    let asked = async {
        let answer = Request::get(ADDRESS).send().await.ok().filter(|answer| answer.ok())?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    };
    match select(std::pin::pin!(asked), TimeoutFuture::new(PATIENCE_MS)).await {
        Either::Left((pairing, _)) => pairing,
        Either::Right(_) => None,
    }
}
