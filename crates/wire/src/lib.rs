//! AppSync on the wire: documents, JSON, errors and realtime frames, in both directions.
//!
//! Everything here is a pure function of a schema and bytes, so the client in the browser, the
//! server and the tests speak from one page. The crate opens no connection, reads no clock, keeps
//! no row, and walks `serde_json` values by hand because every derived type is paid for in the
//! wasm that each till downloads.
//!
//! ```
//! use espressync_model::remote::{Request, SyncRequest};
//! use espressync_model::{Field, Model, ModelId, Predicate, Scalar, Schema};
//! use espressync_wire::document::Document;
//!
//! let schema = Schema::new(vec![
//!     Model::new("Product", "Products").field(Field::new("id", Scalar::Id).required()),
//! ]);
//! let page = SyncRequest {
//!     model: ModelId(0),
//!     last_sync: None,
//!     next_token: None,
//!     limit: 100,
//!     filter: Predicate::All,
//! };
//! let document = Document::of(&schema, &Request::Sync(page));
//! assert!(document.text.contains("items { id _version _lastChangedAt _deleted }"));
//! ```

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "JSON has the six kinds it always had, and error kinds may be added by the model"
)]

pub mod amplify;
pub mod answer;
mod auth;
mod classify;
mod described;
pub mod document;
pub mod error;
mod failure;
pub mod filter;
#[cfg(feature = "introspection")]
mod introspection;
pub mod json;
pub mod names;
pub mod realtime;

pub use auth::Auth;
pub use described::{IntrospectionError, read_introspection};
pub use failure::{WireError, WireErrorKind};
#[cfg(feature = "introspection")]
pub use introspection::introspection;
