//! What Espressync's records are: schema, typed rows, values, predicates, and the requests that
//! travel between a client and a server.
//!
//! Everything else in the workspace speaks in these types. The crate knows no JSON, no clock, no
//! storage and no network; with the feature `sdl` it also reads `schema.graphql` and writes the
//! Rust models of it, which is for servers, tools and build scripts and never reaches a browser.
//!
//! ```
//! use espressync_model::{Field, Model, Predicate, Row, Scalar, Schema, Value};
//!
//! let schema = Schema::new(vec![
//!     Model::new("Product", "Products")
//!         .field(Field::new("id", Scalar::Id).required())
//!         .field(Field::new("price", Scalar::Float).required()),
//! ]);
//! let product = schema.model_named("Product")?;
//! let row = Row::new(vec![Value::from("p1"), Value::from(3.5)]);
//! product.check(&schema, &row)?;
//! assert!(Predicate::parse(product, "price", "gt", vec![Value::from(3.0)])?.matches(&row));
//! # Ok::<(), espressync_model::ModelError>(())
//! ```

mod access;
mod aggregate;
mod api;
mod association;
#[cfg(feature = "sdl")]
pub mod codegen;
mod entity;
mod error;
mod formats;
mod key;
mod merge;
mod operands;
mod operator;
mod patch;
mod predicate;
mod query;
mod record;
pub mod remote;
mod scalar;
mod schema;
#[cfg(feature = "sdl")]
pub mod sdl;
mod time;
mod value;

pub use access::{AccessRule, AccessRules, Action, Allow, Provider};
pub use aggregate::Aggregate;
pub use api::{ApiSchema, ModelApi, Offer, SubscriptionLevel};
pub use association::Association;
pub use entity::{Entity, FromValue};
pub use error::ModelError;
#[cfg(feature = "formats")]
pub use formats::fits;
pub use formats::is_plausible;
pub use key::Key;
pub use merge::merge_lists;
pub use operator::Operator;
pub use patch::{Edit, Patch};
pub use predicate::{Predicate, Relatives};
pub use query::{Bookmark, Direction, Page, Query, Sort};
pub use record::{Meta, Record, Row};
pub use scalar::Scalar;
pub use schema::{
    BaseType, EnumId, EnumType, Field, FieldId, Index, Model, ModelId, ObjectId, ObjectType,
    OnDelete, Relation, RelationId, RelationKind, Schema,
};
pub use time::Timestamp;
pub use value::Value;
