use std::ops::Add;

/// A moment in milliseconds since 1970, as AppSync counts `_lastChangedAt` and `startedAt`
/// (contract, head). The core never reads a clock: whoever calls it passes the moment in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The start of 1970, which a sync query takes for "from the beginning".
    pub const ZERO: Self = Self(0);

    /// Milliseconds from `earlier` to this moment; 0 when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl Add<u64> for Timestamp {
    type Output = Self;

    /// The moment `milliseconds` later.
    fn add(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add_unsigned(milliseconds))
    }
}
