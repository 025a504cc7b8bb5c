use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

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

impl Tls {
    /// Reads or makes the certificate of a server that listens on this address.
    pub(crate) fn acceptor(&self, listen: IpAddr) -> Result<Option<TlsAcceptor>, TlsError> {
        let config = match self {
            Self::Off => return Ok(None),
            Self::Files { certificate, key } => {
                let chain = certificates(certificate)?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(|source| {
                    TlsError::File { what: "a private key", file: key.clone(), source }
                })?;
                let (certificate, key) = (certificate.clone(), key.clone());
                config(chain, private)?.map_err(|source| TlsError::Pair {
                    certificate,
                    key,
                    source,
                })?
            }
            Self::SelfSigned => {
                let names = ["localhost", "127.0.0.1", "::1", &listen.to_string()];
                let CertifiedKey { cert, signing_key } =
                    generate_simple_self_signed(names.map(ToOwned::to_owned))?;
                config(vec![cert.der().clone()], signing_key.into())??
            }
        };
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::File { what: "a certificate", file: file.into(), source };
    let chain = CertificateDer::pem_file_iter(file).map_err(failed)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if chain.is_empty() {
        return Err(failed(pem::Error::NoItemsFound));
    }
    Ok(chain)
}

/// The outer error is the library's, the inner one the pair's.
fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Result<ServerConfig, rustls::Error>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    Ok(builder.with_single_cert(chain, key).map(|mut config| {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }))
}

/// A connection, plain or over TLS.
pub(crate) type Connection = Either<TcpStream, TlsStream<TcpStream>>;

/// A server's address, where clients come in plain or over TLS.
///
/// Hands are shaken beside each other, so that a client which is slow at it holds up no other.
pub(crate) struct Listener {
    clients: TcpListener,
    acceptor: Option<TlsAcceptor>,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener {
    pub(crate) fn new(clients: TcpListener, acceptor: Option<TlsAcceptor>) -> Self {
        Self { clients, acceptor, handshakes: JoinSet::new() }
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.acceptor.is_some()
    }

    pub(crate) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.clients.local_addr()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let Self { clients, acceptor, handshakes } = self;
        loop {
            let has_room = handshakes.len() < HANDSHAKES;
            tokio::select! {
                (stream, client) = axum::serve::Listener::accept(clients), if has_room => {
                    // A realtime frame is small, and waits for nothing.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "cannot send small frames at once");
                    }
                    match acceptor {
                        None => return (Either::Left(stream), client),
                        Some(acceptor) => {
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
