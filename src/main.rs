//! The till's entry point.

fn main() {}
