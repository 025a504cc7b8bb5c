//! The npm package: a thin facade over the DataStore (its own issue fills it).
