use std::path::{Path, PathBuf};

use espressync_server::config::{Config, ConfigError};
use espressync_server::seed::seed;
use espressync_server::serve::{ServeError, Server as Program};
use serde_json::json;
use tempfile::TempDir;

use crate::support::Server;

const ALL: &str = "{ syncProducts { items { id name } } }";

fn file(folder: &TempDir, text: &str) -> PathBuf {
    let file = folder.path().join("seed.json");
    std::fs::write(&file, text).expect("it is written");
    file
}

#[tokio::test]
async fn first_records_come_in_by_the_clients_path() {
    let (server, folder) = (Server::new(), TempDir::new().unwrap());
    let seeds = file(
        &folder,
        r#"{"Product": [{"id": "p", "name": "Latte", "price": 4}], "Order": [{"total": 4.5}]}"#,
    );
    assert_eq!(seed(&*server.backend, &server.rules, &seeds).await.unwrap(), 2);
    let data =
        server.data("{ listProducts { items { name _version createdAt } } }", json!({})).await;
    let expected = json!([{ "name": "Latte", "_version": 1,
        "createdAt": "1970-01-01T00:16:40.000Z" }]);
    assert_eq!(data["listProducts"]["items"], expected);
}

#[tokio::test]
async fn a_seed_that_does_not_fit_is_named_and_none_of_it_is_stored() {
    let (server, folder) = (Server::new(), TempDir::new().unwrap());
    for (text, message) in [
        ("{", "seed.json is not JSON"),
        ("[]", "seed.json should hold lists of records by model"),
        (r#"{"Bean": [{}]}"#, "Bean number 1: there is no model `Bean` in the schema"),
        (
            r#"{"Product": [{"name": "a", "price": 1}, {"name": "b", "cost": 1}]}"#,
            "Product number 2: `Product` has no field `cost`",
        ),
        (
            r#"{"Product": [{"id": "a", "name": "a", "price": 1}, {"id": "b", "name": "b"}]}"#,
            "Product b: Product.price is required",
        ),
        (
            r#"{"Product": [{"id": "a", "name": "a", "price": 1}, {"id": "a", "name": "b", "price": 1}]}"#,
            "Product a: The conditional request failed: a record with this key exists",
        ),
    ] {
        let seeds = file(&folder, text);
        let error = seed(&*server.backend, &server.rules, &seeds).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        let stored = server.data(ALL, json!({})).await;
        assert_eq!(stored["syncProducts"]["items"], json!([]), "{text}");
    }
}

pub(crate) fn config(folder: &Path) -> Config {
    Config {
        schema: concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/schema.graphql").into(),
        data: folder.join("data.sqlite"),
        listen: "127.0.0.1:0".parse().expect("an address"),
        seed: Some(folder.join("seed.json")),
        ..Config::default()
    }
}

#[tokio::test]
async fn only_a_new_database_is_seeded() {
    let folder = TempDir::new().unwrap();
    file(&folder, r#"{"Product": [{"name": "Latte", "price": 4}]}"#);
    for _ in 0..2 {
        let program = Program::start(&config(folder.path())).await.unwrap();
        program.run(std::future::ready(())).await.unwrap();
    }
    let file = rusqlite::Connection::open(folder.path().join("data.sqlite")).unwrap();
    let count = file.query_row("SELECT count(*) FROM journal", [], |row| row.get(0));
    assert_eq!(count, Ok(1_i64));
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why() {
    let folder = TempDir::new().unwrap();
    let open = Config { listen: "0.0.0.0:0".parse().unwrap(), ..config(folder.path()) };
    let error = Program::start(&open).await.unwrap_err();
    assert!(matches!(error, ServeError::Config(ConfigError::DemoKeyExposed { .. })), "{error}");
    let missing = Config { schema: "none.graphql".into(), ..config(folder.path()) };
    let error = Program::start(&missing).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot read the schema none.graphql"), "{error}");
    let schema = folder.path().join("s.graphql");
    std::fs::write(&schema, "type A @model @auth(rules: [{ allow: nobody }]) { x: Int }").unwrap();
    let unprotected = Config { schema, ..config(folder.path()) };
    let error = Program::start(&unprotected).await.unwrap_err().to_string();
    assert!(error.contains("s.graphql:1:15\n"), "{error}");
    assert!(error.contains("error: @auth: `allow` should be one of"), "{error}");
    assert!(error.contains("1 │ type A @model @auth(rules"), "{error}");
    assert!(!folder.path().join("data.sqlite").exists(), "nothing was begun");
}
