use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use espressync_model::Provider;
use merge::Merge;
use serde::Deserialize;

use crate::cli::{Time, one_or_several};

/// How far clocks may differ where nothing else is said.
const LEEWAY: Duration = Duration::from_secs(60);

/// What a server may be told of tokens. The file of settings has it as `[jwt]`.
#[derive(Clone, Default, Args, Deserialize, Merge)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[merge(strategy = merge::option::overwrite_none)]
pub struct JwtSettings {
    /// Take tokens that are signed with this secret (HS256), of at least 32 bytes
    #[arg(
        long = "jwt-secret",
        id = "jwt_secret",
        value_name = "SECRET",
        env = "ESPRESSYNC_JWT_SECRET",
        hide_env_values = true,
        conflicts_with = "jwt_jwks",
        help_heading = "Who may use it"
    )]
    secret: Option<String>,
    /// Take tokens that are signed with a key of this set: a file, or the https address at which
    /// an identity provider publishes it
    #[arg(
        long = "jwks",
        id = "jwt_jwks",
        value_name = "FILE|URL",
        env = "ESPRESSYNC_JWKS",
        help_heading = "Who may use it"
    )]
    jwks: Option<String>,
    /// Take tokens of this issuer only (their `iss`). Without it, one of any issuer that signs with
    /// the same keys is taken
    #[arg(
        long = "jwt-issuer",
        id = "jwt_issuer",
        value_name = "ISSUER",
        env = "ESPRESSYNC_JWT_ISSUER",
        help_heading = "Who may use it"
    )]
    issuer: Option<String>,
    /// Take tokens for this audience only (their `aud`, or the `client_id` or `azp` of one that
    /// has none); give it several times for several. Without it, one for any application of the
    /// issuer is taken
    #[arg(
        long = "jwt-audience",
        id = "jwt_audience",
        value_name = "AUDIENCE",
        env = "ESPRESSYNC_JWT_AUDIENCE",
        value_delimiter = ',',
        help_heading = "Who may use it"
    )]
    #[serde(deserialize_with = "one_or_several")]
    audience: Option<Vec<String>>,
    /// Which `provider` of @auth rules the tokens are [default: user-pools]
    #[arg(
        long = "jwt-provider",
        id = "jwt_provider",
        value_name = "PROVIDER",
        env = "ESPRESSYNC_JWT_PROVIDER",
        value_enum,
        help_heading = "Who may use it"
    )]
    provider: Option<TokenProvider>,
    /// How far the issuer's clock and this one may differ [default: 60s]
    #[arg(
        long = "jwt-leeway",
        id = "jwt_leeway",
        value_name = "TIME",
        env = "ESPRESSYNC_JWT_LEEWAY",
        help_heading = "Who may use it"
    )]
    leeway: Option<Time>,
}

/// Which provider of the `@auth` rules a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
pub enum TokenProvider {
    /// Rules with `provider: userPools`, and those of owners, groups and private without one.
    #[default]
    #[serde(rename = "userPools", alias = "user-pools")]
    #[value(name = "user-pools", alias = "userPools")]
    UserPools,
    /// Rules with `provider: oidc`.
    #[serde(rename = "oidc")]
    Oidc,
}

/// How tokens are checked.
#[derive(Clone, Default)]
pub struct JwtConfig {
    /// The secret that signs them.
    pub secret: Option<String>,
    /// Where the keys are that sign them: a file or a URL.
    pub jwks: Option<String>,
    /// Who has to have made them.
    pub issuer: Option<String>,
    /// For whom they have to be; for anybody when it is empty.
    pub audience: Vec<String>,
    /// Which rules they stand for.
    pub provider: TokenProvider,
    /// How far the clocks may differ.
    pub leeway: Duration,
}

impl JwtConfig {
    /// What these settings leave open that somebody could use, and what to do about it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let flag = if self.secret.is_some() { "--jwt-secret" } else { "--jwks" };
        let mut warnings = Vec::new();
        if self.issuer.is_none() {
            warnings.push(format!(
                "{flag} is given without --jwt-issuer: a token of any issuer opens this API if it \
                 is signed by one of these keys. Where a provider signs for several tenants with \
                 the same keys, somebody with a tenant of their own can make tokens there that \
                 name whom they like. Set --jwt-issuer to the `iss` of your tokens"
            ));
        }
        if self.audience.is_empty() {
            warnings.push(format!(
                "{flag} is given without --jwt-audience: a token that your issuer has made for any \
                 other application opens this API too. Whoever runs such an application can use \
                 the tokens of its users here, in their names. Set --jwt-audience to the `aud` or \
                 `client_id` of your tokens"
            ));
        }
        warnings
    }
}

impl TokenProvider {
    pub(super) fn provider(self) -> Provider {
        match self {
            Self::UserPools => Provider::UserPools,
            Self::Oidc => Provider::Oidc,
        }
    }
}

impl JwtSettings {
    /// Fills the gaps of these settings with those below.
    pub(crate) fn fill(&mut self, mut below: Self) {
        // One of the two is told: a flag's secret is not to meet a file's set of keys.
        if self.secret.is_some() || self.jwks.is_some() {
            (below.secret, below.jwks) = (None, None);
        }
        self.merge(below);
    }

    /// These settings with their paths taken from a folder.
    #[must_use]
    pub fn within(self, folder: &Path) -> Self {
        let at = |place: String| match place.contains("://") {
            true => place,
            false => folder.join(PathBuf::from(place)).display().to_string(),
        };
        Self { jwks: self.jwks.map(at), ..self }
    }

    /// The settings that a server starts with; `None` when nothing is said of tokens.
    #[must_use]
    pub fn into_config(self) -> Option<JwtConfig> {
        let Self { secret, jwks, issuer, audience, provider, leeway } = self;
        let says_nothing = secret.is_none()
            && jwks.is_none()
            && issuer.is_none()
            && audience.is_none()
            && provider.is_none();
        if says_nothing {
            return None;
        }
        let audience = audience.unwrap_or_default();
        let provider = provider.unwrap_or_default();
        let leeway = leeway.map_or(LEEWAY, |Time(leeway)| leeway);
        Some(JwtConfig { secret, jwks, issuer, audience, provider, leeway })
    }
}

/// The secret stays out of whatever prints this.
impl std::fmt::Debug for JwtConfig {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("JwtConfig")
            .field("jwks", &self.jwks)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_need_not_prove_is_warned_of() {
        let check = |issuer: Option<&str>, audience: &[&str], expected: &[&str]| {
            let (secret, issuer) = (Some("secret".to_owned()), issuer.map(ToOwned::to_owned));
            let audience = audience.iter().map(ToString::to_string).collect();
            let by_secret = JwtConfig { secret, issuer, audience, ..JwtConfig::default() };
            let jwks = Some("jwks.json".to_owned());
            let by_set = JwtConfig { secret: None, jwks, ..by_secret.clone() };
            for (config, flag) in [(by_secret, "--jwt-secret"), (by_set, "--jwks")] {
                let warnings = config.warnings();
                assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
                for (warning, missing) in warnings.iter().zip(expected) {
                    let start = format!("{flag} is given without {missing}: ");
                    assert!(warning.starts_with(&start), "{warning}");
                    assert!(warning.contains(&format!("Set {missing} to ")), "{warning}");
                }
            }
        };
        check(Some("i"), &["a"], &[]);
        check(None, &["a"], &["--jwt-issuer"]);
        check(Some("i"), &[], &["--jwt-audience"]);
        check(None, &[], &["--jwt-issuer", "--jwt-audience"]);
    }
}
