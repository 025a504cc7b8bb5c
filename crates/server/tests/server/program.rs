//! The built program, as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value as Json, json};

const KEY: &str = "da2-crash";
const STARTUP: Duration = Duration::from_secs(30);

/// The program, serving the point of sale.
pub(crate) struct Program {
    pub(crate) child: Child,
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Program {
    /// Starts it on the file `data.sqlite` of a folder, and waits until it answers.
    pub(crate) async fn start(folder: &Path, address: SocketAddr, flags: &[&str]) -> Self {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/schema.graphql");
        Self::serving(Path::new(schema), folder, address, flags).await
    }

    /// Starts it with another schema.
    pub(crate) async fn serving(
        schema: &Path,
        folder: &Path,
        address: SocketAddr,
        flags: &[&str],
    ) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_espressync"))
            .args(["serve", "--api-key", KEY, "--schema"])
            .arg(schema)
            .arg("--data")
            .arg(folder.join("data.sqlite"))
            .args(["--listen", &address.to_string()])
            .args(flags)
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let client = Client::builder(TokioExecutor::new()).build_http();
        let program = Self { child, address, client };
        let deadline = Instant::now() + STARTUP;
        while !program.is_well().await {
            assert!(Instant::now() < deadline, "the program does not answer");
            tokio::task::yield_now().await;
        }
        program
    }

    async fn is_well(&self) -> bool {
        let address = format!("http://{}/healthz", self.address);
        self.client.get(address.parse().expect("an address")).await.is_ok()
    }

    /// Ends the program as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn api(&self) -> Door {
        Door { address: self.address, client: self.client.clone() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program's API.
#[derive(Clone)]
pub(crate) struct Door {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Door {
    /// `None` when no whole answer came.
    pub(crate) async fn ask(&self, query: &str, variables: Json) -> Option<Json> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post(format!("http://{}/graphql", self.address))
            .header("x-api-key", KEY)
            .body(Body::from(body))
            .expect("a request");
        let answer = self.client.request(request).await.ok()?;
        let bytes = answer.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&bytes).ok()
    }
}

/// The program, of which the log of its start was read.
pub(crate) struct Spoken {
    child: Child,
    /// What it says later goes nowhere, but has to go there.
    _log: BufReader<ChildStderr>,
}

impl Spoken {
    /// Starts it in a folder, at an address that it finds, and reads until it says that it serves.
    pub(crate) fn start(folder: &Path, flags: &[&str]) -> (Self, String, SocketAddr) {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/schema.graphql");
        let mut child = Command::new(env!("CARGO_BIN_EXE_espressync"))
            .current_dir(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--schema", schema])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut text = String::new();
        let address = loop {
            let start = text.len();
            let read = log.read_line(&mut text).expect("its log is text");
            assert!(read > 0, "the program has ended: {text}");
            let said = text[start..].split("address=").nth(1);
            if let Some(address) = said.and_then(|rest| rest.split_whitespace().next()) {
                break address.parse().expect("an address");
            }
        };
        (Self { child, _log: log }, text, address)
    }

    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_address() -> SocketAddr {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    probe.local_addr().expect("its address")
}
