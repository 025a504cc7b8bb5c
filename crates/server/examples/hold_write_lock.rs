//! Keeps a database file from being written until its standard input ends, as a backup or a
//! person with a database tool does. The tests with the real aws-amplify make a server busy by it.
#![allow(clippy::print_stdout, reason = "it says when it has the lock")]

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{Connection, TransactionBehavior};

fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("name the database's file")?;
    let mut connection = Connection::open(&file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let lock = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    println!("held");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    lock.rollback()?;
    Ok(())
}
