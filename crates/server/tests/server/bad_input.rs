use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use crate::support::{Server, json_of};

const CREATE: &str = "mutation m($input: CreateProductInput!) {
    createProduct(input: $input) { id } }";

/// Checks that a request is refused with this message, in part, and leaves nothing behind.
async fn refused(query: &str, variables: Json, message: &str) {
    let server = Server::new();
    let answer = server.ask(query, variables).await;
    let error = &answer["errors"][0];
    let found = error["message"].as_str().unwrap_or_default();
    assert!(found.contains(message), "{query}: {answer}");
    assert_eq!(error["errorType"], "ValidationError", "{answer}");
    let rows = server.data("{ syncProducts { items { id } } }", json!({})).await;
    assert_eq!(rows["syncProducts"]["items"], json!([]));
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_named() {
    let input = |extra: Json| {
        let mut input = json!({ "id": "p", "name": "Latte", "price": 4.0 });
        for (name, value) in extra.as_object().unwrap() {
            input[name] = value.clone();
        }
        json!({ "input": input })
    };
    let unknown = "The variables input contains a field name 'colour' that is not defined for \
                   input object type 'CreateProductInput'";
    refused(CREATE, input(json!({ "colour": 1 })), unknown).await;
    refused(CREATE, input(json!({ "price": "four" })), "expected type \"Float\"").await;
    refused(CREATE, input(json!({ "price": null })), "\"input.price\", expected type").await;
    refused(CREATE, input(json!({ "_deleted": true })), "a field name '_deleted'").await;
    refused(CREATE, input(json!({ "_version": -1 })), "_version should be a whole number").await;
    refused(CREATE, input(json!({ "id": "" })), "createProduct needs its key: id").await;
    let missing = "Variable 'price' has coerced Null value for NonNull type 'Float!'";
    refused(CREATE, json!({ "input": { "name": "Latte" } }), missing).await;
    let missing = "Variable 'input' has coerced Null value for NonNull type 'CreateProductInput!'";
    refused(CREATE, json!({}), missing).await;
    refused(CREATE, json!({ "input": "Latte" }), "the input of a Product should be an object")
        .await;
}

#[tokio::test]
async fn what_the_api_does_not_have_is_named() {
    let beans = "Validation error of type FieldUndefined: Field 'getBeans' in type 'Query' is \
                 undefined @ 'getBeans'";
    refused("{ getBeans { id } }", json!({}), beans).await;
    let colour = "Field 'colour' in type 'Product' is undefined @ 'listProducts/items/colour'";
    refused("{ listProducts { items { colour } } }", json!({}), colour).await;
    let argument = "Validation error of type UnknownArgument: Unknown field argument sort @ \
                    'listProducts'";
    refused("{ listProducts(sort: 1) { nextToken } }", json!({}), argument).await;
    refused("{ listProducts(limit: 0) { nextToken } }", json!({}), "limit should be at least 1")
        .await;
    let token = "{ listProducts(nextToken: \"x\") { nextToken } }";
    refused(token, json!({}), "nextToken is not one that listProducts gave").await;
    let filter = "{ listProducts(filter: { price: { like: 1 } }) { nextToken } }";
    refused(filter, json!({}), "a field name 'like'").await;
    let filter = "{ listProducts(filter: { price: { size: { gt: 1 } } }) { nextToken } }";
    refused(filter, json!({}), "a field name 'size'").await;
    refused("{ listProducts", json!({}), "Invalid Syntax: line 1, column ").await;
    refused("subscription s { onCreateProduct { id } }", json!({}), "over the WebSocket").await;
    refused("", json!({}), "Invalid Syntax").await;
    let deep = format!("{{ a {}{} }}", "{ a ".repeat(40), "}".repeat(40));
    refused(&deep, json!({}), "nests deeper than 24 levels").await;
}

#[tokio::test]
async fn a_body_that_is_no_request_is_refused() {
    let server = Server::new();
    for (body, message) in [
        ("{\"query\":", "the request's body is not JSON"),
        ("[]", "the request's body should be an object"),
        ("{\"query\":\"{a}\",\"variables\":3}", "`variables` should be an object"),
    ] {
        let answer = server.post(body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let answer = json_of(answer).await;
        let found = answer["errors"][0]["message"].as_str().unwrap();
        assert!(found.starts_with(message), "{found}");
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused() {
    let server = Server::new();
    let fits = "x".repeat(1024 * 1024);
    assert_eq!(server.post(fits.clone()).await.status(), StatusCode::BAD_REQUEST);
    // With its length told beforehand and without.
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(fits.clone()), Ok("x".into())]);
    for body in [Body::from(fits + "x"), Body::from_stream(chunks)] {
        let answer = server.post(body).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.headers()["x-amzn-errortype"], "ValidationError");
        let expected = "the request's body is larger than 1048576 bytes";
        assert_eq!(json_of(answer).await["errors"][0]["message"], expected);
    }
}

#[tokio::test]
async fn a_wrong_key_opens_nothing() {
    let server = Server::new();
    for key in [None, Some("wrong"), Some("")] {
        let request = Request::post("/graphql");
        let request =
            key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
        let request = request.body(Body::from("{\"query\":\"{__typename}\"}")).unwrap();
        let answer = server.router().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["x-amzn-errortype"], "UnauthorizedException");
        let body = json_of(answer).await;
        assert_eq!(body["errors"][0]["errorType"], "UnauthorizedException");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_may_come_again_and_one_too_large_may_not() {
    let server = Server::new();
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let parts = futures::stream::iter([Ok("{\"query\":"), Err(broken)]);
    let answer = server.post(Body::from_stream(parts)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["x-amzn-errortype"], "InternalFailure");
    let answer = server.post(vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.headers()["x-amzn-errortype"], "ValidationError");
}
