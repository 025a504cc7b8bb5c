use espressync_model::Timestamp;

/// Which table a sync query reads (contract 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSource {
    /// Every stored record.
    Base,
    /// The journal's changes at or after this moment.
    Delta(Timestamp),
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
