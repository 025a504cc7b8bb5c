use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use espressync_model::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::keys::{Hash, hash};

/// The version of the file's form.
const FORMAT: u32 = 1;

/// What a key begins with, as AppSync's do.
const PREFIX: &str = "da2-";

/// How many letters of 5 random bits follow.
const LETTERS: usize = 26;

const ALPHABET: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";

/// The stored API keys of a database, in a file beside it. Not in the database itself: that has
/// one writer, the server, and a key is made and revoked while it runs. The file is replaced as a
/// whole, so that a reader sees the keys before a change or those after it, and a lock keeps two
/// changes apart.
#[derive(Debug, Clone)]
pub struct KeyFile {
    file: PathBuf,
}

/// A stored key, without itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// By what it is revoked.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is no longer good.
    pub expires: Option<Timestamp>,
    pub(super) hash: Hash,
}

/// A key that was just made.
pub struct NewKey {
    /// The key itself, which is kept nowhere.
    pub key: String,
    /// What is kept of it.
    pub stored: StoredKey,
}

/// Why keys cannot be read or changed.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The system's reason.
    #[error("cannot use the keys' file {file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no file of keys.
    #[error("{file} is damaged or is no file of keys: restore a backup, or move it away")]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It was written by a newer program.
    #[error("{file} was written by a newer espressync (format {format}): use that one")]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        format: u32,
    },
    /// No key has this id.
    #[error("there is no key {id} in {file}: see `espressync keys list`")]
    Unknown {
        /// The id.
        id: String,
        /// The file.
        file: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a key: {0}")]
    Random(#[from] getrandom::Error),
}

/// By what a changed file is told from the one before.
pub(super) type Mark = (Option<SystemTime>, u64, u64);

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    keys: Vec<WrittenKey>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKey {
    id: String,
    name: String,
    sha256: String,
    created: i64,
    expires: Option<i64>,
}

impl KeyFile {
    /// The keys' file of a database.
    #[must_use]
    pub fn of(database: &Path) -> Self {
        Self { file: beside(database, ".keys") }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Whether keys were ever stored.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file.exists()
    }

    /// The keys; none when the file is not there.
    ///
    /// # Errors
    /// A file that is there and cannot be read, or is none of ours.
    pub fn read(&self) -> Result<Vec<StoredKey>, KeyFileError> {
        let text = match std::fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(source)),
        };
        let corrupt = |source| KeyFileError::Corrupt { file: self.file.clone(), source };
        let json: serde_json::Value = serde_json::from_slice(&text).map_err(corrupt)?;
        let format = json.get("format").and_then(serde_json::Value::as_u64).unwrap_or_default();
        if format > u64::from(FORMAT) {
            let format = u32::try_from(format).unwrap_or(u32::MAX);
            return Err(KeyFileError::Newer { file: self.file.clone(), format });
        }
        let written: Written = serde_json::from_value(json).map_err(corrupt)?;
        let keys = written.keys.into_iter().map(WrittenKey::read).collect::<Result<_, _>>();
        keys.map_err(corrupt)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// Those of reading and writing the file, which stays as it was then.
    pub fn create(
        &self,
        name: &str,
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<NewKey, KeyFileError> {
        let key = format!("{PREFIX}{}", random_letters(LETTERS)?);
        let id = random_letters(8)?;
        let (name, hash) = (name.to_owned(), hash(&key));
        let stored = StoredKey { id, name, created: now, expires, hash };
        self.change(|keys| {
            keys.push(stored.clone());
            Ok(())
        })?;
        Ok(NewKey { key, stored })
    }

    /// Makes a key worthless.
    ///
    /// # Errors
    /// [`KeyFileError::Unknown`], and those of reading and writing the file, which stays as it was
    /// then.
    pub fn revoke(&self, id: &str) -> Result<(), KeyFileError> {
        self.change(|keys| {
            let before = keys.len();
            keys.retain(|key| key.id != id);
            let unknown = || KeyFileError::Unknown { id: id.to_owned(), file: self.file.clone() };
            if keys.len() < before { Ok(()) } else { Err(unknown()) }
        })
    }

    /// What the file looks like from outside; `None` when it is not there.
    pub(super) fn mark(&self) -> Option<Mark> {
        let metadata = std::fs::metadata(&self.file).ok()?;
        // Two changes within one tick of the clock differ in this.
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let number = 0;
        Some((metadata.modified().ok(), metadata.len(), number))
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<StoredKey>) -> Result<(), KeyFileError>,
    ) -> Result<(), KeyFileError> {
        let failed = |source| self.failed(source);
        let lock = private().truncate(false).open(beside(&self.file, ".lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut keys = self.read()?;
        change(&mut keys)?;
        self.write(&keys).map_err(failed)
    }

    /// Replaces the file, durably: a revoked key must not come back with a power cut.
    fn write(&self, keys: &[StoredKey]) -> std::io::Result<()> {
        let keys = keys.iter().map(WrittenKey::of).collect();
        let text = serde_json::to_vec_pretty(&Written { format: FORMAT, keys })?;
        let new = beside(&self.file, ".new");
        let mut file = private().truncate(true).open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.file)?;
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn failed(&self, source: std::io::Error) -> KeyFileError {
        KeyFileError::Io { file: self.file.clone(), source }
    }
}

impl StoredKey {
    /// Whether it is no longer good.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The key stays out of whatever prints this.
impl std::fmt::Debug for NewKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NewKey").field("stored", &self.stored).finish_non_exhaustive()
    }
}

impl WrittenKey {
    fn of(key: &StoredKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            sha256: key.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            created: key.created.0,
            expires: key.expires.map(|moment| moment.0),
        }
    }

    fn read(self) -> Result<StoredKey, serde_json::Error> {
        let hash = read_hash(&self.sha256).ok_or_else(|| {
            serde::de::Error::custom(format!("the sha256 of key {} is none", self.id))
        })?;
        let (created, expires) = (Timestamp(self.created), self.expires.map(Timestamp));
        Ok(StoredKey { id: self.id, name: self.name, created, expires, hash })
    }
}

fn read_hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if !text.is_ascii() || text.len() != 2 * hash.len() {
        return None;
    }
    for (position, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * position..2 * position + 2], 16).ok()?;
    }
    Some(hash)
}

fn random_letters(count: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// For this user's eyes, where the system knows of users.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_as_a_hash() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = KeyFile::of(&folder.path().join("data.sqlite"));
        assert_eq!(file.read().unwrap(), []);
        let made = file.create("till", Some(Timestamp(9)), Timestamp(1)).unwrap();
        assert_eq!((made.key.len(), &made.key[..4]), (30, PREFIX));
        assert_eq!(file.read().unwrap(), std::slice::from_ref(&made.stored));
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains(&made.key) && !format!("{made:?}").contains(&made.key));
        let error = file.revoke("nobody").unwrap_err().to_string();
        assert!(error.starts_with("there is no key nobody in "), "{error}");
        file.revoke(&made.stored.id).unwrap();
        assert_eq!(file.read().unwrap(), []);
    }

    #[test]
    fn changes_of_several_at_once_are_all_kept() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = KeyFile::of(&folder.path().join("data.sqlite"));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| file.create("till", None, Timestamp(1)).unwrap());
            }
        });
        assert_eq!(file.read().unwrap().len(), 8);
    }

    #[test]
    fn what_is_no_file_of_keys_is_named_and_kept() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = KeyFile::of(&folder.path().join("d"));
        let check = |text: &str, expected: &str| {
            std::fs::write(file.path(), text).unwrap();
            let error = file.create("till", None, Timestamp(1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
        };
        check("coffee", "is damaged or is no file of keys");
        check("{\"format\":1}", "is damaged or is no file of keys");
        let key = r#"{"id":"i","name":"n","sha256":"abc","created":1,"expires":null}"#;
        check(&format!("{{\"format\":1,\"keys\":[{key}]}}"), "is damaged or is no file of keys");
        check("{\"format\":2,\"keys\":[]}", "was written by a newer espressync (format 2)");
    }
}
