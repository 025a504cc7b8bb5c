use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use espressync_server::config::Config;
use espressync_server::serve::{ServeError, Server as Program};
use espressync_server::tls::TlsError;
use espressync_wire::Auth;
use espressync_wire::realtime::offered_protocols;
use futures::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::program::Spoken;
use crate::seed::config;

/// A server that runs until it is told to stop.
struct Running {
    address: SocketAddr,
    url: String,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    async fn start(config: &Config) -> Self {
        let server = Program::start(config).await.expect("it starts");
        let (address, url) = (server.address().expect("an address"), server.url().expect("a URL"));
        let (stop, stopped) = oneshot::channel();
        let done = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
        Self { address, url, stop, done }
    }

    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.done.await.expect("it ends").expect("it ends well");
    }

    async fn connect(&self, trust: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        connect(self.address, trust).await
    }
}

async fn connect(
    address: SocketAddr,
    trust: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(trust)).connect(name, stream).await
}

/// A folder with the settings' seed.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("seed.json"), "{}").expect("it is written");
    folder
}

/// Writes a certificate and its key, and returns what a client has to trust.
fn certificate(folder: &Path, name: &str) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let file = |kind: &str| folder.join(format!("{name}.{kind}.pem"));
    std::fs::write(file("cert"), cert.pem()).expect("it is written");
    std::fs::write(file("key"), signing_key.serialize_pem()).expect("it is written");
    cert.der().clone()
}

/// Settings with the certificate and the key of these files.
fn files(folder: &Path, certificate: &str, key: &str) -> Config {
    let (tls_certificate, tls_key) = (Some(folder.join(certificate)), Some(folder.join(key)));
    Config { tls_certificate, tls_key, ..config(folder) }
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
}

/// A client that trusts one certificate.
fn trusting(certificate: CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    builder().with_root_certificates(roots).with_no_client_auth()
}

/// Asks for the server's health over a connection of its own.
async fn healthz(stream: TlsStream<TcpStream>) -> String {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    let connection = tokio::spawn(connection);
    let request = Request::get("/healthz").header("host", "localhost").body(Body::empty());
    let answer = sender.send_request(request.expect("a request")).await.expect("an answer");
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    drop(sender);
    connection.await.expect("it ends").expect("it ends well");
    String::from_utf8(body.to_vec()).expect("text")
}

#[tokio::test]
async fn requests_and_sockets_come_over_tls_and_are_drained() {
    let folder = folder();
    let root = certificate(folder.path(), "own");
    let files = files(folder.path(), "own.cert.pem", "own.key.pem");
    let key = "da2-tls";
    let server = Running::start(&Config { api_keys: vec![key.to_owned()], ..files }).await;
    assert_eq!(server.url, format!("https://{}", server.address));

    // Who only opens a connection holds up nobody.
    let silent = TcpStream::connect(server.address).await.expect("it listens");
    assert_eq!(healthz(server.connect(trusting(root.clone())).await.unwrap()).await, "ok");

    let header = Auth::ApiKey(key.to_owned()).realtime_header("localhost");
    let mut request = format!("wss://{}/graphql/realtime", server.address)
        .into_client_request()
        .expect("a request");
    let protocols = offered_protocols(&header).join(", ").parse().expect("a value");
    request.headers_mut().insert("sec-websocket-protocol", protocols);
    let stream = server.connect(trusting(root)).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.expect("a socket");
    let hello = json!({ "type": "connection_init" }).to_string();
    socket.send(Message::text(hello)).await.expect("it is sent");
    let Some(Ok(Message::Text(ack))) = socket.next().await else { panic!("no answer") };
    let ack: Json = serde_json::from_str(&ack).expect("JSON");
    assert_eq!(ack["type"], "connection_ack");

    server.stop().await;
    let mut closed = false;
    while let Some(Ok(message)) = socket.next().await {
        closed |= message.is_close();
    }
    assert!(closed, "the socket was told that the server stops");
    drop(silent);
}

#[tokio::test]
async fn who_does_not_know_the_certificate_stays_away_and_others_are_served() {
    let folder = folder();
    let other = certificate(folder.path(), "other");
    let server = Running::start(&Config { tls_self_signed: true, ..config(folder.path()) }).await;
    let error = server.connect(trusting(other)).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");

    // What it shows is good for the names of this machine, which a client that was told can check.
    let seen = Arc::new(Seen::default());
    let verifier = Arc::clone(&seen) as Arc<dyn ServerCertVerifier>;
    let curious =
        builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    assert_eq!(healthz(server.connect(curious).await.unwrap()).await, "ok");
    let shown = seen.certificate.lock().unwrap().clone().expect("a certificate");
    assert_eq!(healthz(server.connect(trusting(shown)).await.unwrap()).await, "ok");
    server.stop().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let folder = folder();
    let path = folder.path();
    certificate(path, "own");
    certificate(path, "other");
    let check = async |certificate: &str, key: &str, expected: &str| {
        let error = Program::start(&files(path, certificate, key)).await.unwrap_err();
        assert!(matches!(error, ServeError::Tls(TlsError::File { .. } | TlsError::Pair { .. })));
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!path.join("data.sqlite").exists(), "nothing is made");
    };
    check("none.pem", "own.key.pem", "none.pem: I/O error").await;
    check("own.key.pem", "own.key.pem", "a certificate from").await;
    check("own.cert.pem", "own.cert.pem", "a private key from").await;
    check("own.cert.pem", "other.key.pem", "cannot use the certificate").await;
}

/// A connection that stays open between requests.
struct Kept(hyper::client::conn::http1::SendRequest<Body>);

impl Kept {
    async fn open(stream: TlsStream<TcpStream>) -> Self {
        let io = TokioIo::new(stream);
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await.expect("HTTP");
        tokio::spawn(connection);
        Self(sender)
    }

    async fn ask(&mut self) -> StatusCode {
        let request = Request::get("/healthz").header("host", "localhost").body(Body::empty());
        let answer = self.0.send_request(request.expect("a request")).await.expect("an answer");
        let status = answer.status();
        answer.into_body().collect().await.expect("a body");
        status
    }
}

/// Opens a connection that trusts a certificate, as soon as the server shows that.
async fn connect_soon(address: SocketAddr, trust: &CertificateDer<'static>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while connect(address, trusting(trust.clone())).await.is_err() {
        assert!(Instant::now() < deadline, "the new certificate is never shown");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_certificate_that_is_renewed_is_shown_and_open_connections_go_on() {
    let folder = folder();
    let old = certificate(folder.path(), "own");
    let server = Running::start(&files(folder.path(), "own.cert.pem", "own.key.pem")).await;
    let mut open = Kept::open(server.connect(trusting(old.clone())).await.unwrap()).await;
    assert_eq!(open.ask().await, StatusCode::OK);
    let new = certificate(folder.path(), "own");
    connect_soon(server.address, &new).await;
    assert!(server.connect(trusting(old)).await.is_err());
    assert_eq!(open.ask().await, StatusCode::OK);
    drop(open);
    server.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_hangup_has_the_program_read_its_certificate_anew() {
    let folder = folder();
    let old = certificate(folder.path(), "own");
    let (cert, key) = (folder.path().join("own.cert.pem"), folder.path().join("own.key.pem"));
    let flags = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let (program, log, address) = Spoken::start(folder.path(), &flags);
    assert!(!log.contains("WARN"), "{log}");
    let mut open = Kept::open(connect(address, trusting(old.clone())).await.unwrap()).await;
    assert_eq!(open.ask().await, StatusCode::OK);
    let new = certificate(folder.path(), "own");
    let killed = std::process::Command::new("kill").args(["-HUP", &program.id()]).status();
    assert!(killed.expect("it is there").success());
    connect_soon(address, &new).await;
    assert_eq!(open.ask().await, StatusCode::OK);
}

/// Trusts whatever it sees, and keeps it.
#[derive(Debug, Default)]
struct Seen {
    certificate: Mutex<Option<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.certificate.lock().expect("no panic") = Some(certificate.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
