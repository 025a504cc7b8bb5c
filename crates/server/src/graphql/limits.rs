/// How much one request may ask for. The defaults are far above what Amplify's clients and the
/// documents that it generates ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How deep fields and fragments may nest.
    pub depth: usize,
    /// How many fields a request may select, fragments written out. A few lines of fragments that
    /// use each other twice would else grow beyond all bounds.
    pub fields: u64,
    /// How many queries or mutations one request may carry, under aliases.
    pub aliases: usize,
    /// How many records an answer may be made of, related ones included.
    pub records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 24, fields: 20_000, aliases: 1_000, records: 200_000 }
    }
}
