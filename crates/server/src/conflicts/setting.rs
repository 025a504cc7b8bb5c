use std::str::FromStr;

use espressync_resolver::ConflictStrategy;

use super::Endpoint;

/// How conflicts are resolved, as an operator says it: `automerge`, `automerge-strict`,
/// `optimistic`, or `lambda=` and the address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictSetting {
    /// By one of the server's own rules.
    Rule(ConflictStrategy),
    /// By an endpoint.
    Lambda(Endpoint),
}

impl ConflictSetting {
    /// What the resolver does.
    #[must_use]
    pub fn strategy(&self) -> ConflictStrategy {
        match self {
            Self::Rule(strategy) => *strategy,
            Self::Lambda(_) => ConflictStrategy::Handler,
        }
    }

    /// Whom the handler asks.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Rule(_) => None,
            Self::Lambda(endpoint) => Some(endpoint),
        }
    }
}

impl Default for ConflictSetting {
    fn default() -> Self {
        Self::Rule(ConflictStrategy::default())
    }
}

impl FromStr for ConflictSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "automerge" => Ok(Self::Rule(ConflictStrategy::AutoMerge)),
            "automerge-strict" => Ok(Self::Rule(ConflictStrategy::AutoMergeStrict)),
            "optimistic" => Ok(Self::Rule(ConflictStrategy::Optimistic)),
            _ => match text.strip_prefix("lambda=") {
                Some(address) => address.parse().map(Self::Lambda),
                None => Err(format!(
                    "{text:?} is no way to resolve conflicts: write automerge, automerge-strict, \
                     optimistic or lambda=URL"
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_name_or_an_address() {
        let strategy = |text: &str| text.parse().map(|setting: ConflictSetting| setting.strategy());
        assert_eq!(strategy("optimistic"), Ok(ConflictStrategy::Optimistic));
        assert_eq!(strategy("automerge-strict"), Ok(ConflictStrategy::AutoMergeStrict));
        assert_eq!(strategy("lambda=http://127.0.0.1:9/x?y"), Ok(ConflictStrategy::Handler));
        for (wrong, reason) in [
            ("merge", "automerge-strict, optimistic or lambda=URL"),
            ("lambda", "lambda=URL"),
            ("lambda=", "no address"),
            ("lambda=/conflicts", "no address"),
            ("lambda=ftp://host/", "no address"),
        ] {
            let error = strategy(wrong).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn an_address_is_printed_without_its_secrets() {
        let setting: ConflictSetting = "lambda=https://a:b@host/p?key=c".parse().unwrap();
        assert_eq!(format!("{setting:?}"), "Lambda(Endpoint(\"host\"))");
    }
}
