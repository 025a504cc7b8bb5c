//! How long it takes until the last of many subscriptions has heard of a mutation, and what a
//! socket costs.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use espressync_wire::Auth;
use espressync_wire::realtime::offered_protocols;
use futures::future::try_join_all;
use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use crate::figures::{Series, Table, Target, Unit};
use crate::http::{Connection, body};
use crate::mutations::product;
use crate::program::{KEY, Program};

/// Sockets, and the subscriptions of each.
const CROWDS: [(usize, usize); 3] = [(1, 1), (10, 10), (100, 100)];

/// How many mutations are told in each round.
const REPEATS: usize = 5;

/// How many sockets do nothing while memory is measured.
const IDLE: usize = 1000;

/// What DataStore subscribes to.
const SUBSCRIPTION: &str = "subscription operation($filter: ModelSubscriptionProductFilterInput) {\
  onCreateProduct(filter: $filter) {\
    id sku name price image createdAt updatedAt _version _lastChangedAt _deleted } }";

const CREATE: &str = "mutation operation($input: CreateProductInput!) {\
  createProduct(input: $input) { id } }";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) async fn measure(folder: &Path, rounds: usize, table: &mut Table) -> Result<()> {
    let mut smallest = None;
    for (sockets, subscriptions) in CROWDS {
        let count = sockets * subscriptions;
        println!("mutations told to {count} subscription(s)");
        let file = folder.join(format!("fan-out-{count}.sqlite"));
        let program = Program::start(&file)?;
        let mut open =
            try_join_all((0..sockets).map(|_| subscribed(program.address, subscriptions))).await?;
        let series = tell(&program, &mut open, subscriptions, rounds).await?;
        let what = format!("from a mutation to the last of {count} subscription(s)");
        table.figure(what, Unit::Milliseconds, &series);
        match &smallest {
            None => smallest = Some(series),
            Some(smallest) => {
                let ratio = series.over(smallest);
                table.ratio("  beside a single one", Unit::Times, &ratio, Target::None);
            }
        }
    }
    memory(folder, rounds, table).await
}

/// The time of a mutation until the last subscription was told, in milliseconds.
async fn tell(
    program: &Program,
    sockets: &mut [Socket],
    subscriptions: usize,
    rounds: usize,
) -> Result<Series> {
    let mut writer = Connection::open(program.address).await?;
    let mut series = Series::default();
    for _ in 0..rounds {
        let mut times = Series::default();
        for _ in 0..REPEATS {
            let input = product(&Uuid::new_v4().to_string());
            let request = body(CREATE, &json!({ "input": input }));
            let started = Instant::now();
            let told = try_join_all(sockets.iter_mut().map(|socket| hear(socket, subscriptions)));
            let (answered, told) = futures::join!(writer.ask(&request), told);
            answered?;
            told?;
            times.add(started.elapsed().as_secs_f64() * 1000.0);
        }
        series.add(times.median());
    }
    Ok(series)
}

async fn hear(socket: &mut Socket, count: usize) -> Result<()> {
    let mut heard = 0;
    while heard < count {
        if next(socket).await?.contains("\"type\":\"data\"") {
            heard += 1;
        }
    }
    Ok(())
}

async fn memory(folder: &Path, rounds: usize, table: &mut Table) -> Result<()> {
    let (mut idle, mut busy) = (Series::default(), Series::default());
    for (subscriptions, series) in [(0, &mut idle), (9, &mut busy)] {
        for round in 0..rounds {
            println!("{IDLE} sockets of {subscriptions} subscriptions");
            let file = folder.join(format!("memory-{subscriptions}-{round}.sqlite"));
            let program = Program::start(&file)?;
            // The first ones bring up what all share.
            let first = subscribed(program.address, subscriptions).await?;
            let Some(before) = program.memory() else { return Ok(()) };
            let sockets = (0..IDLE).map(|_| subscribed(program.address, subscriptions));
            let sockets = try_join_all(sockets).await?;
            let after = program.memory().context("the server has gone")?;
            series.add((after - before) / f64::from(u32::try_from(sockets.len())?));
            drop((first, sockets));
        }
    }
    table.figure("memory of an idle socket", Unit::KiB, &idle);
    table.figure("memory of a socket with 9 subscriptions", Unit::KiB, &busy);
    Ok(())
}

/// A socket with this many subscriptions.
async fn subscribed(address: SocketAddr, subscriptions: usize) -> Result<Socket> {
    let header = Auth::ApiKey(KEY.to_owned()).realtime_header("localhost");
    let mut request = format!("ws://{address}/graphql/realtime").into_client_request()?;
    let protocols = offered_protocols(&header).join(", ").parse()?;
    request.headers_mut().insert("sec-websocket-protocol", protocols);
    let (mut socket, _) = connect_async(request).await?;
    say(&mut socket, &json!({ "type": "connection_init" })).await?;
    wait_for(&mut socket, "connection_ack").await?;
    let data = body(SUBSCRIPTION, &json!({}));
    let extensions = json!({ "authorization": header });
    let payload = json!({ "data": data, "extensions": extensions });
    for id in 0..subscriptions {
        let id = id.to_string();
        say(&mut socket, &json!({ "type": "start", "id": id, "payload": payload })).await?;
    }
    for _ in 0..subscriptions {
        wait_for(&mut socket, "start_ack").await?;
    }
    Ok(socket)
}

async fn say(socket: &mut Socket, frame: &serde_json::Value) -> Result<()> {
    socket.send(Message::text(frame.to_string())).await.context("cannot send")
}

async fn wait_for(socket: &mut Socket, kind: &str) -> Result<()> {
    let wanted = format!("\"type\":\"{kind}\"");
    loop {
        let frame = next(socket).await?;
        if frame.contains(&wanted) {
            return Ok(());
        }
        if frame.contains("error") {
            bail!("the server refused: {frame}");
        }
    }
}

async fn next(socket: &mut Socket) -> Result<String> {
    loop {
        match socket.next().await.context("the socket has ended")?? {
            Message::Text(text) => return Ok(text.to_string()),
            Message::Ping(_) | Message::Pong(_) => {}
            other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                bail!("unexpected: {other:?}")
            }
        }
    }
}
