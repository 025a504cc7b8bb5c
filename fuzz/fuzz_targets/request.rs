//! A GraphQL request of any text and variables is carried out, or refused with a reason, for
//! callers of every kind: over a real database, which keeps what the requests before have written.
//! Whatever is asked, and whatever the operator has written before, nobody else is shown a field
//! that no rule lets them read.
#![no_main]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use espressync_model::{Provider, sdl};
use espressync_resolver::{Caller, Claim, Identity, Rules, Strategies};
use espressync_server::clock::system_time;
use espressync_server::sqlite::SqliteBackend;
use espressync_server::{Api, DEFAULT_WINDOW_MS, Hub, Request};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value as Json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const SCHEMA: &str = include_str!("request.graphql");

/// What only the operator may read.
const SECRET: &str = "roast-at-211-degrees";

struct Server {
    runtime: Runtime,
    api: Api,
    callers: [Arc<Caller>; 4],
    _folder: TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let schema = sdl::parse_api(SCHEMA, "request.graphql").expect("a good schema");
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
    let callers = [
        Caller::with_api_key(),
        member("alice", &[]),
        member("manager", &["managers", "morning"]),
        Caller::Operator,
    ];
    let server = Server { runtime, api, callers: callers.map(Arc::new), _folder: folder };
    for id in ["b", "secret"] {
        let query = format!(
            "mutation {{ createBarista(input: {{ id: \"{id}\", name: \"Ann\", secret: \"{SECRET}\" }}) \
             {{ secret }} }}"
        );
        let request = Request { query, ..Request::default() };
        let reply = server.ask(&server.callers[3], request);
        assert!(reply.to_string().contains(SECRET), "{reply}");
    }
    server
});

/// Who has signed in.
fn member(name: &str, groups: &[&str]) -> Caller {
    let groups = groups.iter().map(ToString::to_string).collect();
    let claims = BTreeMap::from([
        ("sub".to_owned(), Claim::One(format!("s-{name}"))),
        ("username".to_owned(), Claim::One(name.to_owned())),
        ("cognito:groups".to_owned(), Claim::Several(groups)),
    ]);
    Caller::Known(Identity { provider: Provider::UserPools, claims })
}

impl Server {
    fn ask(&self, caller: &Arc<Caller>, request: Request) -> Json {
        self.runtime.block_on(self.api.execute(Arc::clone(caller), request)).body
    }
}

fuzz_target!(|input: &str| {
    let (query, variables) = input.split_once('\0').unwrap_or((input, "{}"));
    let variables = match serde_json::from_str(variables) {
        Ok(Json::Object(variables)) => variables,
        _ => Map::new(),
    };
    let request = Request { query: query.to_owned(), variables, operation_name: None };
    // A document that is known is checked in another way than one that is new.
    for caller in &SERVER.callers {
        let reply = SERVER.ask(caller, request.clone());
        assert!(reply.get("data").is_some());
        let text = reply.to_string();
        assert!(serde_json::from_str::<Json>(&text).is_ok());
        let may_know = **caller == Caller::Operator || input.contains(SECRET);
        assert!(may_know || !text.contains(SECRET), "{caller:?} is told a secret: {text}");
    }
});
