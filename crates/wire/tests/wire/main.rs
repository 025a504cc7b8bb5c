//! The wire from outside: documents, answers and sessions against the transcripts in
//! `tests/golden`, and every row through JSON and back.

#![allow(clippy::unwrap_used, reason = "tests")]

mod amplify;
mod answers;
mod documents;
mod errors;
mod filters;
mod golden;
mod records;
mod rows;
mod schema;
mod sessions;
