//! How quickly a table is read from end to end, over HTTP and without.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::figures::{Series, Table, Target, Unit};
use crate::http::{Connection, body};
use crate::program::Program;
use crate::{bare, delta, filler};

/// The sizes of the table; the last may be chosen by the user.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// The size whose whole table is read.
const WHOLE: usize = 100_000;

const SYNC: &str = "query operation($limit: Int, $nextToken: String, $lastSync: AWSTimestamp) {\
  syncProducts(limit: $limit, nextToken: $nextToken, lastSync: $lastSync) {\
    items { id sku name price image createdAt updatedAt _version _lastChangedAt _deleted }\
    nextToken startedAt } }";

/// A page of a sync query.
pub(crate) struct Page {
    pub(crate) rows: usize,
    pub(crate) started_at: i64,
    next: Option<String>,
}

pub(crate) async fn measure(
    folder: &Path,
    rounds: usize,
    most: usize,
    table: &mut Table,
) -> Result<()> {
    let file = folder.join("sync.sqlite");
    let mut filled = 0;
    let mut deltas = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        println!("sync of a table of {size} rows");
        filler::add_products(&file, size - filled).await?;
        filled = size;
        let program = Program::start(&file)?;
        if size == WHOLE {
            whole(&program, &file, rounds, table).await?;
        }
        deltas.push((size, delta::measure(&program, rounds).await?));
    }
    let Some((_, smallest)) = deltas.first().cloned() else { return Ok(()) };
    for (size, series) in deltas {
        let what = format!("delta sync of {} changes in a table of {size}", delta::CHANGES);
        table.figure(what, Unit::Milliseconds, &series);
        let twice = Target::AtMost(2.0);
        table.ratio("  beside the smallest table", Unit::Times, &series.over(&smallest), twice);
    }
    Ok(())
}

async fn whole(program: &Program, file: &Path, rounds: usize, table: &mut Table) -> Result<()> {
    let [mut served, mut alone] = [(); 2].map(|()| Series::default());
    for _ in 0..rounds {
        let mut connection = Connection::open(program.address).await?;
        let (mut rows, mut next) = (0_u32, None);
        let started = Instant::now();
        loop {
            let page = page(&mut connection, next, None).await?;
            rows += u32::try_from(page.rows)?;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        served.add(f64::from(rows) / started.elapsed().as_secs_f64());
        let (found, rate) = bare::read(file, "Product")?;
        anyhow::ensure!(found == rows as usize, "{found} rows, of which {rows} were served");
        alone.add(rate);
    }
    table.figure(format!("rows of a base sync of {WHOLE}, over HTTP"), Unit::PerSecond, &served);
    table.figure("  rows read by bare SQLite", Unit::PerSecond, &alone);
    let ratio = served.over(&alone);
    table.ratio("  the one beside the other", Unit::Percent, &ratio, Target::None);
    Ok(())
}

/// Asks for a page of a thousand rows and reads of it what the next one needs.
pub(crate) async fn page(
    connection: &mut Connection,
    next: Option<String>,
    last_sync: Option<i64>,
) -> Result<Page> {
    let variables = json!({ "limit": 1000, "nextToken": next, "lastSync": last_sync });
    let answer = connection.ask(&body(SYNC, &variables)).await?;
    let rows = answer.matches("\"_version\":").count();
    // The end alone is read as JSON: reading it all would take the server's time.
    let end = answer.rfind("],\"nextToken\"").context("a page without its end")?;
    let end = answer[end + 2..].trim_end_matches('}');
    let end: Json = serde_json::from_str(&format!("{{{end}}}"))?;
    Ok(Page {
        rows,
        started_at: end["startedAt"].as_i64().context("a page without startedAt")?,
        next: end["nextToken"].as_str().map(ToOwned::to_owned),
    })
}
