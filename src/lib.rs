//! The point of sale: a till for a coffee shop that goes on selling without a network.
//!
//! `domain` holds the rules and is pure. [`AppStore`](app_store::AppStore) is the one door to the
//! data. `components` are widgets that know neither; `screens` put them together; `platform` is
//! the browser; `app` wires all of it.

pub mod app;
pub mod app_store;
pub mod components;
pub mod context;
pub mod domain;
pub mod models;
pub mod platform;
pub mod screens;
