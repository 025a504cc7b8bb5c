//! `@auth` (contract 1.1, 1.2, 1.6): who may do what.
//!
//! A rule says nothing that is passed over. An argument that has no meaning beside the others is
//! refused, because whoever wrote it believes that it protects something. A provider that this
//! server has no credentials for is taken: nobody can show them, so such a rule allows nobody.

use async_graphql_parser::Pos;

use super::arguments::{Arguments, listed};
use super::directives::Directives;
use super::models::Draft;
use super::{Problem, Result, SdlCause};
use crate::{AccessRule, Action, Allow, BaseType, Field, FieldId, Provider, Scalar, Value};

/// A rule that still goes by field name, because the owner's field may be added.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DraftRule {
    whom: Whom,
    provider: Provider,
    actions: Vec<Action>,
    at: Pos,
}

#[derive(Debug, Clone, PartialEq)]
enum Whom {
    /// The kinds that name no field.
    Settled(Allow),
    Owner {
        field: String,
        claims: Vec<String>,
    },
    GroupsOf {
        field: String,
        claim: String,
    },
}

/// The claims by which an owner is stored and known again, where no rule says which.
const OWNER: &str = "sub::username";
const GROUPS: &str = "cognito:groups";

const ARGUMENTS: [&str; 11] = [
    "allow",
    "provider",
    "ownerField",
    "identityClaim",
    "identityField",
    "groupClaim",
    "groups",
    "groupsField",
    "operations",
    "queries",
    "mutations",
];

const PROVIDERS: [(&str, Provider); 6] = [
    ("apiKey", Provider::ApiKey),
    ("iam", Provider::Iam),
    ("identityPool", Provider::IdentityPool),
    ("oidc", Provider::Oidc),
    ("userPools", Provider::UserPools),
    ("function", Provider::Function),
];

/// One kind of rule: its name, the providers that go with it (the first is the default), and the
/// arguments that only it takes.
struct Kind {
    allow: &'static str,
    providers: &'static [&'static str],
    own: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        allow: "owner",
        providers: &["userPools", "oidc"],
        own: &["ownerField", "identityClaim", "identityField"],
    },
    Kind {
        allow: "groups",
        providers: &["userPools", "oidc"],
        own: &["groups", "groupsField", "groupClaim"],
    },
    Kind { allow: "private", providers: &["userPools", "oidc", "iam", "identityPool"], own: &[] },
    Kind { allow: "public", providers: &["apiKey", "iam", "identityPool"], own: &[] },
    Kind { allow: "custom", providers: &["function"], own: &[] },
];

/// The rules of a type's or field's `@auth`; none without one.
pub(super) fn read(directives: Directives<'_>) -> Result<Vec<DraftRule>> {
    let mut all = directives.all("auth");
    let Some(directive) = all.next() else { return Ok(Vec::new()) };
    if let Some(second) = all.next() {
        return second.wrong("put all `rules` into one @auth");
    }
    let Some(rules) = directive.takes(&["rules"])?.objects("rules")? else {
        return directive.wrong("needs `rules`, such as `rules: [{ allow: owner }]`");
    };
    rules.into_iter().map(DraftRule::read).collect()
}

impl DraftRule {
    fn read(rule: Arguments<'_>) -> Result<Self> {
        let rule = rule.takes(&ARGUMENTS)?;
        let allow = rule.word("allow", &KINDS.map(|kind| kind.allow))?;
        let Some(kind) = KINDS.iter().find(|kind| Some(kind.allow) == allow) else {
            return rule.wrong("a rule needs `allow`, such as `{ allow: owner }`");
        };
        for other in KINDS.iter().filter(|other| other.allow != kind.allow) {
            if let Some(argument) = other.own.iter().find(|name| rule.get(name).is_some()) {
                let (allow, is) = (other.allow, kind.allow);
                return rule.wrong(format!("`{argument}` goes with `allow: {allow}`, not {is}"));
            }
        }
        let whom = match kind.allow {
            "owner" => owner(&rule)?,
            "groups" => groups(&rule)?,
            "private" => Whom::Settled(Allow::Private),
            "public" => Whom::Settled(Allow::Public),
            _ => Whom::Settled(Allow::Custom),
        };
        Ok(Self { whom, provider: provider(&rule, kind)?, actions: actions(&rule)?, at: rule.at })
    }

    /// The field that the rule looks into, if it does.
    fn field(&self) -> Option<&str> {
        match &self.whom {
            Whom::Settled(_) => None,
            Whom::Owner { field, .. } | Whom::GroupsOf { field, .. } => Some(field),
        }
    }
}

fn owner(rule: &Arguments<'_>) -> Result<Whom> {
    let field = rule.text("ownerField")?.flatten().unwrap_or("owner");
    let claim = rule.text("identityClaim")?.flatten();
    // The name of the same in the first transformers.
    let older = rule.text("identityField")?.flatten();
    let claims = match (claim, older) {
        (Some(_), Some(_)) => {
            return rule.wrong("`identityField` is the old name of `identityClaim`; keep one");
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => OWNER,
    };
    let claims: Vec<String> = claims.split("::").map(ToOwned::to_owned).collect();
    if claims.iter().any(String::is_empty) {
        return rule.wrong("`identityClaim` should name claims, as in \"sub::username\"");
    }
    Ok(Whom::Owner { field: field.to_owned(), claims })
}

fn groups(rule: &Arguments<'_>) -> Result<Whom> {
    let claim = rule.text("groupClaim")?.flatten().unwrap_or(GROUPS).to_owned();
    let field = rule.text("groupsField")?.flatten();
    match (rule.texts("groups")?, field) {
        (Some(_), Some(_)) => {
            rule.wrong("`groups` and `groupsField` exclude each other; write two rules")
        }
        (Some(groups), None) => {
            let groups = groups.into_iter().map(ToOwned::to_owned).collect();
            Ok(Whom::Settled(Allow::Groups { groups, claim }))
        }
        (None, field) => Ok(Whom::GroupsOf { field: field.unwrap_or("groups").to_owned(), claim }),
    }
}

fn provider(rule: &Arguments<'_>, kind: &Kind) -> Result<Provider> {
    let name = rule.word("provider", &PROVIDERS.map(|(name, _)| name))?;
    let name = name.or_else(|| kind.providers.first().copied()).unwrap_or_default();
    let known = PROVIDERS.iter().find(|(other, _)| *other == name);
    match known {
        Some((_, provider)) if kind.providers.contains(&name) => Ok(*provider),
        _ => {
            let (allow, takes) = (kind.allow, listed(kind.providers));
            rule.wrong(format!("`allow: {allow}` has the providers {takes}, not `{name}`"))
        }
    }
}

const OPERATIONS: [(&str, &[Action]); 9] = [
    ("create", &[Action::Create]),
    ("update", &[Action::Update]),
    ("delete", &[Action::Delete]),
    ("read", &Action::READ),
    ("get", &[Action::Get]),
    ("list", &[Action::List]),
    ("sync", &[Action::Sync]),
    ("listen", &[Action::Listen]),
    ("search", &[Action::Search]),
];

/// The first transformers' `queries`: whoever may list may also sync, and who may read anything
/// hears of changes.
const QUERIES: [(&str, &[Action]); 2] = [
    ("get", &[Action::Get, Action::Listen]),
    ("list", &[Action::List, Action::Sync, Action::Listen, Action::Search]),
];

const MUTATIONS: [(&str, &[Action]); 3] =
    [("create", &[Action::Create]), ("update", &[Action::Update]), ("delete", &[Action::Delete])];

/// What a rule allows, in the order of [`Action`].
fn actions(rule: &Arguments<'_>) -> Result<Vec<Action>> {
    let is_old = rule.get("queries").is_some() || rule.get("mutations").is_some();
    let found = match (named(rule, "operations", &OPERATIONS)?, is_old) {
        (Some(_), true) => {
            return rule.wrong("`operations` says it all; leave out `queries` and `mutations`");
        }
        (Some(found), false) => found,
        (None, false) => Action::ALL.to_vec(),
        (None, true) => old_actions(rule)?,
    };
    if found.is_empty() {
        return rule.wrong("a rule that allows no operation does nothing; leave it out");
    }
    Ok(Action::ALL.into_iter().filter(|action| found.contains(action)).collect())
}

/// What `queries` and `mutations` allow: one that is absent allows all of its kind, `null` none.
fn old_actions(rule: &Arguments<'_>) -> Result<Vec<Action>> {
    let part = |name: &str, known: &'static [(&'static str, &'static [Action])]| {
        if rule.get(name).is_none() {
            return Ok(known.iter().flat_map(|(_, actions)| actions.iter().copied()).collect());
        }
        named(rule, name, known).map(Option::unwrap_or_default)
    };
    let mut found: Vec<Action> = part("queries", &QUERIES)?;
    found.extend(part("mutations", &MUTATIONS)?);
    Ok(found)
}

fn named(
    rule: &Arguments<'_>,
    argument: &str,
    known: &'static [(&'static str, &'static [Action])],
) -> Result<Option<Vec<Action>>> {
    let names: Vec<&'static str> = known.iter().map(|(name, _)| *name).collect();
    let Some(words) = rule.words(argument, &names)? else { return Ok(None) };
    let mut found = Vec::new();
    for word in words {
        let actions = known.iter().find(|(name, _)| *name == word);
        let actions = actions.map_or(&[][..], |(_, actions)| actions);
        // Both `read` and `get` may stand only if one of them is not meant.
        if argument == "operations" && actions.iter().any(|action| found.contains(action)) {
            return rule.wrong(format!("`operations` names `{word}`, which another includes"));
        }
        found.extend(actions);
    }
    Ok(Some(found))
}

/// Adds the owner fields that rules name and the model does not declare (contract 1.3), and
/// checks those that are there. Only the server writes an added one: no input has it.
pub(super) fn complete(draft: &mut Draft) -> Result<()> {
    let rules = draft.rules.iter().chain(draft.field_rules.iter().flat_map(|(_, rules)| rules));
    let rules: Vec<DraftRule> = rules.cloned().collect();
    for rule in rules {
        let Some(name) = rule.field() else { continue };
        match (draft.field(name), &rule.whom) {
            (Some(field), _) if holds_names(field) => {}
            (Some(_), _) => {
                return bad(rule.at, name, "which should be text or a list of text");
            }
            (None, Whom::Owner { .. }) if draft.relation_named(name) => {
                return bad(rule.at, name, "which is a relation");
            }
            (None, Whom::Owner { .. }) => {
                draft.owners.push(name.to_owned());
                draft.fields.push(Field::new(name, Scalar::String).read_only());
            }
            (None, _) => {
                let message = format!("which there is not; declare `{name}: [String]`");
                return bad(rule.at, name, &message);
            }
        }
    }
    match draft.field_rules.first() {
        Some((field, rules)) if draft.rules.is_empty() => {
            let message = format!(
                "`{}.{field}` has rules and the type has none, which leaves the rest to everybody; \
                 say on the type too who may use it",
                draft.name
            );
            let at = rules.first().map_or(draft.at, |rule| rule.at);
            Err(Problem { at, cause: SdlCause::Argument { directive: "auth".into(), message } })
        }
        _ => Ok(()),
    }
}

fn bad<T>(at: Pos, field: &str, message: &str) -> Result<T> {
    let (directive, field, message) = ("auth".to_owned(), field.to_owned(), message.to_owned());
    Err(Problem { at, cause: SdlCause::BadField { directive, field, message } })
}

/// Whether a field can hold the name of an owner or group, or several.
fn holds_names(field: &Field) -> bool {
    match field.base {
        BaseType::Scalar(scalar) => scalar.accepts(&Value::from("a")),
        BaseType::Enum(_) | BaseType::Object(_) => false,
    }
}

/// Turns names into ids, now that no field is added any more; `None` when one is not there.
pub(super) fn finish(rules: &[DraftRule], fields: &[Field]) -> Option<Vec<AccessRule>> {
    let id = |name: &str| {
        let position = fields.iter().position(|field| field.name == name)?;
        u16::try_from(position).ok().map(FieldId)
    };
    let mut finished: Vec<AccessRule> = Vec::new();
    for DraftRule { whom, provider, actions, .. } in rules {
        let allow = match whom {
            Whom::Settled(allow) => allow.clone(),
            Whom::Owner { field, claims } => {
                Allow::Owner { field: id(field)?, claims: claims.clone() }
            }
            Whom::GroupsOf { field, claim } => {
                Allow::GroupsOf { field: id(field)?, claim: claim.clone() }
            }
        };
        let rule = AccessRule { allow, provider: *provider, actions: actions.clone() };
        if !finished.contains(&rule) {
            finished.push(rule);
        }
    }
    Some(finished)
}
