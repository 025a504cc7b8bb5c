use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem;
use tokio_rustls::rustls::server::WantsServerCert;
use tokio_rustls::rustls::{self, ConfigBuilder, ServerConfig};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

use crate::certificate::CertificateFiles;

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How many clients may be shaking hands; the rest wait until the system lets them in.
const HANDSHAKES: usize = 1024;

/// Whether a server listens over TLS, and what it shows its clients.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tls {
    /// It does not: it listens on this machine only, or something in front of it does TLS.
    #[default]
    Off,
    /// A certificate and its key, which the operator has.
    Files {
        /// The PEM file of the certificate, and of those that vouch for it.
        certificate: PathBuf,
        /// The PEM file of its private key.
        key: PathBuf,
    },
    /// A certificate that vouches for itself, made at the start and kept in memory only.
    SelfSigned,
}

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of what is looked for.
    #[error("cannot read {what} from {file}: {source}")]
    File {
        /// What is looked for.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The key is not the certificate's, or either is of a kind that is not understood.
    #[error("cannot use the certificate {certificate} with the key {key}: {source}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Made(#[from] rcgen::Error),
    /// The library has none of the ways to speak TLS that it should have.
    #[error("cannot speak TLS: {0}")]
    Library(#[from] rustls::Error),
}

/// How a server shakes hands.
pub(crate) struct Handshake {
    acceptor: TlsAcceptor,
    /// What it shows, where that comes from files.
    files: Option<Arc<CertificateFiles>>,
}

impl Tls {
    /// Reads or makes the certificate of a server that listens on this address.
    pub(crate) fn open(&self, listen: IpAddr) -> Result<Option<Handshake>, TlsError> {
        let (mut config, files) = match self {
            Self::Off => return Ok(None),
            Self::Files { certificate, key } => {
                let files = Arc::new(CertificateFiles::open(certificate, key)?);
                (builder()?.with_cert_resolver(Arc::clone(&files) as _), Some(files))
            }
            Self::SelfSigned => {
                let names = ["localhost", "127.0.0.1", "::1", &listen.to_string()];
                let CertifiedKey { cert, signing_key } =
                    generate_simple_self_signed(names.map(ToOwned::to_owned))?;
                let chain = vec![cert.der().clone()];
                (builder()?.with_single_cert(chain, signing_key.into())?, None)
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Handshake { acceptor: TlsAcceptor::from(Arc::new(config)), files }))
    }
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    Ok(builder.with_safe_default_protocol_versions()?.with_no_client_auth())
}

/// A connection, plain or over TLS.
pub(crate) type Connection = Either<TcpStream, TlsStream<TcpStream>>;

/// A server's address, where clients come in plain or over TLS.
///
/// Hands are shaken beside each other, so that a client which is slow at it holds up no other.
pub(crate) struct Listener {
    clients: TcpListener,
    handshake: Option<Handshake>,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener {
    pub(crate) fn new(clients: TcpListener, handshake: Option<Handshake>) -> Self {
        Self { clients, handshake, handshakes: JoinSet::new() }
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.handshake.is_some()
    }

    /// The files of what it shows, where it is from files: they may change.
    pub(crate) fn files(&self) -> Option<Arc<CertificateFiles>> {
        self.handshake.as_ref()?.files.clone()
    }

    pub(crate) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.clients.local_addr()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let Self { clients, handshake, handshakes } = self;
        loop {
            let has_room = handshakes.len() < HANDSHAKES;
            tokio::select! {
                (stream, client) = axum::serve::Listener::accept(clients), if has_room => {
                    // A realtime frame is small, and waits for nothing.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "cannot send small frames at once");
                    }
                    match handshake {
                        None => return (Either::Left(stream), client),
                        Some(Handshake { acceptor, .. }) => {
                            handshakes.spawn(shake_hands(acceptor.clone(), stream, client));
                        }
                    }
                }
                Some(done) = handshakes.join_next() => {
                    if let Ok(Some((stream, client))) = done {
                        return (Either::Right(stream), client);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.clients.local_addr()
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    client: SocketAddr,
) -> Option<(TlsStream<TcpStream>, SocketAddr)> {
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some((stream, client)),
        // Whoever does not trust the certificate goes away like this, and so do port scanners.
        Ok(Err(error)) => tracing::debug!(%client, %error, "a client did not shake hands"),
        Err(_) => tracing::debug!(%client, "a client was too slow to shake hands"),
    }
    None
}
