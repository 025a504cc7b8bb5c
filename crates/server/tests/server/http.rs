use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use crate::support::Server;

#[tokio::test]
async fn a_record_is_created_read_changed_and_deleted() {
    let server = Server::new();
    let created = server.product("p", "Latte", 4.0).await;
    assert_eq!(created, json!({ "id": "p", "_version": 1, "_lastChangedAt": 1_000_000 }));
    server.time.set(1_000_050);
    let updated = server.update(json!({ "id": "p", "price": 4.5, "_version": 1 })).await;
    let expected = json!({ "id": "p", "name": "Latte", "price": 4.5, "image": null,
        "_version": 2, "_deleted": null });
    assert_eq!(updated["data"]["updateProduct"], expected);
    let query = "mutation m($input: DeleteProductInput!) {
        deleteProduct(input: $input) { id name _version _deleted _lastChangedAt } }";
    let deleted = server.data(query, json!({ "input": { "id": "p", "_version": 2 } })).await;
    let expected = json!({ "id": "p", "name": "Latte", "_version": 3, "_deleted": true,
        "_lastChangedAt": 1_000_050 });
    assert_eq!(deleted["deleteProduct"], expected);
    // A tombstone is there for whoever asks, unless it is filtered out.
    let query = "query q($f: ModelProductFilterInput) {
        getProduct(id: \"p\") { _deleted updatedAt } listProducts(filter: $f) { items { id } } }";
    let data = server.data(query, json!({ "f": { "_deleted": { "ne": true } } })).await;
    assert_eq!(data["getProduct"]["_deleted"], true);
    assert_eq!(data["getProduct"]["updatedAt"], "1970-01-01T00:16:40.050Z");
    assert_eq!(data["listProducts"]["items"], json!([]));
}

#[tokio::test]
async fn edits_to_two_fields_on_one_version_both_survive() {
    let server = Server::new();
    server.product("p", "Latte", 4.0).await;
    server.update(json!({ "id": "p", "price": 5.0, "_version": 1 })).await;
    let merged = server.update(json!({ "id": "p", "image": "i.svg", "_version": 1 })).await;
    assert!(merged.get("errors").is_none());
    let product = &merged["data"]["updateProduct"];
    assert_eq!((&product["price"], &product["image"]), (&json!(5.0), &json!("i.svg")));
    assert_eq!(product["_version"], 3);
    // Both changed the price: the one that came first stays.
    let kept = server.update(json!({ "id": "p", "price": 9.0, "_version": 1 })).await;
    assert_eq!(kept["data"]["updateProduct"]["price"], 5.0);
}

#[tokio::test]
async fn the_base_of_a_merge_is_found_after_a_restart() {
    let server = Server::new();
    server.product("p", "Latte", 4.0).await;
    server.update(json!({ "id": "p", "price": 5.0, "_version": 1 })).await;
    let server = server.restart(crate::support::POS).await;
    let merged = server.update(json!({ "id": "p", "name": "Flat white", "_version": 1 })).await;
    let product = &merged["data"]["updateProduct"];
    assert_eq!((&product["name"], &product["price"]), (&json!("Flat white"), &json!(5.0)));
}

#[tokio::test]
async fn a_delete_on_an_old_version_is_a_conflict_that_shows_the_stored_record() {
    let server = Server::new();
    server.product("p", "Latte", 4.0).await;
    server.update(json!({ "id": "p", "price": 5.0, "_version": 1 })).await;
    let query = "mutation m($input: DeleteProductInput!) {
        gone: deleteProduct(input: $input) { price _version } }";
    let answer = server.ask(query, json!({ "input": { "id": "p", "_version": 1 } })).await;
    assert_eq!(answer["data"], json!({ "gone": null }));
    assert_eq!(
        answer["errors"],
        json!([{
            "path": ["gone"],
            "data": { "price": 5.0, "_version": 2 },
            "errorType": "ConflictUnhandled",
            "errorInfo": null,
            "locations": [{ "line": 2, "column": 9, "sourceName": null }],
            "message": "Conflict resolver rejects mutation.",
        }])
    );
}

#[tokio::test]
async fn a_create_sent_twice_is_one_create() {
    let server = Server::new();
    assert_eq!(server.product("p", "Latte", 4.0).await["_version"], 1);
    assert_eq!(server.product("p", "Latte", 4.0).await["_version"], 1);
    let query = "mutation m($input: CreateProductInput!) {
        createProduct(input: $input) { id name } }";
    let input = json!({ "id": "p", "name": "Mocha", "price": 4.0 });
    let answer = server.ask(query, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["errorType"], "ConditionalCheckFailedException");
    assert_eq!(answer["errors"][0]["data"], json!({ "id": "p", "name": "Latte" }));
}

#[tokio::test]
async fn the_mutations_of_a_request_go_in_order_and_are_answered_one_by_one() {
    let server = Server::new();
    let query = "mutation m($a: CreateProductInput!, $b: UpdateProductInput!,
            $c: UpdateProductInput!, $d: CreateProductInput!) {
        m0: createProduct(input: $a) { _version }
        m1: updateProduct(input: $b) { price _version }
        m2: updateProduct(input: $c) { id }
        __typename
        m3: createProduct(input: $d) { id _version }
    }";
    let variables = json!({
        "a": { "id": "p", "name": "Latte", "price": 4.0 },
        "b": { "id": "p", "price": 5.0, "_version": 1 },
        "c": { "id": "none", "price": 5.0 },
        "d": { "name": "Mocha", "price": 4 },
    });
    let answer = server.ask(query, variables).await;
    let data = &answer["data"];
    assert_eq!(data["m0"], json!({ "_version": 1 }));
    assert_eq!(data["m1"], json!({ "price": 5.0, "_version": 2 }));
    assert_eq!(data["m2"], json!(null));
    assert_eq!(data["m3"]["_version"], 1);
    // The server makes up an id where the client has none.
    assert_eq!(data["m3"]["id"].as_str().unwrap().len(), 36);
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["path"]), (1, &json!(["m2"])));
}

#[tokio::test]
async fn a_condition_decides_on_the_stored_record() {
    let server = Server::new();
    server.product("p", "Latte", 4.0).await;
    let query = "mutation m($i: UpdateProductInput!, $c: ModelProductConditionInput) {
        updateProduct(input: $i, condition: $c) { price } }";
    let input = json!({ "id": "p", "price": 5.0, "_version": 1 });
    let ask = |least: f64| json!({ "i": input, "c": { "and": [{ "price": { "ge": least } }] } });
    let refused = server.ask(query, ask(4.5)).await;
    assert_eq!(refused["errors"][0]["errorType"], "ConditionalCheckFailedException");
    assert_eq!(refused["errors"][0]["data"], json!({ "price": 4.0 }));
    assert_eq!(server.data(query, ask(4.0)).await["updateProduct"]["price"], 5.0);
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let server = Server::new();
    for number in 0..5 {
        server.product(&format!("p{number}"), "Coffee", f64::from(number)).await;
    }
    let query = "query q($token: String) {
        listProducts(limit: 2, nextToken: $token, filter: {
            or: [{ price: { gt: 3 } }, { not: { price: { ge: 1 } } }]
        }) { items { id } nextToken startedAt } }";
    let mut token = json!(null);
    let mut pages = Vec::new();
    loop {
        let page = server.data(query, json!({ "token": token })).await["listProducts"].take();
        pages.push(page["items"].clone());
        assert_eq!(page["startedAt"], json!(null));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    // The limit counts rows before they are filtered, so a page may be short.
    assert_eq!(pages, [json!([{ "id": "p0" }]), json!([]), json!([{ "id": "p4" }])]);
}

#[tokio::test]
async fn related_records_are_read_with_their_parents() {
    let server = Server::new();
    server.product("p", "Latte", 4.0).await;
    let order = "mutation m($i: CreateOrderInput!) { createOrder(input: $i) { id createdAt } }";
    let data = server.data(order, json!({ "i": { "id": "o", "total": 8.0 } })).await;
    // The server fills the declared createdAt in, as the current transformers do.
    assert_eq!(data["createOrder"]["createdAt"], "1970-01-01T00:16:40.000Z");
    let item = "mutation m($i: CreateLineItemInput!) {
        createLineItem(input: $i) { order { id _deleted } product { name } } }";
    for (id, product) in [("i1", "p"), ("i2", "gone")] {
        let input = json!({ "id": id, "lineItemOrderId": "o", "lineItemProductId": product });
        let data = server.data(item, json!({ "i": input })).await;
        assert_eq!(data["createLineItem"]["order"], json!({ "id": "o", "_deleted": null }));
    }
    let query = "{ listOrders { items {
        id
        lineItems(limit: 10) { items { id product { name } order { total } } nextToken }
        first: lineItems(limit: 1, filter: { id: { ne: \"i1\" } }) { items { id } nextToken }
    } } }";
    let orders = server.data(query, json!({})).await["listOrders"]["items"].take();
    assert_eq!(
        orders[0]["lineItems"]["items"],
        json!([
            { "id": "i1", "product": { "name": "Latte" }, "order": { "total": 8.0 } },
            { "id": "i2", "product": null, "order": { "total": 8.0 } },
        ])
    );
    let first = &orders[0]["first"];
    assert_eq!((&first["items"], first["nextToken"].is_string()), (&json!([]), true));
}

#[tokio::test]
async fn a_preflight_is_answered_and_errors_can_be_read_by_pages() {
    let server = Server::new();
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/graphql")
        .header("origin", "https://till.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-api-key,x-amz-user-agent")
        .body(Body::empty())
        .unwrap();
    let answer = server.router().oneshot(preflight).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    for needed in ["content-type", "authorization", "x-api-key", "x-amz-user-agent", "x-amz-date"] {
        assert!(header("access-control-allow-headers").contains(needed), "{needed}");
    }
    let answer = server.post("{}").await;
    assert!(
        answer.headers()["access-control-expose-headers"]
            .to_str()
            .unwrap()
            .contains("x-amzn-errortype")
    );
    assert_eq!(answer.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn a_write_that_cannot_be_done_now_keeps_amplifys_mutation() {
    let server = Server::new();
    espressync_server::backend::Backend::close(&*server.backend).await;
    let query = "mutation m($i: CreateProductInput!) { createProduct(input: $i) { id } }";
    let input = json!({ "id": "p", "name": "Latte", "price": 4.0 });
    let answer = server.ask(query, json!({ "i": input })).await;
    let error = &answer["errors"][0];
    assert_eq!((&error["message"], &error["data"]), (&json!("Network Error"), &Json::Null));
    assert_eq!(error["errorInfo"], "the server is shutting down; try again");
}

#[tokio::test]
async fn a_composite_key_is_one_key() {
    let server = Server::of(
        "type Seat @model { row: ID! @primaryKey(sortKeyFields: [\"place\"]) place: Int!
           guest: String }",
    );
    let create = "mutation m($i: CreateSeatInput!) { createSeat(input: $i) { guest _version } }";
    for place in [1, 2] {
        let input = json!({ "row": "a", "place": place, "guest": format!("g{place}") });
        server.data(create, json!({ "i": input })).await;
    }
    let data = server.data("{ getSeat(row: \"a\", place: 2) { guest } }", json!({})).await;
    assert_eq!(data["getSeat"]["guest"], "g2");
    let missing = server.ask(create, json!({ "i": { "row": "a" } })).await;
    let expected = "Variable 'place' has coerced Null value for NonNull type 'Int!'";
    assert_eq!(missing["errors"][0]["message"], expected);
}
