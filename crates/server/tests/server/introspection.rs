use serde_json::json;

use crate::support::{POS, RICH, Server};

/// The API of a schema is its golden file, to the letter. `UPDATE_GOLDEN=1` writes it anew.
fn check(source: &str, name: &str) {
    let file = format!("{}/tests/golden/{name}.graphql", env!("CARGO_MANIFEST_DIR"));
    let sdl = Server::of(source).state.api.sdl();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &sdl).expect("it is written");
    }
    let golden = std::fs::read_to_string(&file).expect("a golden file");
    assert_eq!(sdl, golden, "run with UPDATE_GOLDEN=1 if this is meant");
}

#[tokio::test]
async fn the_api_of_the_point_of_sale() {
    check(POS, "point_of_sale");
}

#[tokio::test]
async fn the_api_of_a_rich_schema() {
    check(RICH, "rich");
}

#[tokio::test]
async fn the_api_of_a_schema_that_names_what_it_offers() {
    check(include_str!("../schemas/offers.graphql"), "offers");
}

#[tokio::test]
async fn introspection_is_answered_and_goes_with_data() {
    let server = Server::new();
    let query = "{
        __type(name: \"CreateProductInput\") { kind inputFields { name type { kind name } } }
        __schema { queryType { name } subscriptionType { fields { name } } }
        mine: getProduct(id: \"none\") { id }
        __typename
    }";
    let data = server.data(query, json!({})).await;
    assert_eq!(data["__type"]["kind"], "INPUT_OBJECT");
    assert_eq!(
        data["__type"]["inputFields"][0],
        json!({
            "name": "id", "type": { "kind": "SCALAR", "name": "ID" }
        })
    );
    assert_eq!(data["__schema"]["subscriptionType"]["fields"].as_array().unwrap().len(), 9);
    assert_eq!((&data["mine"], &data["__typename"]), (&json!(null), &json!("Query")));
}
