//! The client's sync state machine: outbox, merge, retry and cursors, values in and effects out.
