//! The espressync server and command line: an AppSync-compatible API for any schema.graphql.
