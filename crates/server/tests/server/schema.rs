//! What a schema says, seen through the API.

use serde_json::json;

use crate::realtime::{Socket, listen};
use crate::support::Server;

const V1: &str = include_str!("../../../model/tests/golden/point_of_sale_v1.graphql");

/// The names of a type's fields, or of an input's.
async fn members(server: &Server, of: &str, kind: &str) -> Vec<String> {
    let query = format!("{{ __type(name: \"{of}\") {{ {kind} {{ name }} }} }}");
    let data = server.data(&query, json!({})).await;
    let members = data["__type"][kind].as_array().unwrap_or_else(|| panic!("no {of}: {data}"));
    members.iter().map(|member| member["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn the_first_point_of_sale_has_its_first_names() {
    let server = Server::of(V1);
    let queries = members(&server, "Query", "fields").await;
    for name in
        ["getOrder", "listOrders", "syncOrders", "getLineItem", "listLineItems", "syncProducts"]
    {
        assert!(queries.iter().any(|query| query == name), "{name} of {queries:?}");
    }
    let keys = ["lineItemOrderId", "lineItemProductId"];
    let has = |names: &[String]| keys.map(|key| names.iter().any(|name| name == key));
    assert_eq!(has(&members(&server, "LineItem", "fields").await), [false; 2]);
    assert_eq!(has(&members(&server, "ModelLineItemFilterInput", "inputFields").await), [false; 2]);
    assert_eq!(has(&members(&server, "CreateLineItemInput", "inputFields").await), [true; 2]);
    assert_eq!(has(&members(&server, "UpdateLineItemInput", "inputFields").await), [true; 2]);
    let create = "mutation m($item: CreateLineItemInput!) {
        createOrder(input: { id: \"o\", total: 4.5, createdAt: \"then\" }) { createdAt }
        createProduct(input: { id: \"p\", name: \"Latte\", price: 4.5 }) { _version }
        createLineItem(input: $item) { order { id _deleted } product { id } _version } }";
    let item = json!({ "id": "i", "qty": 1, "lineItemOrderId": "o", "lineItemProductId": "p" });
    let data = server.data(create, json!({ "item": item })).await;
    assert_eq!(data["createOrder"]["createdAt"], "then");
    let expected = json!({
        "order": { "id": "o", "_deleted": null }, "product": { "id": "p" }, "_version": 1 });
    assert_eq!(data["createLineItem"], expected);
    let data =
        server.data("{ getOrder(id: \"o\") { lineItems { items { qty } } } }", json!({})).await;
    assert_eq!(data["getOrder"]["lineItems"]["items"], json!([{ "qty": 1 }]));
}

#[tokio::test]
async fn timestamps_have_the_names_that_a_schema_gives_them() {
    let server = Server::of(
        "type A @model(timestamps: { createdAt: \"made\", updatedAt: \"touched\" }) {
           n: Int made: AWSDateTime! createdAt: String }",
    );
    let made = "mutation { createA(input: { id: \"a\", n: 1 }) { made touched createdAt } }";
    let data = server.data(made, json!({})).await;
    let now = "1970-01-01T00:16:40.000Z";
    assert_eq!(data["createA"], json!({ "made": now, "touched": now, "createdAt": null }));
    server.time.set(2_000_000);
    let touched = "mutation { updateA(input: { id: \"a\", n: 2, _version: 1 }) { made touched } }";
    let data = server.data(touched, json!({})).await;
    assert_eq!(data["updateA"], json!({ "made": now, "touched": "1970-01-01T00:33:20.000Z" }));
}

const SHOP: &str = "
type Shop @model { card: Card @hasOne(references: [\"shopId\"]) }
type Card @model { shopId: ID shop: Shop @belongsTo(references: [\"shopId\"]) }";

#[tokio::test]
async fn a_has_one_may_be_held_by_the_other_side() {
    let server = Server::of(SHOP);
    let create = "mutation { createShop(input: { id: \"s\" }) { id }
        t: createShop(input: { id: \"t\" }) { id }
        a: createCard(input: { id: \"a\", shopId: \"s\" }) { shop { id card { id } } }
        b: createCard(input: { id: \"b\", shopId: \"s\" }) { id } }";
    let data = server.data(create, json!({})).await;
    assert_eq!(data["a"]["shop"], json!({ "id": "s", "card": { "id": "a" } }));
    // Nothing forbids a second; the first that is not deleted is shown.
    let delete = "mutation { deleteCard(input: { id: \"a\", _version: 1 }) { id } }";
    server.data(delete, json!({})).await;
    let data = server.data("{ listShops { items { id card { id } } } }", json!({})).await;
    let expected = json!([{ "id": "s", "card": { "id": "b" } }, { "id": "t", "card": null }]);
    assert_eq!(data["listShops"]["items"], expected);
}

#[tokio::test]
async fn many_to_many_goes_through_its_model() {
    let server = Server::of(
        "type Post @model { title: String tags: [Tag] @manyToMany(relationName: \"PostTags\") }
         type Tag @model { label: String posts: [Post] @manyToMany(relationName: \"PostTags\") }",
    );
    let create = "mutation { createPost(input: { id: \"p\" }) { id }
        createTag(input: { id: \"t\", label: \"x\" }) { id }
        createPostTags(input: { postId: \"p\", tagId: \"t\" }) { tag { label } } }";
    let data = server.data(create, json!({})).await;
    assert_eq!(data["createPostTags"]["tag"]["label"], "x");
    let query =
        "{ getPost(id: \"p\") { tags { items { tag { label posts { items { postId } } } } } }
        postTagsByTagId(tagId: \"t\") { items { postId } } }";
    let data = server.data(query, json!({})).await;
    let expected = json!([{ "tag": { "label": "x", "posts": { "items": [{ "postId": "p" }] } } }]);
    assert_eq!(data["getPost"]["tags"]["items"], expected);
    assert_eq!(data["postTagsByTagId"]["items"], json!([{ "postId": "p" }]));
}

#[tokio::test]
async fn a_renamed_model_keeps_its_records() {
    let server = Server::of("type Drink @model { name: String @index(name: \"byName\") }");
    server
        .data("mutation { createDrink(input: { id: \"d\", name: \"Latte\" }) { id } }", json!({}))
        .await;
    let server = server
        .restart("type Beverage @model @mapsTo(name: \"Drink\") { name: String @index(name: \"byName\") }")
        .await;
    let query = "{ syncBeverages(lastSync: 1) { items { id _version } }
        beveragesByName(name: \"Latte\") { items { id } } }";
    let data = server.data(query, json!({})).await;
    assert_eq!(data["syncBeverages"]["items"], json!([{ "id": "d", "_version": 1 }]));
    assert_eq!(data["beveragesByName"]["items"], json!([{ "id": "d" }]));
}

#[tokio::test]
async fn formats_are_checked_where_records_are_written() {
    let server = Server::of(
        "type A @model { mail: AWSEmail at: AWSDateTime days: [AWSDate] json: AWSJSON place: P }
         type P { url: AWSURL }",
    );
    let create = "mutation m($input: CreateAInput!) { createA(input: $input) { id } }";
    for (input, message) in [
        (
            json!({ "mail": "ann" }),
            "A.mail should be AWSEmail (such as ann@example.com), found \"ann\"",
        ),
        (json!({ "at": "now" }), "A.at should be AWSDateTime (such as 2026-11-25T12:30:45.000Z)"),
        (json!({ "days": ["2026-11-25", "2026-02-30"] }), "A.days should be AWSDate (such as"),
        (json!({ "json": "{" }), "A.json should be AWSJSON (such as {\"a\": 1}), found \"{\""),
        (json!({ "place": { "url": "home" } }), "P.url should be AWSURL (such as https://"),
    ] {
        let answer = server.ask(create, json!({ "input": input })).await;
        let found = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(found.contains(message), "{answer}");
    }
    let good = json!({ "mail": "ann@example.com", "at": "2026-11-25T12:30Z", "days": ["2026-11-25"],
        "json": "[1]", "place": { "url": "https://example.com" } });
    server.data(create, json!({ "input": good })).await;
    let filter = "{ listAS(filter: { mail: { contains: \"@\" } }) { items { json } } }";
    let data = server.data(filter, json!({})).await;
    assert_eq!(data["listAS"]["items"], json!([{ "json": "[1]" }]));
}

#[tokio::test]
async fn what_a_model_does_not_offer_is_not_there() {
    let server = Server::of(
        "type A @model(queries: null, mutations: { delete: null }, subscriptions: null) { n: Int }
         type B @model(queries: { list: \"allBs\" }) { n: Int mail: AWSEmail @default(value: \"a@b.c\") }",
    );
    assert_eq!(members(&server, "Query", "fields").await, ["getB", "allBs", "syncBS"]);
    let mutations = members(&server, "Mutation", "fields").await;
    assert!(mutations.iter().any(|name| name == "createA"), "{mutations:?}");
    assert!(mutations.iter().all(|name| name != "deleteA"), "{mutations:?}");
    let subscriptions = members(&server, "Subscription", "fields").await;
    assert_eq!(subscriptions, ["onCreateB", "onUpdateB", "onDeleteB"]);
    let data = server.data("mutation { createB(input: {}) { mail } }", json!({})).await;
    assert_eq!(data["createB"]["mail"], "a@b.c");
}

#[tokio::test]
async fn public_subscriptions_ask_nobody() {
    let rules = "@auth(rules: [{ allow: public, operations: [create] }, { allow: owner }])";
    let level = "@model(subscriptions: { level: public })";
    let server = Server::of(&format!(
        "type A {level} {rules} {{ n: Int }} type B @model {rules} {{ n: Int }}"
    ));
    let mut socket = Socket::open(listen(&server).await).await;
    socket.start("b", "subscription { onCreateB { n } }", json!({})).await;
    let refused = socket.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("b")), "{refused}");
    socket.subscribe("a", "subscription { onCreateA { n } }", json!({})).await;
    server.ask("mutation { createA(input: { n: 7 }) { id } }", json!({})).await;
    let told = socket.hear().await;
    assert_eq!(told["payload"]["data"]["onCreateA"], json!({ "n": 7 }), "{told}");
}
