use std::collections::BTreeSet;

use espressync_model::remote::SyncPage;
use espressync_model::{Key, Timestamp};
use espressync_store::Cursor;

use crate::backoff::Backoff;

/// Where one model's sync stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelSync {
    /// Whether something may have been missed, so that a sync is due.
    pub(crate) is_dirty: bool,
    /// The sync under way.
    pub(crate) run: Option<Run>,
    /// Pauses after failures.
    pub(crate) backoff: Backoff,
    /// Why the server will not let this model be read.
    pub(crate) problem: Option<String>,
    /// Why the server will not tell of this model's changes.
    pub(crate) refusal: Option<String>,
}

impl ModelSync {
    /// What a person should know.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.clone().or_else(|| self.refusal.clone())
    }
}

/// A sync under way: page after page, each stored before the next is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Tells it from the ones before it.
    pub(crate) number: u64,
    /// What the sync asks for: changes since, or everything.
    pub(crate) since: Option<Cursor>,
    /// The next page to ask for.
    pub(crate) next_token: Option<String>,
    /// When the server began.
    pub(crate) started_at: Timestamp,
    /// Whether the pages hold everything.
    pub(crate) is_full: bool,
    /// Every key the pages held, while that is known.
    pub(crate) seen: Option<BTreeSet<Key>>,
    /// The first thing that could not be read.
    pub(crate) unreadable: Option<String>,
    /// Whether the last page is read.
    pub(crate) is_finished: bool,
}

impl Run {
    /// A sync of changes since the last one, or of everything.
    pub(crate) fn new(number: u64, since: Option<Cursor>) -> Self {
        Self {
            number,
            since,
            next_token: None,
            started_at: Timestamp::ZERO,
            is_full: since.is_none(),
            seen: since.is_none().then(BTreeSet::new),
            unreadable: None,
            is_finished: false,
        }
    }

    /// Notes a page with the keys of its records.
    pub(crate) fn note(&mut self, page: &SyncPage, keys: impl Iterator<Item = Key>) {
        let is_first = self.next_token.is_none();
        if is_first {
            self.started_at = page.started_at;
            if page.is_base && !self.is_full {
                self.is_full = true;
                self.seen = Some(BTreeSet::new());
            }
        }
        if let Some(reason) = page.unreadable.first() {
            // What cannot be read cannot be told from what is gone.
            self.seen = None;
            self.unreadable.get_or_insert_with(|| reason.clone());
        }
        if let Some(seen) = &mut self.seen {
            seen.extend(keys);
        }
        self.next_token.clone_from(&page.next_token);
        self.is_finished = page.next_token.is_none();
    }
}
