use espressync_model::Timestamp;

/// How this client stands to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Sync is not started.
    #[default]
    Stopped,
    /// The server cannot be reached.
    Offline,
    /// On the way: connecting, or catching up.
    Connecting,
    /// Live: changes of others arrive as they happen.
    Online,
    /// The server does not take the credentials.
    Unauthenticated,
}

/// What is synced, waiting and stuck.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncStatus {
    /// How this client stands to its server.
    pub network: Network,
    /// How many records have changes that the server has not acknowledged.
    pub pending: usize,
    /// How many records have changes that the server refused for good.
    pub rejected: usize,
    /// The server's time up to which every model is synced; `None` before the first sync.
    pub synced_at: Option<Timestamp>,
    /// Why the last sync failed, where trying again does not help.
    pub problem: Option<String>,
}

impl SyncStatus {
    /// Whether this client holds what the server holds and owes it nothing, as far as it knows.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.network == Network::Online && self.pending == 0 && self.synced_at.is_some()
    }
}
