use std::collections::BTreeMap;

use crate::FieldId;

/// Who may do what with a model's records, as `@auth` says (contract 1.1, 1.6). Without any rule,
/// whoever shows good credentials may do everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessRules {
    /// The rules on the type. One that allows is enough.
    pub model: Vec<AccessRule>,
    /// The rules on single fields, which for these fields stand in place of the type's.
    pub fields: BTreeMap<FieldId, Vec<AccessRule>>,
    /// The rules on relation fields, by name.
    pub relations: BTreeMap<String, Vec<AccessRule>>,
}

/// One rule of an `@auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRule {
    /// Whom it allows.
    pub allow: Allow,
    /// By which credentials.
    pub provider: Provider,
    /// What it allows; each at most once, `read` written out.
    pub actions: Vec<Action>,
}

/// Whom a rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// Whoever has the API key, or for IAM an unauthenticated identity.
    Public,
    /// Whoever is signed in, or for IAM an authenticated identity.
    Private,
    /// Whom the record names.
    Owner {
        /// The field that holds the owner, or a list of owners.
        field: FieldId,
        /// The claims that identify the caller. Where there are several, as in the default
        /// `sub::username`, the server stores them joined by `::`; the whole matches, and so does
        /// any one of them alone.
        claims: Vec<String>,
    },
    /// Members of groups that the schema names.
    Groups {
        /// The groups.
        groups: Vec<String>,
        /// The claim that lists the caller's groups.
        claim: String,
    },
    /// Members of the group, or of one of the groups, that the record names.
    GroupsOf {
        /// The field that holds them.
        field: FieldId,
        /// The claim that lists the caller's groups.
        claim: String,
    },
    /// Whomever a Lambda authoriser lets in.
    Custom,
}

/// By what a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are Amplify's")]
pub enum Provider {
    ApiKey,
    Iam,
    IdentityPool,
    Oidc,
    UserPools,
    Function,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are Amplify's")]
pub enum Action {
    Create,
    Update,
    Delete,
    Get,
    List,
    Sync,
    Listen,
    Search,
}

impl Action {
    /// What `operations: [read]` stands for.
    pub const READ: [Self; 5] = [Self::Get, Self::List, Self::Sync, Self::Listen, Self::Search];

    /// What a rule without `operations` allows.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Get,
        Self::List,
        Self::Sync,
        Self::Listen,
        Self::Search,
    ];
}
