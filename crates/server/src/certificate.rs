use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use crate::tls::TlsError;

/// How often it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(1);

/// A certificate and its key, which are read anew when their files change: what renews them writes
/// new files and often knows of no server. Connections that are open go on as they are; those that
/// come later are shown what is there then. Files that cannot be used, such as a new certificate
/// whose key is not written yet, change nothing until they can.
#[derive(Debug)]
pub(crate) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    shown: RwLock<Arc<CertifiedKey>>,
    /// As of when the files were read.
    seen: Mutex<Stamp>,
}

/// When the two files were changed and how long they are, as far as they are there.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl CertificateFiles {
    /// Reads the files.
    pub(crate) fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let seen = Mutex::new(stamp(certificate, key));
        let shown = RwLock::new(Arc::new(read(certificate, key)?));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), shown, seen })
    }

    /// Follows the files until `stop`: looks at them now and then, and reads them when the system
    /// is told to (SIGHUP), changed or not.
    pub(crate) async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let mut asked = HangUps::new();
        loop {
            let is_asked = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => false,
                () = asked.next() => true,
            };
            let this = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || this.look(is_asked)).await {
                tracing::error!(%error, "the certificate cannot be looked at");
            }
        }
    }

    fn look(&self, is_asked: bool) {
        let now = stamp(&self.certificate, &self.key);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now && !is_asked {
            return;
        }
        *seen = now;
        match read(&self.certificate, &self.key) {
            Ok(pair) => {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                tracing::info!(certificate = %self.certificate.display(), "read the certificate");
            }
            Err(error) => tracing::warn!(%error, "the certificate stays the one that it was"),
        }
    }
}

impl ResolvesServerCert for CertificateFiles {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|file| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::File {
        what: "a private key",
        file: key.to_owned(),
        source,
    })?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|source| {
        TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), source }
    })
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

/// The system's way to ask a program to read its files anew, where it has one.
struct HangUps {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl HangUps {
    fn new() -> Self {
        #[cfg(unix)]
        let signals = {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = signal(SignalKind::hangup());
            signals.inspect_err(|error| tracing::warn!(%error, "cannot listen for SIGHUP")).ok()
        };
        Self {
            #[cfg(unix)]
            signals,
        }
    }

    /// Resolves when it is asked for the next time.
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_is_half_renewed_changes_nothing_until_it_is_whole() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        let pair = || {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            (made.cert.der().clone(), [made.cert.pem(), made.signing_key.serialize_pem()])
        };
        let write = |which: usize, text: &str| std::fs::write(&files[which], text).unwrap();
        let (old, [certificate, key]) = pair();
        write(0, &certificate);
        write(1, &key);
        let served = CertificateFiles::open(&files[0], &files[1]).unwrap();
        let check = |is_asked: bool, expected: &CertificateDer<'_>| {
            served.look(is_asked);
            assert_eq!(served.shown.read().unwrap().cert.first(), Some(expected));
        };
        check(false, &old);
        let (new, [certificate, key]) = pair();
        write(0, &certificate[..certificate.len() / 2]);
        check(false, &old);
        write(0, &certificate);
        check(true, &old);
        std::fs::remove_file(&files[1]).unwrap();
        check(true, &old);
        write(1, &key);
        check(false, &new);
        check(true, &new);
    }
}
