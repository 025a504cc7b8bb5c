use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use espressync_server::app::{AppState, Pages, app};
use espressync_server::callers::Callers;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::support::{Server, text_of};

/// A server with a folder of pages.
fn router(folder: &TempDir, shared_key: Option<&str>) -> Router {
    for (name, text) in [
        ("index.html", "<h1>till</h1>"),
        ("till-0123456789abcdef_bg.wasm", "wasm"),
        ("till-0123456789abcdef_bg.wasm.br", "brotli"),
        ("service-worker.js", "self"),
        ("manifest.webmanifest", "{}"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("it is written");
    }
    let Server { state, .. } = Server::new();
    let Ok(state) = Arc::try_unwrap(state) else { panic!("nobody else has the state") };
    let pages = Pages {
        folder: Some(folder.path().to_owned()),
        shared_key: shared_key.map(ToOwned::to_owned),
        database: "shop".to_owned(),
    };
    let callers = Callers::Own { allowed: Vec::new(), is_local: true };
    app(Arc::new(AppState { callers, pages, ..state }))
}

async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    router.clone().oneshot(request).await.expect("routers do not fail")
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers()[name].to_str().expect("text")
}

#[tokio::test]
async fn files_have_their_type_and_last_as_long_as_their_name_says() {
    let folder = TempDir::new().unwrap();
    let router = router(&folder, None);
    let check = async |path: &str, kind: &str, cache: &str| {
        let response = get(&router, path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&response, "content-type"), kind);
        assert_eq!(header(&response, "cache-control"), cache);
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    };
    let forever = "public, max-age=31536000, immutable";
    check("/till-0123456789abcdef_bg.wasm", "application/wasm", forever).await;
    check("/", "text/html", "no-cache").await;
    check("/service-worker.js", "text/javascript", "no-cache").await;
    check("/manifest.webmanifest", "application/manifest+json", "no-cache").await;
}

#[tokio::test]
async fn what_was_compressed_beforehand_is_sent_so() {
    let folder = TempDir::new().unwrap();
    let router = router(&folder, None);
    let accept = [("accept-encoding", "br, gzip")];
    let response = get(&router, "/till-0123456789abcdef_bg.wasm", &accept).await;
    assert_eq!(header(&response, "content-encoding"), "br");
    assert_eq!(header(&response, "content-type"), "application/wasm");
    assert_eq!(header(&response, "vary"), "accept-encoding");
    assert_eq!(text_of(response).await, "brotli");
    let plain = get(&router, "/till-0123456789abcdef_bg.wasm", &[]).await;
    assert!(plain.headers().get("content-encoding").is_none());
    assert_eq!(header(&plain, "vary"), "accept-encoding", "a cache keeps the two apart");
    assert_eq!(text_of(plain).await, "wasm");
}

#[tokio::test]
async fn what_a_browser_has_already_is_not_sent_again() {
    let folder = TempDir::new().unwrap();
    let router = router(&folder, None);
    for (path, cache) in [
        ("/service-worker.js", "no-cache"),
        ("/", "no-cache"),
        ("/till-0123456789abcdef_bg.wasm", "public, max-age=31536000, immutable"),
    ] {
        let accept = ("accept-encoding", "br");
        let first = get(&router, path, &[accept]).await;
        let again = get(&router, path, &[accept, ("if-none-match", header(&first, "etag"))]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(header(&again, "cache-control"), cache);
        assert_eq!(text_of(again).await, "");
    }
}

#[tokio::test]
async fn the_apps_own_routes_get_its_page_and_missing_parts_do_not() {
    let folder = TempDir::new().unwrap();
    let router = router(&folder, None);
    let page = [("accept", "text/html,application/xhtml+xml")];
    let response = get(&router, "/orders/today", &page).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "cache-control"), "no-cache");
    assert_eq!(text_of(response).await, "<h1>till</h1>");
    let missing = get(&router, "/till-fedcba9876543210_bg.wasm", &[]).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&missing, "cache-control"), "no-cache");
    let outside = get(&router, "/../data.sqlite", &[]).await;
    assert_eq!(outside.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_key_is_handed_out_only_where_it_is_shared() {
    let folder = TempDir::new().unwrap();
    let host = [("host", "localhost:20002")];
    let closed = get(&router(&folder, None), "/espressync.json", &host).await;
    assert_eq!(closed.status(), StatusCode::NOT_FOUND);
    let shared = router(&folder, Some("da2-shared"));
    let response = get(&shared, "/espressync.json", &host).await;
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "content-type"), "application/json");
    assert!(response.headers().get("access-control-allow-origin").is_none());
    assert_eq!(text_of(response).await, r#"{"apiKey":"da2-shared","database":"shop"}"#);
    // A name that somebody has pointed at this machine.
    let rebound = get(&shared, "/espressync.json", &[("host", "evil.example")]).await;
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_server_that_is_well_says_so() {
    let folder = TempDir::new().unwrap();
    let response = get(&router(&folder, None), "/healthz", &[]).await;
    assert_eq!((response.status(), text_of(response).await.as_str()), (StatusCode::OK, "ok"));
}
