use serde_json::{Value as Json, json};

use crate::support::Server;

const UNDELETE: &str = "mutation m($i: UndeleteProductInput!) {
    undeleteProduct(input: $i) { id name price _version _deleted } }";

async fn delete(server: &Server, id: &str, version: u64) {
    let query = "mutation m($i: DeleteProductInput!) { deleteProduct(input: $i) { id } }";
    server.data(query, json!({ "i": { "id": id, "_version": version } })).await;
}

fn version(version: impl Into<Json>) -> Json {
    json!({ "i": { "id": "a", "_version": version.into() } })
}

#[tokio::test]
async fn what_was_deleted_comes_back_with_all_that_it_said() {
    let server = Server::new();
    server.product("a", "Coffee", 3.0).await;
    delete(&server, "a", 1).await;
    server.update(json!({ "id": "a", "price": 4.0, "_version": 2 })).await;
    let stale = server.ask(UNDELETE, version(2)).await;
    assert_eq!(stale["errors"][0]["errorType"], "ConflictUnhandled");
    assert_eq!(stale["errors"][0]["data"]["_version"], 3);
    let back = json!({
        "id": "a", "name": "Coffee", "price": 4.0, "_version": 4, "_deleted": null
    });
    let data = server.data(UNDELETE, version(3)).await;
    assert_eq!(data["undeleteProduct"], back);
    // Sent again, it is done already; and who gives no version takes what is there.
    assert_eq!(server.data(UNDELETE, version(3)).await["undeleteProduct"], back);
    delete(&server, "a", 4).await;
    let data = server.data(UNDELETE, json!({ "i": { "id": "a" } })).await;
    assert_eq!(data["undeleteProduct"]["_version"], 6);
    let missing = server.ask(UNDELETE, json!({ "i": { "id": "b" } })).await;
    assert_eq!(missing["errors"][0]["errorType"], "ConditionalCheckFailedException");
}

#[tokio::test]
async fn delta_sync_tells_of_an_undelete() {
    let server = Server::new();
    server.product("a", "Coffee", 3.0).await;
    delete(&server, "a", 1).await;
    server.data(UNDELETE, version(2)).await;
    let query = "{ syncProducts(lastSync: 1000000) { items { _version _deleted } } }";
    let data = server.data(query, json!({})).await;
    let items = data["syncProducts"]["items"].as_array().unwrap();
    assert_eq!(items[2], json!({ "_version": 3, "_deleted": null }));
}

/// Bookkeeping is the server's: no input has it.
#[tokio::test]
async fn clients_do_not_write_bookkeeping() {
    let server = Server::new();
    server.product("a", "Coffee", 3.0).await;
    for (field, value) in [("_deleted", json!(true)), ("_lastChangedAt", json!(1))] {
        let mut input = json!({ "id": "a", "_version": 1 });
        input[field] = value;
        let answer = server.update(input).await;
        assert_eq!(answer["data"], json!(null), "{answer}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(field), "{message}");
    }
}

/// An addition is an update on one version under a name of its own, which its alias gives.
#[tokio::test]
async fn what_must_not_count_twice_does_not() {
    let server = Server::new();
    server.product("a", "Coffee", 3.0).await;
    let add = |name: &str, version: u64, from: f64, to: f64| {
        let query = format!(
            "mutation m($i: UpdateProductInput!, $c: ModelProductConditionInput) {{
                m0_once_{name}: updateProduct(input: $i, condition: $c) {{ price _version }} }}"
        );
        let input = json!({ "id": "a", "price": to, "_version": version });
        (query, json!({ "i": input, "c": { "price": { "eq": from } } }))
    };
    let (ours, theirs) = ("00000000000000aa", "00000000000000bb");
    for _ in 0..2 {
        let (query, variables) = add(ours, 1, 3.0, 4.0);
        let data = server.data(&query, variables).await;
        assert_eq!(data["m0_once_00000000000000aa"], json!({ "price": 4.0, "_version": 2 }));
    }
    let (query, variables) = add(theirs, 1, 3.0, 4.0);
    let answer = server.ask(&query, variables).await;
    assert_eq!(answer["errors"][0]["errorType"], "ConflictUnhandled");
    let (query, variables) = add(theirs, 2, 4.0, 5.0);
    let data = server.data(&query, variables).await;
    assert_eq!(data["m0_once_00000000000000bb"]["price"], 5.0);
    let (query, variables) = add(ours, 1, 3.0, 4.0);
    let data = server.data(&query, variables).await;
    assert_eq!(data["m0_once_00000000000000aa"], json!({ "price": 5.0, "_version": 3 }));
}
