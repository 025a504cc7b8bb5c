use std::collections::BTreeMap;

use espressync_model::Provider;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Whoever runs the server, to whom no access rule applies.
    Operator,
    /// Somebody who has shown credentials.
    Known(Identity),
}

/// Who somebody is, as their credentials prove it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// What kind of credentials they showed.
    pub provider: Provider,
    /// What these say of them, by name: a token's claims.
    pub claims: BTreeMap<String, Claim>,
}

/// One thing that credentials say of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claim {
    /// A text, or a number as text.
    One(String),
    /// Several, such as the groups one is a member of.
    Several(Vec<String>),
}

impl Caller {
    /// Someone who has an API key.
    #[must_use]
    pub fn with_api_key() -> Self {
        Self::Known(Identity { provider: Provider::ApiKey, claims: BTreeMap::new() })
    }
}
