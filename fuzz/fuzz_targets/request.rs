//! A GraphQL request of any text and variables is carried out, or refused with a reason: over a
//! real database, which keeps what the requests before have written.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use espressync_model::sdl;
use espressync_resolver::{Caller, Rules, Strategies};
use espressync_server::clock::system_time;
use espressync_server::sqlite::SqliteBackend;
use espressync_server::{Api, DEFAULT_WINDOW_MS, Hub, Request};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value as Json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const SCHEMA: &str = include_str!("../seeds/sdl/everything.graphql");

struct Server {
    runtime: Runtime,
    api: Api,
    _folder: TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let schema = sdl::parse_api(SCHEMA, "everything.graphql").expect("a good schema");
    let rules = Arc::new(Rules::new(Arc::new(schema), Strategies::default()));
    // In memory where there is such a folder: a disk would be most of the time.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    let folder = folder.expect("a folder");
    let file = folder.path().join("data.sqlite");
    let backend = SqliteBackend::open(&file, Arc::clone(&rules), system_time, Hub::new());
    let backend = Arc::new(backend.expect("a new file opens"));
    let api = Api::new(rules, backend, DEFAULT_WINDOW_MS).expect("an API");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    Server { runtime, api, _folder: folder }
});

fuzz_target!(|input: &str| {
    let (query, variables) = input.split_once('\0').unwrap_or((input, "{}"));
    let variables = match serde_json::from_str(variables) {
        Ok(Json::Object(variables)) => variables,
        _ => Map::new(),
    };
    let request = Request { query: query.to_owned(), variables, operation_name: None };
    // Twice, because a document that is known is checked in another way.
    for _ in 0..2 {
        let reply = SERVER.runtime.block_on(async {
            SERVER.api.execute(Arc::new(Caller::Operator), request.clone()).await
        });
        assert!(reply.body.get("data").is_some());
        assert!(serde_json::from_str::<Json>(&reply.body.to_string()).is_ok());
    }
});
