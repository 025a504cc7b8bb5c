//! The espressync server as a program: building it, starting it, waiting for it, stopping it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{as_typed, cargo, output_of};
use crate::project::Project;
use crate::step::Step;
use crate::tools::graphiql;

const PACKAGE: &str = "espressync-server";
const PROGRAM: &str = "espressync";

const STARTUP: Duration = Duration::from_secs(30);
const SHUTDOWN: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);
const PORTS_TRIED: u16 = 100;

/// `cargo xtask server`
pub(crate) fn run() -> Result<ExitCode> {
    let program = build(&Project::find()?)?;
    println!("\n  The server: {}\n", program.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the server as shops run it, with the page /graphiql, and returns the program.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    graphiql::install(project)?;
    let hint = "building it in release, about 3 min the first time";
    let step = Step::start(project, "the server", hint)?;
    step.run(cargo(&project.root).args(["build", "--profile=server", "--package", PACKAGE]))?;
    step.done();
    Ok(project.target.join("server").join(PROGRAM))
}

/// Builds the server from what the native tests have compiled, and returns the program.
pub(crate) fn build_for_tests(project: &Project) -> Result<PathBuf> {
    graphiql::install(project)?;
    let step = Step::start(project, "the server for the tests", "mostly built by now")?;
    // Asked for alone, its libraries would have fewer features and be compiled a second time.
    let what = ["--bin", PROGRAM, "--example", "hold_write_lock"];
    step.run(cargo(&project.root).args(["build", "--workspace"]).args(what))?;
    step.done();
    Ok(project.target.join("debug").join(PROGRAM))
}

/// Finds the first port from `wanted` upwards that nobody listens on.
pub(crate) fn free_port(wanted: u16) -> Result<u16> {
    (wanted..=wanted.saturating_add(PORTS_TRIED))
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .with_context(|| format!("no free port from {wanted} on: choose one by --port"))
}

/// A server that runs, and is stopped at the latest when this is dropped.
pub(crate) struct Server {
    program: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts `program` for the demo on a port of this machine, its rows and key in `shop`.
    pub(crate) fn start(project: &Project, program: &Path, port: u16, shop: &Path) -> Result<Self> {
        fs::create_dir_all(shop).with_context(|| format!("cannot make {}", shop.display()))?;
        let key = key_of(shop)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new(program);
        command
            .current_dir(&project.root)
            .args(["serve", "--schema", "src/schema.graphql", "--data"])
            .arg(shop.join("shop.sqlite"))
            .args(["--listen", &address.to_string(), "--static", "dist"])
            .args(["--seed", "src/domain/demo_catalog.json"])
            // Not as an argument, which every user of this machine could read.
            .env("ESPRESSYNC_API_KEYS", key)
            .args(["--share-key", "--graphiql"]);
        detach_from_keyboard(&mut command);
        let by_hand = as_typed(&command);
        let program = command.spawn().with_context(|| format!("cannot start: {by_hand}"))?;
        let mut server = Self { program, address };
        server.wait_until_well().with_context(|| format!("By hand: {by_hand}"))?;
        Ok(server)
    }

    /// Where the shop opens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Says how the server has ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.program.try_wait().context("lost the server")
    }

    /// Asks the server to finish what it is doing and waits until it has gone.
    pub(crate) fn stop(mut self) -> Result<()> {
        // The standard library can only kill; asking kindly is a shell's builtin.
        let pid = self.program.id().to_string();
        Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().context("no shell")?;
        let deadline = Instant::now() + SHUTDOWN;
        while self.ended()?.is_none() {
            if Instant::now() > deadline {
                bail!("the server did not stop within {} s and was killed", SHUTDOWN.as_secs());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn wait_until_well(&mut self) -> Result<()> {
        let deadline = Instant::now() + STARTUP;
        while !self.is_well() {
            if let Some(status) = self.ended()? {
                bail!("the server ended before it was ready: {status}");
            }
            if Instant::now() > deadline {
                bail!("the server was not ready within {} s", STARTUP.as_secs());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn is_well(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut connection = TcpStream::connect_timeout(&self.address, POLL)?;
            connection.set_read_timeout(Some(Duration::from_secs(1)))?;
            connection.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Does nothing to a server that has ended.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Reads a shop's API key, or makes one that nobody can guess: other web pages know the address.
fn key_of(shop: &Path) -> Result<String> {
    let file = shop.join("api-key");
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if !kept.trim().is_empty() {
        return Ok(kept.trim().to_owned());
    }
    // Node is there for the build anyway, and needs no crate for this on any system.
    let mut node = Command::new("node");
    node.args(["--print", "require('node:crypto').randomBytes(16).toString('hex')"]);
    let key = format!("da2-{}", output_of(&mut node)?.trim());
    write_secret(&file, &key).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key)
}

/// Writes a new file that only its owner can read.
fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// Keeps Ctrl-C from reaching the server directly: it is stopped by us, once and in order.
#[cfg(unix)]
fn detach_from_keyboard(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn detach_from_keyboard(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_keeps_its_key_and_no_two_have_the_same() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-key-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let first = key_of(&folder)?;
        assert_eq!((first.len(), key_of(&folder)?), (36, first.clone()));
        fs::remove_dir_all(&folder)?;
        fs::create_dir_all(&folder)?;
        assert_ne!(key_of(&folder)?, first);
        fs::remove_dir_all(&folder)?;
        Ok(())
    }

    #[test]
    fn a_taken_port_is_passed_over() -> Result<()> {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = taken.local_addr()?.port();
        assert!(free_port(port)? > port);
        Ok(())
    }
}
