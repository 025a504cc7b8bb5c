//! The server from outside: HTTP by `oneshot`, realtime over a real socket, the database file, and
//! the program itself.

mod access;
mod api;
mod bad_input;
mod callers;
mod codegen;
mod commands;
mod conflicts;
mod crash;
mod fan_out;
mod filters;
mod guesses;
mod help;
mod http;
mod introspection;
mod keys;
mod kills;
mod missed;
mod operation;
mod ownership;
mod pages;
mod polling;
mod program;
mod push;
mod realtime;
mod schema;
mod seed;
mod storage;
mod support;
mod sweeping;
mod sync;
mod tls;
mod tokens;
mod undelete;
