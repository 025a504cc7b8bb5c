//! The local database: tables in memory, batches, the log's codec and the Storage trait.
