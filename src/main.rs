//! The point of sale.
fn main() {}
