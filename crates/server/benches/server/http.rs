//! Load over HTTP. A library's client costs about as much as the server's answer, on the same
//! processors; so this one writes bytes that are ready and reads no more than it must.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::program::{KEY, Program, own_processor_time};

/// One connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    request: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new(), request: Vec::new() })
    }

    /// Sends a GraphQL request and returns the answer's body, which must be a success.
    pub(crate) async fn ask(&mut self, body: &str) -> Result<&str> {
        self.request.clear();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\nx-api-key: {KEY}\r\n\
             content-type: application/json; charset=UTF-8\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.request.extend_from_slice(head.as_bytes());
        self.request.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.request).await?;
        let start = self.read_answer().await?;
        let body = std::str::from_utf8(&self.buffer[start..]).context("the answer is no text")?;
        if body.contains("\"errors\"") {
            bail!("the server refused: {body}");
        }
        Ok(body)
    }

    /// Reads one whole answer and says where its body begins.
    async fn read_answer(&mut self) -> Result<usize> {
        self.buffer.clear();
        let start = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server has closed the connection");
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..start]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200 ") {
            bail!("the server refused: {head}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.context("an answer without a length")?.trim().parse()?;
        self.buffer.reserve((start + length).saturating_sub(self.buffer.len()));
        while self.buffer.len() < start + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server has closed the connection");
            }
        }
        Ok(start)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// A request's body.
pub(crate) fn body(query: &str, variables: &Json) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}

/// What came of a load.
pub(crate) struct Load {
    /// Answers a second.
    pub(crate) rate: f64,
    /// The server's processor time of each, in microseconds.
    pub(crate) cost: f64,
    /// That of this bench, on the same processors.
    pub(crate) own_cost: f64,
}

impl Load {
    /// The same, counted by the many that each answer is about.
    pub(crate) fn of_many(self, count: f64) -> Self {
        let Self { rate, cost, own_cost } = self;
        Self { rate: rate * count, cost: cost / count, own_cost: own_cost / count }
    }
}

/// Keeps connections busy for a while, each with one of its own requests at a time.
pub(crate) async fn load<R: FnMut() -> String + Send + 'static>(
    program: &Program,
    time: Duration,
    requests: impl IntoIterator<Item = R>,
) -> Result<Load> {
    let mut tasks = JoinSet::new();
    let mut open = Vec::new();
    for request in requests {
        open.push((Connection::open(program.address).await?, request));
    }
    let before = [program.processor_time(), own_processor_time()];
    let started = Instant::now();
    for (mut connection, mut request) in open {
        tasks.spawn(async move {
            let mut answered = 0_u32;
            while started.elapsed() < time {
                connection.ask(&request()).await?;
                answered += 1;
            }
            anyhow::Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(done) = tasks.join_next().await {
        answered += done??;
    }
    let rate = f64::from(answered) / started.elapsed().as_secs_f64();
    let spent = |after: Option<f64>, before: Option<f64>| {
        let spent = after.zip(before).map(|(after, before)| after - before);
        spent.unwrap_or(f64::NAN) * 1000.0 / f64::from(answered)
    };
    let cost = spent(program.processor_time(), before[0]);
    Ok(Load { rate, cost, own_cost: spent(own_processor_time(), before[1]) })
}
