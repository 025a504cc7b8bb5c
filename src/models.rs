//! The app's records and their schema, which `build.rs` writes from `schema.graphql`.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the generator writes all that an app may need, and makes it public"
)]

include!(concat!(env!("OUT_DIR"), "/models.rs"));
