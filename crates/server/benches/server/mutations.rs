//! How many mutations a second are acknowledged.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::bare;
use crate::figures::{Series, Table, Target, Unit};
use crate::http::{Connection, Load, body, load};
use crate::program::Program;

const CONNECTIONS: usize = 64;

/// What DataStore sends when a product is made.
const CREATE: &str = "mutation operation($input: CreateProductInput!) {\
  createProduct(input: $input) {\
    id sku name price image createdAt updatedAt _version _lastChangedAt _deleted } }";

/// What DataStore sends when one changes.
const UPDATE: &str = "mutation operation($input: UpdateProductInput!, \
  $condition: ModelProductConditionInput) {\
  updateProduct(input: $input, condition: $condition) {\
    id sku name price image createdAt updatedAt _version _lastChangedAt _deleted } }";

/// A product as shops have them.
pub(crate) fn product(id: &str) -> Json {
    json!({
        "id": id,
        "sku": "0007-cappuccino-small",
        "name": "Cappuccino, small, oat milk",
        "price": 4.25,
        "image": "/pictures/cappuccino-small.svg",
    })
}

/// The rounds of one load.
#[derive(Default)]
struct Measured {
    rate: Series,
    cost: Series,
}

impl Measured {
    fn add(&mut self, load: &Load) {
        self.rate.add(load.rate);
        self.cost.add(load.cost);
    }
}

pub(crate) async fn measure(
    folder: &Path,
    rounds: usize,
    time: Duration,
    table: &mut Table,
) -> Result<()> {
    let program = Program::start(&folder.join("mutations.sqlite"))?;
    let bare = bare::Writer::open(&folder.join("bare.sqlite"))?;
    let mut alone = Series::default();
    let [mut asked, mut created, mut updated] = [(); 3].map(|()| Measured::default());
    for round in 0..rounds {
        println!("mutations, round {} of {rounds}", round + 1);
        alone.add(bare.rate(time)?);
        let ask = || body("{ __typename }", &json!({}));
        asked.add(&load(&program, time, [ask; CONNECTIONS]).await?);
        created.add(&load(&program, time, [create; CONNECTIONS]).await?);
        let updates = updates(program.address).await?;
        updated.add(&load(&program, time, updates).await?);
    }
    table.figure("bare SQLite, each insert committed by itself", Unit::PerSecond, &alone);
    let what = format!("{{ __typename }} over HTTP, {CONNECTIONS} connections");
    table.figure(what, Unit::PerSecond, &asked.rate);
    table.figure("  the server's processor time of one", Unit::Microseconds, &asked.cost);
    for (what, of) in [("creates", &created), ("updates", &updated)] {
        let what = format!("{what} over HTTP, {CONNECTIONS} connections");
        table.figure(what, Unit::PerSecond, &of.rate);
        let (ten, half) = (Target::AtLeast(10.0), Target::AtLeast(0.5));
        table.ratio("  beside bare SQLite", Unit::Times, &of.rate.over(&alone), ten);
        table.ratio("  beside { __typename }", Unit::Percent, &of.rate.over(&asked.rate), half);
        table.figure("  the server's processor time of one", Unit::Microseconds, &of.cost);
        let cost = of.cost.over(&asked.cost);
        table.figure("  beside { __typename }", Unit::Times, &cost);
    }
    Ok(())
}

fn create() -> String {
    let id = Uuid::new_v4().to_string();
    body(CREATE, &json!({ "input": product(&id) }))
}

/// Makes a product for each connection, which then changes it again and again on its version.
async fn updates(address: SocketAddr) -> Result<Vec<impl FnMut() -> String + Send + 'static>> {
    let mut connection = Connection::open(address).await?;
    let mut updates = Vec::new();
    for _ in 0..CONNECTIONS {
        let id = Uuid::new_v4().to_string();
        connection.ask(&body(CREATE, &json!({ "input": product(&id) }))).await?;
        let mut version = 0;
        updates.push(move || {
            version += 1;
            let input = json!({ "id": id, "price": version, "_version": version });
            body(UPDATE, &json!({ "input": input, "condition": null }))
        });
    }
    Ok(updates)
}
