use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as InPath, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;

use crate::app::AppState;

/// The page that asks the API in a browser, for development. Its parts are npm's, read from a
/// folder once: a server needs no internet, and a build of it no npm.
pub struct Graphiql {
    files: Vec<(&'static str, &'static str, Vec<u8>)>,
}

/// A part of the page that is not there.
#[derive(Debug, Error)]
#[error(
    "cannot read {file}, a part of the page /graphiql: {source}; install the parts by \
     `npm install graphiql@3 react@18 react-dom@18`, and name the node_modules by --graphiql"
)]
pub struct GraphiqlError {
    file: PathBuf,
    source: std::io::Error,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The name of each part here, what it is, and where npm's folder has it.
const PARTS: [(&str, &str, &str); 4] = [
    ("graphiql.css", "text/css; charset=utf-8", "graphiql/graphiql.min.css"),
    ("react.js", SCRIPT, "react/umd/react.production.min.js"),
    ("react-dom.js", SCRIPT, "react-dom/umd/react-dom.production.min.js"),
    ("graphiql.js", SCRIPT, "graphiql/graphiql.min.js"),
];

impl Graphiql {
    /// Reads the parts from a `node_modules`.
    ///
    /// # Errors
    /// [`GraphiqlError`] for the first that is not there.
    pub fn load(folder: &Path) -> Result<Self, GraphiqlError> {
        let files = PARTS.iter().map(|(name, kind, place)| {
            let file = folder.join(place);
            let bytes = std::fs::read(&file).map_err(|source| GraphiqlError { file, source })?;
            Ok((*name, *kind, bytes))
        });
        Ok(Self { files: files.collect::<Result<_, _>>()? })
    }
}

impl std::fmt::Debug for Graphiql {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Graphiql").finish_non_exhaustive()
    }
}

/// The page and its parts, where there are any.
pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/graphiql", get(|| async { Html(PAGE) }))
        .route("/graphiql/{part}", get(part))
}

#[allow(clippy::unused_async, reason = "a handler")]
async fn part(State(state): State<Arc<AppState>>, InPath(wanted): InPath<String>) -> Response {
    let files = state.graphiql.iter().flat_map(|graphiql| &graphiql.files);
    match files.into_iter().find(|(name, ..)| *name == wanted) {
        Some((_, kind, bytes)) => {
            let headers = [(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache")];
            (headers, bytes.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The key is typed under "Headers", and kept by nobody.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Espressync: GraphiQL</title>
    <link rel="stylesheet" href="/graphiql/graphiql.css">
    <style>html, body, #page { height: 100%; margin: 0; }</style>
  </head>
  <body>
    <div id="page"></div>
    <script src="/graphiql/react.js"></script>
    <script src="/graphiql/react-dom.js"></script>
    <script src="/graphiql/graphiql.js"></script>
    <script>
      const fetcher = GraphiQL.createFetcher({ url: "/graphql" });
      const headers = JSON.stringify({ "x-api-key": "" }, null, 2);
      const page = React.createElement(GraphiQL, { fetcher, headers, defaultEditorToolsVisibility: "headers" });
      ReactDOM.createRoot(document.getElementById("page")).render(page);
    </script>
  </body>
</html>
"#;
