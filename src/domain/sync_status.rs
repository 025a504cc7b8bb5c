//! How the till stands with the server, and how that is said calmly.

use super::receipt::Moment;

/// The connection, as the engine sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// Opening the store or reaching for the server.
    #[default]
    Connecting,
    /// Changes flow both ways.
    Online,
    /// No server in reach. Selling goes on.
    Offline,
    /// The server does not accept this till's key.
    Unauthorized,
    /// There is no server: everything stays on this device.
    Local,
}

impl Network {
    /// Gives the word that tests and styles know the state by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unauthorized => "unauthorized",
            Self::Local => "local",
        }
    }
}

/// Where this till's data stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// The connection.
    pub network: Network,
    /// Changes that wait to be sent.
    pub pending: usize,
    /// When everything was last in step with the server.
    pub last_synced: Option<Moment>,
    /// Changes the server refused, which someone should look at.
    pub problems: usize,
}

/// What the pill shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is in step.
    Settled,
    /// Something is under way.
    Busy,
    /// Working alone, as designed.
    Apart,
    /// Someone should have a look.
    Attention,
}

impl SyncStatus {
    /// Says in a few words how things stand.
    #[must_use]
    pub fn label(&self) -> String {
        match (self.network, self.problems, self.pending) {
            (Network::Unauthorized, _, _) => "Key not accepted".to_owned(),
            (_, 1, _) => "1 needs a look".to_owned(),
            (_, problems @ 2.., _) => format!("{problems} need a look"),
            (Network::Connecting, 0, 0) => "Connecting".to_owned(),
            (Network::Connecting, 0, waiting) => format!("Connecting · {waiting} to send"),
            (Network::Online, 0, 0) => "In sync".to_owned(),
            (Network::Online, 0, waiting) => format!("Sending {waiting}"),
            (Network::Offline, 0, 0) => "Offline".to_owned(),
            (Network::Offline, 0, waiting) => format!("Offline · {waiting} to send"),
            (Network::Local, 0, _) => "On this device".to_owned(),
        }
    }

    /// Gives the tone the state is shown in.
    #[must_use]
    pub const fn tone(&self) -> Tone {
        match (self.network, self.problems, self.pending) {
            (Network::Unauthorized, _, _) | (_, 1.., _) => Tone::Attention,
            (Network::Connecting, 0, _) | (Network::Online, 0, 1..) => Tone::Busy,
            (Network::Offline, 0, _) | (Network::Local, 0, _) => Tone::Apart,
            (Network::Online, 0, 0) => Tone::Settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_said_in_few_words() {
        #[track_caller]
        fn check(network: Network, pending: usize, problems: usize, label: &str, tone: Tone) {
            let status = SyncStatus { network, pending, last_synced: None, problems };
            assert_eq!((status.label().as_str(), status.tone()), (label, tone));
        }
        check(Network::Connecting, 0, 0, "Connecting", Tone::Busy);
        check(Network::Connecting, 2, 0, "Connecting · 2 to send", Tone::Busy);
        check(Network::Online, 0, 0, "In sync", Tone::Settled);
        check(Network::Online, 3, 0, "Sending 3", Tone::Busy);
        check(Network::Offline, 0, 0, "Offline", Tone::Apart);
        check(Network::Offline, 25, 0, "Offline · 25 to send", Tone::Apart);
        check(Network::Unauthorized, 1, 0, "Key not accepted", Tone::Attention);
        check(Network::Online, 0, 1, "1 needs a look", Tone::Attention);
        check(Network::Offline, 4, 2, "2 need a look", Tone::Attention);
        check(Network::Local, 9, 0, "On this device", Tone::Apart);
    }
}
