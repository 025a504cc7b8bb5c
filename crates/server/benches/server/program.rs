//! The server as shops run it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub(crate) const KEY: &str = "da2-bench";

/// The point of sale's schema.
pub(crate) const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/schema.graphql");

const STARTUP: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// A server that runs; it ends when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Program {
    /// Starts the program on a file, with the settings it has by itself.
    pub(crate) fn start(data: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(env!("CARGO_BIN_EXE_espressync"))
            .args(["serve", "--schema", SCHEMA, "--api-key", KEY])
            .args(["--listen", &address.to_string(), "--data"])
            .arg(data)
            .stderr(Stdio::null())
            .spawn()
            .context("the server does not start")?;
        let mut program = Self { child, address };
        let deadline = Instant::now() + STARTUP;
        while std::net::TcpStream::connect(program.address).is_err() {
            if let Some(status) = program.child.try_wait()? {
                bail!("the server ended before it was ready: {status}");
            }
            if Instant::now() > deadline {
                bail!("the server is not ready");
            }
            std::thread::sleep(POLL);
        }
        Ok(program)
    }

    /// How much of the processors' time it has taken, in milliseconds, where the system tells.
    pub(crate) fn processor_time(&self) -> Option<f64> {
        processor_time(&self.child.id().to_string())
    }

    /// How much memory it holds, in KiB, where the system tells.
    pub(crate) fn memory(&self) -> Option<f64> {
        let file = PathBuf::from(format!("/proc/{}/status", self.child.id()));
        let facts = std::fs::read_to_string(file).ok()?;
        let line = facts.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }
}

/// How much of the processors' time this process has taken.
pub(crate) fn own_processor_time() -> Option<f64> {
    processor_time("self")
}

fn processor_time(process: &str) -> Option<f64> {
    let facts = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which may hold anything, its own and the system's time are the 12th and
    // the 13th word, in hundredths of a second.
    let mut words = facts.rsplit(") ").next()?.split(' ').skip(11);
    let mut next = || words.next()?.parse::<f64>().ok();
    Some((next()? + next()?) * 10.0)
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
