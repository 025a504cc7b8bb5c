//! Schema, typed rows, values, predicates and the requests that travel between client and server.
