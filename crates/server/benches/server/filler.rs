//! Fills a database faster than one would over HTTP: through the backend's own door, so that it
//! holds just what the server would have stored.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use espressync_model::remote::{Change, Mutation, Operation};
use espressync_model::{Key, Predicate, Value, sdl};
use espressync_resolver::{Caller, Rules, Strategies};
use espressync_server::backend::{Backend, Events};
use espressync_server::clock::system_time;
use espressync_server::sqlite::SqliteBackend;
use uuid::Uuid;

use crate::program::SCHEMA;

/// How many rows share a commit.
const ROWS: usize = 10_000;

/// Nobody is told.
struct Silence;

impl Events for Silence {
    fn publish(&self, _: Vec<Change>) {}
}

/// Adds products to a file, of which it then holds `count` more.
pub(crate) async fn add_products(file: &Path, count: usize) -> Result<()> {
    let text = std::fs::read_to_string(SCHEMA)?;
    let rules = Rules::new(Arc::new(sdl::parse_api(&text, SCHEMA)?), Strategies::default());
    let model = rules.schema().id_of("Product").context("no product in the schema")?;
    let fields = ["id", "sku", "name", "price", "image"];
    let of = rules.schema().model(model);
    let fields = fields.map(|name| of.field_named(name));
    let [id, sku, name, price, image] = fields;
    let (id, sku, name, price, image) = (id?, sku?, name?, price?, image?);
    let backend = SqliteBackend::open(file, Arc::new(rules), system_time, Arc::new(Silence))?;
    let make = |number: usize| {
        let key = Uuid::new_v4().to_string();
        let values = [
            (id, Value::from(key.as_str())),
            (sku, Value::from(format!("sku-{number}"))),
            (name, Value::from(format!("Cappuccino, oat milk, number {number}"))),
            (price, Value::from(4.25)),
            (image, Value::from("/pictures/cappuccino-small.svg")),
        ];
        Mutation {
            model,
            key: Key::from(key),
            operation: Operation::Create,
            fields: values.into_iter().collect(),
            version: 0,
            condition: Predicate::All,
            once: None,
        }
    };
    let mut done = 0;
    while done < count {
        let next = count.min(done + ROWS);
        let mutations = (done..next).map(make).collect();
        let written = backend.write(Arc::new(Caller::Operator), mutations).await;
        written.into_iter().collect::<Result<Vec<_>, _>>()?;
        done = next;
    }
    backend.close().await;
    Ok(())
}
