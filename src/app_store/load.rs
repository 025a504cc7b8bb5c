//! The three states of a query's answer.

use super::error::AppError;

/// What a live query knows so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Load<T> {
    /// The store is still opening.
    #[default]
    Loading,
    /// The answer, as of now.
    Ready(T),
    /// The store cannot answer.
    Failed(AppError),
}

impl<T> Load<T> {
    /// Gives the answer, if it is there.
    pub const fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Loading | Self::Failed(_) => None,
        }
    }

    /// Turns the answer into another.
    pub fn map<U>(&self, change: impl FnOnce(&T) -> U) -> Load<U> {
        match self {
            Self::Loading => Load::Loading,
            Self::Ready(value) => Load::Ready(change(value)),
            Self::Failed(error) => Load::Failed(error.clone()),
        }
    }
}

impl<T> From<Result<T, AppError>> for Load<T> {
    fn from(answer: Result<T, AppError>) -> Self {
        match answer {
            Ok(value) => Self::Ready(value),
            Err(error) => Self::Failed(error),
        }
    }
}
