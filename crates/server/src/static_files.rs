use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeDir;

/// A build tool's name with the content's hash in it never means anything else.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Asked for again each time, so that a new version is found; unchanged ones are not sent again.
const ASK_AGAIN: &str = "no-cache";

/// How many hexadecimal digits in a name are taken for its content's hash.
const HASH_DIGITS: usize = 16;

/// The files of a folder, compressed beforehand where `x.br` or `x.gz` stands beside `x`.
pub(crate) fn folder(folder: &Path) -> ServeDir {
    ServeDir::new(folder).precompressed_br().precompressed_gzip()
}

/// Serves a file. A page that is no file is the app's own route, and gets `index.html`.
pub(crate) async fn serve(mut files: ServeDir, request: Request) -> Response {
    let is_navigation = is_navigation(&request);
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let mut response = file(&mut files, request).await;
    let mut served = path;
    if response.status() == StatusCode::NOT_FOUND && is_navigation {
        let mut index = Request::new(Body::empty());
        *index.uri_mut() = axum::http::Uri::from_static("/index.html");
        *index.headers_mut() = headers;
        response = file(&mut files, index).await;
        served = "/index.html".to_owned();
    }
    let lasting = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let cache = if lasting && is_hashed(&served) { FOREVER } else { ASK_AGAIN };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let policy = "frame-ancestors 'none'; object-src 'none'; base-uri 'self'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

async fn file(files: &mut ServeDir, request: Request) -> Response {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    match files.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) if [NotFound, NotADirectory, PermissionDenied].contains(&error.kind()) => {
            StatusCode::NOT_FOUND.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a file could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether a browser opens a page, rather than one of a page's parts.
fn is_navigation(request: &Request) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    [Method::GET, Method::HEAD].contains(request.method())
        && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Whether a file's name holds a hash of its content: `app-0123456789abcdef_bg.wasm`.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    parts.any(|part| {
        part.len() >= HASH_DIGITS && part.chars().all(|letter| letter.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_last_for_ever() {
        assert!(is_hashed("/espressync-pos-3f2a9c81d04be577_bg.wasm"));
        assert!(is_hashed("/styles-3f2a9c81d04be577.css"));
        for path in ["/index.html", "/", "/service-worker.js", "/pictures/cafe-au-lait.svg"] {
            assert!(!is_hashed(path), "{path}");
        }
    }
}
