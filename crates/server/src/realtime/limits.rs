use std::time::Duration;

/// How much one client may ask of the realtime side, so that the others have theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealtimeLimits {
    /// How many sockets may be open.
    pub sockets: usize,
    /// How many subscriptions one socket may have. AppSync's 100 is too few for a DataStore of
    /// more than 33 models, which has three for each (contract 5.3).
    pub subscriptions: usize,
    /// The longest message a client may send, in bytes.
    pub message_bytes: usize,
    /// The largest event that is told. One that is larger closes the sockets that should have been
    /// told: their clients come again and read it by a delta sync, which has no such limit, so
    /// nothing is lost. An `error` for the subscription would end it for good in `aws-amplify`.
    pub event_bytes: usize,
    /// How much may wait for one socket, in bytes, before it is cut off as one that does not read.
    pub waiting_bytes: usize,
    /// How long a client may take to say `connection_init`.
    pub greeting: Duration,
    /// How often the server says that it is there; clients worry after 65 s without (contract 5.4).
    pub keep_alive: Duration,
    /// How long the way out may stand still, before the client is taken for gone.
    pub stall: Duration,
    /// How long a socket may live; its client then opens another.
    pub lifetime: Duration,
}

/// A payload may have 240 KB, as with AppSync.
const PAYLOAD_BYTES: usize = 240 * 1024;

impl Default for RealtimeLimits {
    fn default() -> Self {
        Self {
            sockets: 20_000,
            subscriptions: 900,
            message_bytes: PAYLOAD_BYTES,
            event_bytes: PAYLOAD_BYTES,
            waiting_bytes: 4 * 1024 * 1024,
            greeting: Duration::from_secs(30),
            keep_alive: Duration::from_secs(30),
            stall: Duration::from_secs(20),
            lifetime: Duration::from_secs(24 * 60 * 60),
        }
    }
}
