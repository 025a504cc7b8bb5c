//! The espressync server: an AppSync-compatible GraphQL API for any `schema.graphql`.
//!
//! A request goes through [`app`](app::app) to [`Api`], which has it checked and takes it apart,
//! and on to a [`Backend`](backend::Backend), which lets the crate `resolver` decide over each
//! mutation inside its own transaction. What was committed goes to the realtime [`Hub`] and from
//! there to subscribers. The server knows nothing of the client's crates, and the resolver knows
//! nothing of SQL or sockets.

/// The HTTP routes.
pub mod app;
pub mod auth;
/// What the server asks of a database.
pub mod backend;
/// Where requests may come from.
pub mod callers;
mod certificate;
/// The command line.
pub mod cli;
/// The times of commits and of sync queries.
pub mod clock;
/// Models in the languages of clients.
pub mod codegen;
/// What the program does beside serving.
pub mod commands;
/// Settings.
pub mod config;
pub mod conflicts;
mod generation;
/// The page that asks the API, for development.
pub mod graphiql;
mod graphql;
/// Starting anew without refusing anybody.
pub mod handover;
/// What whoever runs the server asks of it.
pub mod health;
mod http;
/// How much the server takes on.
pub mod limits;
/// What the server has done.
pub mod metrics;
mod realtime;
/// The first records of a new database.
pub mod seed;
/// Starting and stopping.
pub mod serve;
pub mod sqlite;
mod static_files;
pub mod sweeper;
/// TLS on the server's address.
pub mod tls;
pub mod ways;

pub use graphql::{Api, ApiError, DEFAULT_WINDOW_MS, Kind, Limits, Reply, Request, Tally};
pub use realtime::{Hub, RealtimeLimits};
