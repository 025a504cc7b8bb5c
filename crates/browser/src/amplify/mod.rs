//! Taking over the database of an app that used aws-amplify's DataStore.
//!
//! The old database is read and never changed or deleted. All that it holds goes into the
//! namespace's empty store as one record of the log, is read back, and only then the database is
//! marked as taken, in `meta`. A crash before the mark leaves a store that holds exactly the
//! import or nothing, and the next run sees which.

mod source;

use std::rc::Rc;

use espressync_client::{ClientError, Cursor, Import, Taken, take_over};
use espressync_model::Schema;
use espressync_store::StoreError;
use espressync_wire::WireError;
use espressync_wire::amplify::{Found, read};
use serde::Serialize;
use thiserror::Error;

use crate::IndexedDb;

/// The key of the mark in `meta`.
const MARK: &str = "amplify";

/// The name of Amplify's database for an endpoint; `session` is what the app kept in
/// `sessionStorage.datastoreSessionId`, if it did.
#[must_use]
pub fn amplify_database_name(session: Option<&str>, endpoint: &str) -> String {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let label = host.split(['.', '/', ':']).next().unwrap_or_default();
    match session {
        Some(session) => format!("amplify-datastore-{session}-{label}"),
        None => "amplify-datastore".to_owned(),
    }
}

/// What to do when queued changes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfUnreadable {
    /// Take nothing over.
    Refuse,
    /// Take the rest over and report them. They stay in the old database.
    LeaveOut,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Imported {
    /// There is no such database, or none of Amplify's.
    NothingThere,
    /// It was taken over before.
    Before,
    /// It is taken over now.
    Now(AmplifyReport),
}

/// What was taken over, and what was not.
#[derive(Debug, Clone, PartialEq)]
pub struct AmplifyReport {
    /// What was stored and read back.
    pub taken: Taken,
    /// Models and fields that hold something there and that the schema does not know.
    pub unknown: Vec<String>,
    /// Rows that could not be read, and why.
    pub unreadable_rows: Vec<String>,
    /// Queued changes that could not be read, and why.
    pub unreadable_changes: Vec<String>,
}

/// Why nothing was taken over. The old database is as it was.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AmplifyError {
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store would not take it, as one that is not empty.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A store holds what is no JSON.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Queued changes that nobody else has cannot be read.
    #[error(
        "nothing was imported, as {} queued change(s) cannot be read: {}; leave them out, or open \
         the app with a schema that knows them",
        .0.len(),
        .0.join("; ")
    )]
    Unreadable(Vec<String>),
}

/// The mark: a plain object that people can read in DevTools.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mark<'a> {
    from: &'a str,
    taken_at: String,
    records: usize,
    waiting: usize,
}

/// Takes over the database of this name, once. To be called before a
/// [`DataStore`](espressync_client::DataStore) is opened on `storage`.
///
/// # Errors
/// [`AmplifyError`]; nothing is taken over then.
pub async fn import_from_amplify(
    schema: &Schema,
    name: &str,
    storage: &IndexedDb,
    if_unreadable: IfUnreadable,
) -> Result<Imported, AmplifyError> {
    if storage.note(MARK).await?.is_some() {
        return Ok(Imported::Before);
    }
    let Some(stores) = source::read(name).await? else { return Ok(Imported::NothingThere) };
    let found = read(schema, &stores)?;
    if if_unreadable == IfUnreadable::Refuse && !found.unreadable_changes.is_empty() {
        return Err(AmplifyError::Unreadable(found.unreadable_changes));
    }
    let Found { records, mutations, metadata, unknown, unreadable_rows, unreadable_changes } =
        found;
    let cursors = metadata.into_iter().map(|it| {
        (it.model, Cursor { last_sync: it.last_sync, last_full_sync: it.last_full_sync })
    });
    let import = Import { records, mutations, cursors: cursors.collect() };
    let taken = take_over(Rc::new(schema.clone()), storage, import).await?;
    let mark = Mark {
        from: name,
        taken_at: js_sys::Date::new_0().to_iso_string().into(),
        records: taken.records.values().sum(),
        waiting: taken.waiting,
    };
    if let Ok(mark) = serde_wasm_bindgen::to_value(&mark) {
        storage.set_note(MARK, &mark).await?;
    }
    let unknown = unknown.into_iter().collect();
    Ok(Imported::Now(AmplifyReport { taken, unknown, unreadable_rows, unreadable_changes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_database_of_its_own() {
        let endpoint = "https://abc123.appsync-api.eu-west-1.amazonaws.com/graphql";
        assert_eq!(amplify_database_name(None, endpoint), "amplify-datastore");
        let named = amplify_database_name(Some("till-4"), endpoint);
        assert_eq!(named, "amplify-datastore-till-4-abc123");
        let named = amplify_database_name(Some("s"), "http://localhost:4000/graphql");
        assert_eq!(named, "amplify-datastore-s-localhost");
    }
}
