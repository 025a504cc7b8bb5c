//! The `espressync` program.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use espressync_model::sdl::SdlError;
use espressync_server::cli::{Cli, Codegen, Command, LogFormat};
use espressync_server::codegen::generate;
use espressync_server::commands::{self, Verdict};
use espressync_server::config::Config;
use espressync_server::handover::inherited_socket;
use espressync_server::serve::Server;
use tracing_subscriber::EnvFilter;

/// A request makes a few hundred small things on one thread that another lets go of, which takes
/// the system's allocator a fifth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::NotFine) => ExitCode::FAILURE,
        Err(error) => {
            // Where nobody listens any more, there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "Error: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and those causes of it that it does not tell itself. One about a schema shows it.
fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).filter(|cause| !cause.is::<SdlError>()) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

fn run() -> Result<Verdict> {
    let mut out = std::io::stdout();
    Ok(match Cli::parse().command {
        Command::Serve(told) => {
            let settings = told.settings()?;
            start_log(settings.log_format());
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.context("cannot start the runtime")?;
            runtime.block_on(serve(&settings.into_config()))?;
            Verdict::Fine
        }
        Command::Codegen(told) => {
            write_models(&told)?;
            Verdict::Fine
        }
        Command::Keys(told) => {
            told.run(&mut out)?;
            Verdict::Fine
        }
        Command::Push(told) => commands::push(told, &mut out)?,
        Command::Export(told) => commands::export(told, &mut out, &mut std::io::stderr())?,
        Command::Import(told) => commands::import(told, std::io::stdin(), &mut out)?,
        Command::Undelete(told) => commands::undelete(told, &mut out)?,
        Command::Doctor(told) => commands::doctor(told, &mut out)?,
    })
}

#[allow(clippy::print_stdout, reason = "the answer to a command")]
fn write_models(told: &Codegen) -> Result<()> {
    for file in generate(&told.schema()?, told.target, &told.out, &told.package)? {
        println!("{}", file.display());
    }
    Ok(())
}

async fn serve(config: &Config) -> Result<()> {
    let stop = stop_signal()?;
    let server = Server::start_on(inherited_socket()?, config).await?;
    tracing::info!(address = %server.address()?, url = server.url()?, "serving");
    Ok(server.run(stop).await?)
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("ESPRESSYNC_LOG").unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Resolves when the system or the operator asks the program to end.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?
    };
    Ok(async move {
        let interrupt = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        #[cfg(unix)]
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        interrupt.await;
    })
}
