//! The point of sale: a till for a coffee shop that goes on selling without a network.

pub mod domain;
