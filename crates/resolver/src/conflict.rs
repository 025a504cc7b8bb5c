use espressync_model::remote::{Operation, RemoteError, RemoteErrorKind};
use espressync_model::{Model, Patch};

/// What happens to a write that was made on an older version (contract 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConflictStrategy {
    /// Three-way merge with the row of the client's version; AppSync's rules without one.
    #[default]
    AutoMerge,
    /// AppSync's documented rules (see [`merge_strict`](crate::merge_strict)).
    AutoMergeStrict,
    /// Refused with the stored record.
    Optimistic,
    /// A handler outside decides: AppSync's LAMBDA. What it is asked about is
    /// [`Contested`](crate::Outcome::Contested), what it says is a [`Decision`].
    Handler,
}

/// What a handler has decided, and about which version.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The version of the stored record that the handler was shown. When the record has changed
    /// since, the decision is about nothing that exists, and the handler is asked again.
    pub version: u64,
    /// What it said.
    pub resolution: Resolution,
}

/// A handler's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// An update: these fields are laid over the stored record. Null clears a field; one that is
    /// not named stays as it is.
    Resolve(Patch),
    /// The write is refused, as under [`ConflictStrategy::Optimistic`].
    Reject,
    /// A delete: it is carried out.
    Remove,
}

impl Resolution {
    /// What is wrong with this answer to a mutation, if anything: an update is resolved or
    /// rejected, a delete is carried out or rejected.
    pub(crate) fn misfit(&self, operation: Operation, model: &Model) -> Option<RemoteError> {
        let misfit = match (self, operation) {
            (Self::Resolve(_), Operation::Delete) => ("RESOLVE", "a delete", "REMOVE or REJECT"),
            (Self::Remove, Operation::Update) => ("REMOVE", "an update", "RESOLVE or REJECT"),
            _ => return None,
        };
        let ((said, what, instead), name) = (misfit, &model.name);
        Some(bad_decision(&format!("answered {said} to {what} of a {name}; say {instead}")))
    }
}

/// A handler's answer that cannot be carried out. It is the handler that must be mended, so the
/// client keeps its write and comes again.
pub(crate) fn bad_decision(what: &str) -> RemoteError {
    let message = format!("the conflict handler {what}");
    RemoteError::new(RemoteErrorKind::ConflictHandler, message)
}
