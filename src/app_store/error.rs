//! What can go wrong between the till and its data.

use espressync_client::ClientError;

use crate::domain::catalog::CatalogError;
use crate::domain::money::MoneyError;

/// Why a query or a command failed. Its text is for the person at the till.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// Data would be lost that no server has yet.
    #[error("{}", waiting_text(*count))]
    ChangesWaiting {
        /// How many changes wait to be sent.
        count: usize,
    },
    /// There is nothing in the cart.
    #[error("There is nothing in the cart yet")]
    EmptyCart,
    /// The demo catalog cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A record holds an amount that is none.
    #[error("A stored amount cannot be shown: {0}")]
    Amount(#[from] MoneyError),
    /// The device's own store refused: full, damaged, or switched off.
    #[error("This device could not keep the change: {0}")]
    Store(String),
}

impl From<ClientError> for AppError {
    fn from(error: ClientError) -> Self {
        if let ClientError::Unsent { count } = error {
            Self::ChangesWaiting { count }
        } else {
            Self::Store(error.to_string())
        }
    }
}

fn waiting_text(count: usize) -> String {
    match count {
        1 => "1 change has not been sent yet and would be lost".to_owned(),
        count => format!("{count} changes have not been sent yet and would be lost"),
    }
}
