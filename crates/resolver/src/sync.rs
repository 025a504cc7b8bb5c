//! What a sync query reads, and how long it can be read (contract 4.1 and 4.5).
//!
//! - A change stays in the journal for its time, and the version before it for as long: a client
//!   that has not synced since wrote on that one, and a three-way merge needs it. A base that is
//!   gone all the same leaves AppSync's documented rules.
//! - A tombstone stays for its time, but never less than the journal's. A client that asks for
//!   the changes since a moment finds it in the journal; one that reads everything, as
//!   `aws-amplify` does once a day, learns of a delete by the tombstone alone. So a time of 0
//!   means: as soon as the journal has forgotten the delete.
//! - Who was away for longer reads everything, and our client then drops what it was not told of.
//!   An `aws-amplify` client keeps such a record for ever (contract 4.5); no server can help it.
//! - A create sent again after its record was deleted and the tombstone removed makes the record
//!   anew: that there is too much can be mended.

use espressync_model::Timestamp;

/// Which table a sync query reads (contract 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSource {
    /// Every stored record.
    Base,
    /// The journal's changes at or after this moment.
    Delta(Timestamp),
}

/// How long what has changed is kept, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Changes in the journal: AppSync's `DeltaSyncTableTTL`.
    pub journal: u64,
    /// Tombstones: AppSync's `BaseTableTTL`.
    pub tombstones: u64,
}

impl Retention {
    /// What may go.
    #[must_use]
    pub fn expired(self, now: Timestamp) -> Expired {
        let before = |kept: u64| Timestamp(now.0.saturating_sub_unsigned(kept));
        let journal = before(self.journal);
        Expired { journal, tombstones: before(self.tombstones).min(journal) }
    }
}

/// What may go: all that was changed before these moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// In the journal.
    pub journal: Timestamp,
    /// Among the tombstones; never later than the journal's.
    pub tombstones: Timestamp,
}

/// Chooses the source: the journal when the client's last sync lies within what it still holds,
/// else every record. `last_sync` of `None` or 0 asks for everything; `window` is in milliseconds.
#[must_use]
pub fn sync_source(last_sync: Option<Timestamp>, now: Timestamp, window: u64) -> SyncSource {
    match last_sync {
        Some(since) if since > Timestamp::ZERO && now.since(since) < window => {
            SyncSource::Delta(since)
        }
        Some(_) | None => SyncSource::Base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_outlive_the_journal() {
        let check = |journal, tombstones, expected: (i64, i64)| {
            let expired = Retention { journal, tombstones }.expired(Timestamp(1_000));
            assert_eq!((expired.journal.0, expired.tombstones.0), expected);
        };
        check(100, 300, (900, 700));
        check(300, 100, (700, 700));
        check(300, 0, (700, 700));
        check(0, 0, (1_000, 1_000));
    }

    #[test]
    fn the_journal_serves_what_it_still_holds() {
        let now = Timestamp(10_000);
        let check = |last_sync: Option<i64>, expected| {
            assert_eq!(sync_source(last_sync.map(Timestamp), now, 1_000), expected);
        };
        check(None, SyncSource::Base);
        check(Some(0), SyncSource::Base);
        check(Some(9_000), SyncSource::Base);
        check(Some(9_001), SyncSource::Delta(Timestamp(9_001)));
        check(Some(20_000), SyncSource::Delta(Timestamp(20_000)));
    }
}
