//! The import table: who may know whom. Imports point inward, from the rim to the model.
//!
//! ```text
//! app ─► client ─► store, sync ─► model        browser, js, server hang on the rim
//!                  wire, resolver ─► model     testkit is for tests only
//! ```

/// A crate of ours and what it may depend on.
pub(super) struct Room {
    /// The package.
    pub(super) name: &'static str,
    /// The packages of ours it may use. Tests may use these and [`FOR_TESTS`] too.
    pub(super) may_use: &'static [&'static str],
    /// The packages of ours its tests may use besides.
    pub(super) tests_may_use: &'static [&'static str],
    /// The families of other people's crates it must do without.
    pub(super) never: &'static [Family],
}

/// Other people's crates that stand for one way of touching the world.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Family {
    /// The browser.
    Web,
    /// The user interface.
    Ui,
    /// Serialisation: it lives at two edges, `wire` and the record codec of `store`.
    Serde,
    /// Futures, whoever runs them.
    Async,
    /// The native runtime.
    Tokio,
    /// HTTP on the server's side.
    Http,
    /// Databases.
    Sql,
    /// Randomness and clocks.
    Chance,
}

/// Every package of ours starts with this; xtask alone does not.
pub(super) const OURS: &str = "espressync-";
/// What only tests may use, in any room.
pub(super) const FOR_TESTS: &str = "espressync-testkit";

const MODEL: &str = "espressync-model";
const STORE: &str = "espressync-store";
const SYNC: &str = "espressync-sync";
const CLIENT: &str = "espressync-client";
const WIRE: &str = "espressync-wire";
const RESOLVER: &str = "espressync-resolver";
const BROWSER: &str = "espressync-browser";
const SERVER: &str = "espressync-server";

use Family::{Async, Chance, Http, Serde, Sql, Tokio, Ui, Web};

/// The table. A package that is not in it may not exist.
pub(super) const ROOMS: [Room; 12] = [
    Room {
        name: MODEL,
        may_use: &[],
        tests_may_use: &[],
        never: &[Web, Ui, Serde, Async, Tokio, Http, Sql, Chance],
    },
    Room {
        name: STORE,
        may_use: &[MODEL],
        tests_may_use: &[],
        never: &[Web, Ui, Async, Tokio, Http, Sql, Chance],
    },
    Room {
        name: SYNC,
        may_use: &[MODEL, STORE],
        tests_may_use: &[],
        never: &[Web, Ui, Serde, Async, Tokio, Http, Sql, Chance],
    },
    Room {
        name: CLIENT,
        may_use: &[MODEL, STORE, SYNC],
        // The real rules play the server.
        tests_may_use: &[RESOLVER],
        never: &[Web, Ui, Serde, Tokio, Http, Sql],
    },
    Room {
        name: WIRE,
        may_use: &[MODEL],
        tests_may_use: &[],
        never: &[Web, Ui, Async, Tokio, Http, Sql, Chance],
    },
    Room {
        name: RESOLVER,
        may_use: &[MODEL],
        tests_may_use: &[],
        never: &[Web, Ui, Serde, Async, Tokio, Http, Sql, Chance],
    },
    Room {
        name: BROWSER,
        may_use: &[MODEL, STORE, CLIENT, WIRE],
        tests_may_use: &[],
        never: &[Ui, Tokio, Http, Sql],
    },
    Room {
        name: "espressync-js",
        may_use: &[MODEL, CLIENT, BROWSER],
        tests_may_use: &[],
        never: &[Ui, Tokio, Http, Sql],
    },
    Room { name: SERVER, may_use: &[MODEL, WIRE, RESOLVER], tests_may_use: &[], never: &[Web, Ui] },
    Room {
        name: FOR_TESTS,
        may_use: &[MODEL, STORE, SYNC, CLIENT, WIRE, RESOLVER],
        tests_may_use: &[],
        never: &[Web, Ui, Tokio, Http, Sql],
    },
    Room {
        name: "espressync-pos",
        may_use: &[MODEL, CLIENT, BROWSER],
        tests_may_use: &[SERVER],
        never: &[Tokio, Http, Sql],
    },
    Room {
        name: "xtask",
        may_use: &[],
        tests_may_use: &[],
        never: &[Web, Ui, Async, Tokio, Http, Sql],
    },
];

impl Family {
    /// Says whether a package belongs to the family.
    pub(super) fn holds(self, package: &str) -> bool {
        self.members().iter().any(|member| match member.strip_suffix('*') {
            Some(beginning) => package.starts_with(beginning),
            None => package == *member,
        })
    }

    /// The packages by name; a star stands for any ending.
    fn members(self) -> &'static [&'static str] {
        match self {
            Self::Web => {
                &["gloo*", "js-sys", "rexie", "serde-wasm-bindgen", "wasm-bindgen*", "web-sys"]
            }
            Self::Ui => &["leptos*", "reactive_*", "tachys"],
            Self::Serde => &["ciborium", "postcard", "serde", "serde_*", "tsify*"],
            Self::Async => &["async-channel", "async-trait", "event-listener", "futures*"],
            Self::Tokio => &["async-std", "smol", "tokio*"],
            Self::Http => &["axum*", "hyper*", "reqwest", "tower*"],
            Self::Sql => &["aws-sdk-*", "deadpool*", "r2d2*", "rusqlite", "sqlx*"],
            Self::Chance => {
                &["chrono", "fastrand", "getrandom", "instant", "rand*", "time", "uuid"]
            }
        }
    }
}
