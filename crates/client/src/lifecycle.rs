use futures::channel::oneshot;

use crate::driver::Command;
use crate::{ClientError, DataStore};

/// Start, stop, clear.
impl DataStore {
    /// Starts syncing.
    pub fn start(&self) {
        self.command(Command::Start);
    }

    /// Stops syncing. Rows stay, and so do changes that wait to be sent.
    pub fn stop(&self) {
        self.command(Command::Stop);
    }

    /// Passes on what the browser says of the network, or that the page is looked at again.
    pub fn set_online(&self, is_online: bool) {
        self.command(Command::Connectivity(is_online));
    }

    /// Empties the local database. While changes wait to be sent it refuses, unless `force`d:
    /// then they are lost.
    ///
    /// # Errors
    /// [`ClientError::Unsent`], [`ClientError::Store`], [`ClientError::Closed`].
    pub async fn clear(&self, force: bool) -> Result<(), ClientError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Clear { force, reply });
        answer.await.map_err(|_| ClientError::Closed)?
    }
}
