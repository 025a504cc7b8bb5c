//! Removes what has been kept long enough: in batches that writes do not wait for, oldest first.

use std::sync::Arc;
use std::time::Duration;

use espressync_model::ModelId;
use espressync_resolver::Retention;
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, BackendError};

/// How long the sweeper rests between two rounds, at least and at most.
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60 * 60);

/// What a round has removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Changes of the journal.
    pub changes: usize,
    /// Tombstones.
    pub tombstones: usize,
}

/// Sweeps until it is stopped. What fails is tried again in the next round.
pub async fn run(
    backend: Arc<dyn Backend>,
    models: Vec<ModelId>,
    retention: Retention,
    stop: CancellationToken,
) {
    // A tenth of the time that things are kept: they are gone soon after.
    let rest = Duration::from_millis(retention.journal / 10).clamp(SHORTEST_REST, LONGEST_REST);
    loop {
        let round = tokio::select! {
            () = stop.cancelled() => return,
            round = sweep(&*backend, &models, retention) => round,
        };
        match round {
            Ok(round) if round == Round::default() => {}
            Ok(Round { changes, tombstones }) => tracing::info!(changes, tombstones, "swept"),
            Err(error) => tracing::warn!(%error, "sweeping failed"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// One round: removes everything that has expired by now. The journal goes first, so that a
/// tombstone never does before the last change that tells of it.
///
/// # Errors
/// The backend's; what was removed before is.
pub async fn sweep(
    backend: &dyn Backend,
    models: &[ModelId],
    retention: Retention,
) -> Result<Round, BackendError> {
    // The clock of commits, which never goes back.
    let expired = retention.expired(backend.horizon());
    let mut round = Round::default();
    for model in models {
        let mut from = None;
        loop {
            let swept = backend.sweep_journal(*model, expired.journal, from).await?;
            round.changes += swept.removed;
            from = swept.next;
            if from.is_none() {
                break;
            }
        }
    }
    for model in models {
        loop {
            let swept = backend.sweep_tombstones(*model, expired.tombstones).await?;
            round.tombstones += swept.removed;
            if swept.next.is_none() {
                break;
            }
        }
    }
    Ok(round)
}
