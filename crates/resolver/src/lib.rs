//! The server's rules as pure functions: versions, conflicts, the journal and delta sync.
