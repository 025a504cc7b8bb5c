use serde_json::json;

use crate::support::Server;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/point_of_sale.graphql");

/// The API of the point of sale is this, to the letter. `UPDATE_GOLDEN=1` writes the file anew.
#[tokio::test]
async fn the_api_of_the_point_of_sale() {
    let sdl = Server::new().state.api.sdl();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &sdl).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert_eq!(sdl, golden, "run with UPDATE_GOLDEN=1 if this is meant");
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
