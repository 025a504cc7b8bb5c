//! How long it takes to learn what has changed.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use uuid::Uuid;

use crate::figures::Series;
use crate::http::{Connection, body};
use crate::mutations::product;
use crate::program::Program;
use crate::sync::page;

/// How many changes there are.
pub(crate) const CHANGES: usize = 100;

/// How often each round asks, of which the median counts.
const REPEATS: usize = 15;

/// Makes the changes and asks for them, as often as there are rounds, in milliseconds.
pub(crate) async fn measure(program: &Program, rounds: usize) -> Result<Series> {
    let mut connection = Connection::open(program.address).await?;
    let mut series = Series::default();
    for _ in 0..rounds {
        let before = page(&mut connection, None, None).await?.started_at;
        // The changes of the same millisecond count as later ones too: wait it out.
        while page(&mut connection, None, None).await?.started_at <= before {}
        let since = page(&mut connection, None, None).await?.started_at;
        connection.ask(&changes()).await?;
        let mut times = Series::default();
        for _ in 0..REPEATS {
            let started = Instant::now();
            let page = page(&mut connection, None, Some(since)).await?;
            times.add(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(page.rows == CHANGES, "{} rows instead of {CHANGES}", page.rows);
        }
        series.add(times.median());
    }
    Ok(series)
}

/// A request that makes that many products.
fn changes() -> String {
    let fields = (0..CHANGES).map(|number| {
        let input = product(&Uuid::new_v4().to_string());
        let [sku, name] = ["sku", "name"].map(|field| input[field].clone());
        format!("m{number}: createProduct(input: {{ id: {}, sku: {sku}, name: {name}, price: 1.5 }}) {{ id }} ", input["id"])
    });
    let fields: String = fields.collect();
    body(&format!("mutation operation {{ {fields} }}"), &json!({}))
}
