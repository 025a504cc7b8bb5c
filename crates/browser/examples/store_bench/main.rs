//! Espressync's column of `cargo xtask bench store`: the DataStore on IndexedDB, called from Rust
//! as the till calls it. The page that loads it holds the clock (tests/bench/page).

#![allow(missing_docs, unreachable_pub, reason = "a page calls it by name")]

#[cfg(target_arch = "wasm32")]
mod bench;
#[cfg(target_arch = "wasm32")]
mod rows;

fn main() {}
