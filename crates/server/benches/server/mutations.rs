//! How many mutations a second are acknowledged.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::bare;
use crate::figures::{Series, Table, Target, Unit};
use crate::http::{Connection, Load, body, load};
use crate::program::Program;

const CONNECTIONS: usize = 64;

/// As many rows as there are connections share a commit of bare SQLite.
const SHARED_COMMIT: u32 = 64;

/// What DataStore asks of a product.
const SELECTION: &str =
    "id sku name price image createdAt updatedAt _version _lastChangedAt _deleted";

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

/// How many mutations share a request where a client has many to send.
const TOGETHER: u32 = 25;

/// The rounds of one load.
#[derive(Default)]
struct Measured {
    rate: Series,
    cost: Series,
    /// What this machine could do of it at most.
    most: Series,
}

impl Measured {
    fn add(&mut self, load: &Load) {
        self.rate.add(load.rate);
        self.cost.add(load.cost);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let processors = f64::from(u32::try_from(processors).unwrap_or(u32::MAX));
        self.most.add(processors * 1e6 / (load.cost + load.own_cost));
    }

    fn show(&self, what: &str, table: &mut Table) {
        table.figure(what, Unit::PerSecond, &self.rate);
        table.figure("  the server's processor time of one", Unit::Microseconds, &self.cost);
        table.figure(
            "  with all processors busy, for it and the bench",
            Unit::PerSecond,
            &self.most,
        );
    }
}

/// What SQLite does without a server.
#[derive(Default)]
struct Bare {
    /// Each row committed by itself.
    alone: Series,
    /// As many to a commit as there are connections.
    together: Series,
    /// The same, of all that the server writes.
    server: Series,
}

impl Bare {
    fn show(&self, table: &mut Table) {
        let alone = "bare SQLite, each insert committed by itself";
        table.figure(alone, Unit::PerSecond, &self.alone);
        let together = format!("bare SQLite, {CONNECTIONS} inserts to a commit");
        table.figure(together, Unit::PerSecond, &self.together);
        table.figure("  of all that the server writes", Unit::PerSecond, &self.server);
    }
}

pub(crate) async fn measure(
    folder: &Path,
    rounds: usize,
    time: Duration,
    table: &mut Table,
) -> Result<()> {
    let program = Program::start(&folder.join("mutations.sqlite"))?;
    let plain = bare::Writer::open(&folder.join("bare.sqlite"), bare::Tables::Plain)?;
    let server = bare::Writer::open(&folder.join("server.sqlite"), bare::Tables::Server)?;
    let mut bare = Bare::default();
    let [mut asked, mut created, mut updated, mut many] = [(); 4].map(|()| Measured::default());
    for round in 0..rounds {
        println!("mutations, round {} of {rounds}", round + 1);
        bare.alone.add(plain.rate(time, 1)?);
        bare.together.add(plain.rate(time, SHARED_COMMIT)?);
        bare.server.add(server.rate(time, SHARED_COMMIT)?);
        let ask = || body("{ __typename }", &json!({}));
        asked.add(&load(&program, time, [ask; CONNECTIONS]).await?);
        created.add(&load(&program, time, [create; CONNECTIONS]).await?);
        let updates = updates(program.address).await?;
        updated.add(&load(&program, time, updates).await?);
        let creates = load(&program, time, [create_many; CONNECTIONS]).await?;
        many.add(&creates.of_many(f64::from(TOGETHER)));
    }
    bare.show(table);
    asked.show(&format!("{{ __typename }} over HTTP, {CONNECTIONS} connections"), table);
    let together = format!("creates, {TOGETHER} to a request");
    for (what, of) in [("creates", &created), ("updates", &updated), (together.as_str(), &many)] {
        of.show(&format!("{what} over HTTP, {CONNECTIONS} connections"), table);
        let (ten, half) = (Target::AtLeast(10.0), Target::AtLeast(0.5));
        table.ratio("  beside bare SQLite", Unit::Times, &of.rate.over(&bare.alone), ten);
        let of_limit = of.rate.over(&bare.server);
        table.figure("  beside bare SQLite of what the server writes", Unit::Percent, &of_limit);
        table.ratio("  beside { __typename }", Unit::Percent, &of.rate.over(&asked.rate), half);
    }
    Ok(())
}

/// As a client sends them that has made many products without a network.
fn create_many() -> String {
    let (mut inputs, mut fields, mut variables) = (String::new(), String::new(), Map::new());
    for number in 0..TOGETHER {
        inputs += &format!("$i{number}: CreateProductInput! ");
        fields += &format!("m{number}: createProduct(input: $i{number}) {{ {SELECTION} }} ");
        let id = Uuid::new_v4().to_string();
        variables.insert(format!("i{number}"), product(&id));
    }
    body(&format!("mutation operation({inputs}) {{ {fields} }}"), &Json::Object(variables))
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
