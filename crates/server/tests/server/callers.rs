use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use espressync_server::app::{AppState, Pages, app};
use espressync_server::callers::Callers;
use tower::ServiceExt;

use crate::support::{KEY, Server, text_of};

/// A server whose key is no secret.
fn router(allowed: &[&str], is_local: bool) -> Router {
    let Server { state, .. } = Server::new();
    let Ok(state) = Arc::try_unwrap(state) else { panic!("nobody else has the state") };
    let allowed = allowed.iter().map(ToString::to_string).collect();
    let pages = Pages { shared_key: Some(KEY.to_owned()), ..Pages::default() };
    app(Arc::new(AppState { callers: Callers::Own { allowed, is_local }, pages, ..state }))
}

async fn send(
    router: &Router,
    (method, path): (Method, &str),
    headers: &[(&str, &str)],
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path).header("x-api-key", KEY);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(r#"{"query":"{ __typename }"}"#)).expect("a request");
    router.clone().oneshot(request).await.expect("routers do not fail")
}

async fn ask(router: &Router, headers: &[(&str, &str)]) -> Response<Body> {
    send(router, (Method::POST, "/graphql"), headers).await
}

async fn key(router: &Router, headers: &[(&str, &str)]) -> StatusCode {
    send(router, (Method::GET, "/espressync.json"), headers).await.status()
}

const HOST: (&str, &str) = ("host", "localhost:20002");

#[tokio::test]
async fn a_key_that_is_no_secret_is_of_no_use_to_pages_of_others() {
    let router = router(&[], true);
    assert_eq!(ask(&router, &[HOST]).await.status(), StatusCode::OK, "no browser");
    let own = [HOST, ("origin", "http://localhost:20002")];
    assert_eq!(ask(&router, &own).await.status(), StatusCode::OK);
    for origin in ["https://evil.example", "http://localhost:8080", "null", ""] {
        let refused = ask(&router, &[HOST, ("origin", origin)]).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{origin}");
        assert!(refused.headers().get("access-control-allow-origin").is_none());
        assert_eq!(refused.headers()["x-amzn-errortype"], "UnauthorizedException");
        assert!(!text_of(refused).await.contains(KEY));
    }
    let foreign = [HOST, ("origin", "https://evil.example")];
    let preflight = send(&router, (Method::OPTIONS, "/graphql"), &foreign).await;
    assert_eq!(preflight.status(), StatusCode::UNAUTHORIZED);
    let socket = send(&router, (Method::GET, "/graphql/realtime"), &foreign).await;
    assert_eq!(socket.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_name_pointed_at_this_machine_opens_nothing() {
    let router = router(&[], true);
    let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
    assert_eq!(ask(&router, &rebound).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(key(&router, &rebound).await, StatusCode::FORBIDDEN);
    let socket = send(&router, (Method::GET, "/graphql/realtime"), &rebound).await;
    assert_eq!(socket.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_origin_can_be_let_in() {
    let shop = ("origin", "https://shop.example");
    let some = router(&["https://shop.example"], true);
    let answer = ask(&some, &[HOST, shop]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], shop.1);
    let other = ask(&some, &[HOST, ("origin", "https://evil.example")]).await;
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
    // A proxy in front of the server may pass its own name on.
    assert_eq!(ask(&some, &[("host", "shop.example"), shop]).await.status(), StatusCode::OK);
    assert_eq!(key(&some, &[("host", "shop.example")]).await, StatusCode::OK);

    let all = router(&["*"], true);
    let answer = ask(&all, &[("host", "10.0.0.1"), ("origin", "https://any.example")]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(key(&all, &[("host", "10.0.0.1")]).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_server_that_others_reach_hands_its_key_to_its_own_pages_only() {
    let router = router(&[], false);
    let host = ("host", "192.168.0.7:20002");
    for own in [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("origin", "http://192.168.0.7:20002"),
        ("referer", "http://192.168.0.7:20002/orders"),
    ] {
        assert_eq!(key(&router, &[host, own]).await, StatusCode::OK, "{own:?}");
    }
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://192.168.0.8:20002"),
        ("referer", "http://evil.example/?http://192.168.0.7:20002/"),
        ("accept", "*/*"),
    ] {
        assert_eq!(key(&router, &[host, foreign]).await, StatusCode::FORBIDDEN, "{foreign:?}");
    }
    assert_eq!(ask(&router, &[host]).await.status(), StatusCode::OK, "the API has its key");
    let page = [host, ("origin", "http://192.168.0.8:20002")];
    assert_eq!(ask(&router, &page).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_secret_is_printed() {
    let Server { state, .. } = Server::new();
    let Ok(state) = Arc::try_unwrap(state) else { panic!("nobody else has the state") };
    let pages = Pages { shared_key: Some(KEY.to_owned()), ..Pages::default() };
    let text = format!("{:?}", AppState { pages, ..state });
    assert!(!text.contains(KEY), "{text}");
    assert!(text.contains("shares_key: true"), "{text}");
}
