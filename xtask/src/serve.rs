//! `cargo xtask serve`: from a fresh clone to a shop that takes orders.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::project::Project;
use crate::server::{self, Server};
use crate::step::readable;
use crate::tools::{self, BuildTools};
use crate::{build, size};

const DEFAULT_PORT: u16 = 8080;
const POLL: Duration = Duration::from_millis(100);

/// What the user asked for.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Options {
    port: u16,
    data: Data,
}

/// Which database the shop starts with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Data {
    Fresh,
    Kept,
}

impl Options {
    /// Reads the arguments that follow the command.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { port: DEFAULT_PORT, data: Data::Fresh };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--keep" => options.data = Data::Kept,
                "--port" => {
                    let port = arguments.next().context("--port needs a number")?;
                    options.port = port.parse().with_context(|| format!("no port: `{port}`"))?;
                }
                unknown => {
                    bail!("serve does not know `{unknown}`; it takes --port PORT and --keep")
                }
            }
        }
        Ok(options)
    }
}

/// Installs, builds and runs until Ctrl-C.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    println!("Espressync: preparing the shop\n");
    let project = Project::find()?;
    let program = prepare(&project)?;
    size::print(&project)?;

    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot catch Ctrl-C")?;
    }
    let port = server::free_port(options.port)?;
    let shop = Shop::open(&project, options, port)?;
    let mut server = Server::start(&project, &program, port, &shop.folder)?;
    println!("\n  The shop is open after {}:\n", readable(started.elapsed()));
    println!("      {}\n", server.url());
    if port != options.port {
        println!("  Port {} is taken; the orders are those of {}.\n", options.port, shop.name);
    }
    println!("  Its API is to be asked at {}graphiql\n", server.url());
    println!("  Open it in two browsers and take an order. Ctrl-C closes the shop.\n");
    while !stop.load(Ordering::Relaxed) {
        if let Some(status) = server.ended()? {
            bail!("the server has ended by itself: {status}");
        }
        thread::sleep(POLL);
    }
    println!("\n  Closing…");
    server.stop()?;
    println!("  Closed.");
    Ok(ExitCode::SUCCESS)
}

/// Builds the server beside the tools and the app: each alone leaves a core idle now and then.
fn prepare(project: &Project) -> Result<PathBuf> {
    thread::scope(|scope| {
        let server = scope.spawn(|| server::build(project));
        let app = tools::install_wasm_target(project)
            .and_then(|()| BuildTools::install(project))
            .and_then(|tools| build::app_if_outdated(project, &tools));
        let program = tools::join(server)?;
        app.map(|()| program)
    })
}

/// The folder of a shop's database and key, which nobody else opens or empties meanwhile.
struct Shop {
    folder: PathBuf,
    /// How the folder is called: by a port.
    name: String,
    /// Held, never read; the system lets go of it however this program ends.
    _lock: File,
}

impl Shop {
    /// Finds the folder, after removing what is there unless it is to be kept.
    ///
    /// A fresh shop has that of the port it opens at, so that a second one is beside the first.
    /// Kept is that of the port which was asked for, even if another program is at that port now.
    fn open(project: &Project, options: &Options, port: u16) -> Result<Self> {
        let name = match options.data {
            Data::Fresh => port.to_string(),
            Data::Kept => options.port.to_string(),
        };
        let shops = project.target.join("demo");
        fs::create_dir_all(&shops).with_context(|| format!("cannot make {}", shops.display()))?;
        let lock = shops.join(format!("{name}.lock"));
        let lock =
            File::create(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
        if lock.try_lock().is_err() {
            bail!("a shop with the database of {name} is open: close it, or give another --port");
        }
        let folder = shops.join(&name);
        if options.data == Data::Fresh && folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        Ok(Self { folder, name, _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_kept_shop_is_that_of_the_port_asked_for_and_nobody_elses() -> Result<()> {
        let root = std::env::temp_dir().join(format!("xtask-shops-{}", std::process::id()));
        let project = Project { root: root.clone(), target: root.clone() };
        let options = |data| Options { port: 8080, data };
        let kept = Shop::open(&project, &options(Data::Kept), 8081)?;
        assert_eq!(kept.folder, root.join("demo").join("8080"));
        fs::create_dir_all(&kept.folder)?;
        assert!(Shop::open(&project, &options(Data::Fresh), 8080).is_err(), "it is in use");
        let fresh = Shop::open(&project, &options(Data::Fresh), 8081)?;
        assert_eq!(fresh.folder, root.join("demo").join("8081"));
        drop(kept);
        Shop::open(&project, &options(Data::Kept), 8080)?;
        assert!(root.join("demo").join("8080").exists());
        Shop::open(&project, &options(Data::Fresh), 8080)?;
        assert!(!root.join("demo").join("8080").exists());
        fs::remove_dir_all(&root)?;
        Ok(())
    }

    #[test]
    fn options_are_read_and_wrong_ones_named() -> Result<()> {
        assert_eq!(parse(&[])?, Options { port: 8080, data: Data::Fresh });
        let both = parse(&["--keep", "--port", "9000"])?;
        assert_eq!(both, Options { port: 9000, data: Data::Kept });
        for (words, named) in
            [(&["--port"][..], "--port"), (&["--prot"], "--prot"), (&["--port", "x"], "`x`")]
        {
            let error = parse(words).map_or_else(|error| error.to_string(), |_| String::new());
            assert!(error.contains(named), "{words:?}: {error}");
        }
        Ok(())
    }
}
