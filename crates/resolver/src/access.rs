//! Who may do what with a record (contract 1.6): the `@auth` rules of a model as a decision over a
//! caller, an action and a row. Where the contract is silent or unsure:
//!
//! - Without rules on the type, whoever shows good credentials may do everything with it; rules on
//!   single fields hold all the same.
//! - A field's own rules stand in place of the type's for that field. A record is visible to whom
//!   one of its fields is; the other fields are hidden from them.
//! - A create by somebody whom an owner rule allows to create gets their name in the owner field
//!   if it names nobody, also where another rule would allow the create: a record that belongs to
//!   nobody could be lost to everybody. An explicit null stays null, and then another rule has to
//!   allow it.
//! - The stored row decides over an update, so an owner may hand a record over, as with Amplify;
//!   rules on the owner field itself prevent it. What the update would make of the row is not
//!   looked at, nor is the key, which cannot change.
//! - To set a field to null is an update, and a delete is the type's rules' alone.
//! - A provider is matched exactly: a rule for user pools does not let an OIDC token in.

use std::collections::BTreeSet;

use espressync_model::{
    AccessRule, AccessRules, Action, Allow, FieldId, Model, Patch, Predicate, Record, Row, Value,
};

use crate::caller::{Caller, Claim, Identity};
use crate::derived::Derived;

/// What joins the claims of an owner who is known by several.
const JOINT: &str = "::";

/// One caller's rights over one model's records.
#[derive(Debug, Clone, Copy)]
pub struct Rights<'a> {
    model: &'a Model,
    rules: &'a AccessRules,
    caller: &'a Caller,
}

/// The records that rules allow a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Every one.
    Every,
    /// Those that name the caller in one of these ways; with no way, none.
    Named(Vec<Naming>),
}

/// A way in which records name a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The field that holds a name, or a list of names.
    pub field: FieldId,
    /// What the caller is known by: an owner's names, or the groups of a member.
    pub names: BTreeSet<String>,
    /// Whether the names are the caller's own, rather than their groups'.
    pub is_owner: bool,
}

/// What a caller sees of a model's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// By the rules of the type.
    whole: Grant,
    /// Of the fields that have rules of their own.
    apart: Vec<(FieldId, Grant)>,
    /// Whether every field has rules of its own.
    is_all_apart: bool,
    /// Of the relations that have rules of their own.
    relations: Vec<(String, Grant)>,
}

impl<'a> Rights<'a> {
    /// The rights of a caller by a model's rules.
    #[must_use]
    pub fn of(model: &'a Model, rules: &'a AccessRules, caller: &'a Caller) -> Self {
        Self { model, rules, caller }
    }

    /// Whether nothing is refused to the caller, whatever the record.
    #[must_use]
    pub fn are_unlimited(&self) -> bool {
        *self.caller == Caller::Operator
            || (self.rules.model.is_empty()
                && self.rules.fields.is_empty()
                && self.rules.relations.is_empty())
    }

    /// What the caller sees by way of a reading action.
    #[must_use]
    pub fn sight(&self, action: Action) -> Sight {
        let apart = self.rules.fields.iter();
        let relations = self.rules.relations.iter();
        Sight {
            whole: self.whole(action),
            apart: apart.map(|(field, rules)| (*field, self.grant(rules, action))).collect(),
            is_all_apart: self.rules.fields.len() >= self.model.fields.len(),
            relations: relations
                .map(|(name, rules)| (name.clone(), self.grant(rules, action)))
                .collect(),
        }
    }

    /// What a create sets beyond what was sent: the caller as the owner where it says nothing.
    #[must_use]
    pub fn owners(&self, sent: &Patch) -> Patch {
        let Caller::Known(identity) = self.caller else { return Patch::default() };
        let rules = self.rules.model.iter().chain(self.rules.fields.values().flatten());
        let owned = rules.filter(|rule| applies(rule, identity, Action::Create));
        let owned = owned.filter_map(|rule| match &rule.allow {
            Allow::Owner { field, claims } => {
                let name = Value::from(identity.full_name(claims)?);
                let is_list = self.model.at(*field).is_list;
                let value = if is_list { Value::List([name].into()) } else { name };
                Some((*field, value))
            }
            Allow::Public
            | Allow::Private
            | Allow::Groups { .. }
            | Allow::GroupsOf { .. }
            | Allow::Custom => None,
        });
        owned.filter(|(field, _)| sent.get(*field).is_none()).collect()
    }

    /// Whether the caller may make this row by sending these fields.
    #[must_use]
    pub fn may_create(&self, sent: &Patch, row: &Row) -> bool {
        // Clients send null for what they leave out, and null is what an absent field is.
        let named = sent.iter().filter(|(_, value)| !value.is_null()).map(|(field, _)| field);
        let mut fields = named.chain(self.model.key.iter().copied());
        fields.all(|field| self.of_field(field, Action::Create).allows(row))
    }

    /// Whether the caller may set these fields of a stored row.
    #[must_use]
    pub fn may_update(&self, sent: &Patch, stored: &Row) -> bool {
        let sent = sent.iter().map(|(field, _)| field);
        let mut fields = sent.filter(|field| !self.model.key.contains(field)).peekable();
        if fields.peek().is_none() {
            return self.whole(Action::Update).allows(stored);
        }
        fields.all(|field| self.of_field(field, Action::Update).allows(stored))
    }

    /// Whether the caller may delete a stored row.
    #[must_use]
    pub fn may_delete(&self, stored: &Row) -> bool {
        self.whole(Action::Delete).allows(stored)
    }

    /// Whether the caller may put a condition to a stored row: whether it is met tells of each
    /// field that it looks at.
    #[must_use]
    pub fn may_ask(&self, condition: &Predicate, stored: &Row) -> bool {
        let derived = Derived::of(self.model);
        self.sight(Action::Get).sees_all_of(condition, derived, stored)
    }

    /// The records that the rules of the type allow.
    fn whole(&self, action: Action) -> Grant {
        if self.rules.model.is_empty() {
            return Grant::Every;
        }
        self.grant(&self.rules.model, action)
    }

    fn of_field(&self, field: FieldId, action: Action) -> Grant {
        match self.rules.fields.get(&field) {
            Some(rules) => self.grant(rules, action),
            None => self.whole(action),
        }
    }

    fn grant(&self, rules: &[AccessRule], action: Action) -> Grant {
        let Caller::Known(identity) = self.caller else { return Grant::Every };
        let mut named = Vec::new();
        for rule in rules.iter().filter(|rule| applies(rule, identity, action)) {
            match &rule.allow {
                // That the provider is the rule's makes the caller one of these.
                Allow::Public | Allow::Private | Allow::Custom => return Grant::Every,
                Allow::Groups { groups, claim } => {
                    let theirs = identity.values(claim);
                    if groups.iter().any(|group| theirs.contains(group)) {
                        return Grant::Every;
                    }
                }
                Allow::Owner { field, claims } => {
                    let names = identity.names(claims);
                    named.push(Naming { field: *field, names, is_owner: true });
                }
                Allow::GroupsOf { field, claim } => {
                    let names = identity.values(claim);
                    named.push(Naming { field: *field, names, is_owner: false });
                }
            }
        }
        named.retain(|naming| !naming.names.is_empty());
        Grant::Named(named)
    }
}

fn applies(rule: &AccessRule, identity: &Identity, action: Action) -> bool {
    rule.provider == identity.provider && rule.actions.contains(&action)
}

impl Grant {
    /// Whether it is a record of these.
    #[must_use]
    pub fn allows(&self, row: &Row) -> bool {
        match self {
            Self::Every => true,
            Self::Named(ways) => ways.iter().any(|naming| naming.matches(row)),
        }
    }

    /// Whether there can be no such record.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::Named(Vec::new())
    }
}

impl Naming {
    /// Whether a row names the caller this way.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        let is_named =
            |value: &Value| value.as_text().is_some_and(|name| self.names.contains(name));
        let value = row.get(self.field);
        let Value::List(several) = value else { return is_named(value) };
        several.iter().any(is_named)
    }
}

impl Sight {
    /// Whether every field of every record is seen.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        let relations = self.relations.iter().map(|(_, grant)| grant);
        let mut apart = self.apart.iter().map(|(_, grant)| grant).chain(relations);
        self.whole == Grant::Every && apart.all(|grant| *grant == Grant::Every)
    }

    /// Whether nothing of any record is seen.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        let whole = self.whole.is_nothing() || self.is_all_apart;
        whole && self.apart.iter().all(|(_, grant)| grant.is_nothing())
    }

    /// Whether anything of a record is seen.
    #[must_use]
    pub fn sees(&self, row: &Row) -> bool {
        (!self.is_all_apart && self.whole.allows(row))
            || self.apart.iter().any(|(_, grant)| grant.allows(row))
    }

    /// Whether a field of a record is seen.
    #[must_use]
    pub fn sees_field(&self, row: &Row, field: FieldId) -> bool {
        match self.apart.iter().find(|(apart, _)| *apart == field) {
            Some((_, grant)) => grant.allows(row),
            None => self.whole.allows(row),
        }
    }

    /// Whether a relation of a record is seen, as far as its own rules say: where the record is.
    #[must_use]
    pub fn sees_relation(&self, row: &Row, name: &str) -> bool {
        match self.relations.iter().find(|(relation, _)| relation == name) {
            Some((_, grant)) => grant.allows(row),
            None => self.whole.allows(row),
        }
    }

    /// The fields of a record, of so many, that are not seen.
    #[must_use]
    pub fn hidden(&self, row: &Row, fields: usize) -> Vec<FieldId> {
        if self.whole == Grant::Every {
            let apart = self.apart.iter().filter(|(_, grant)| !grant.allows(row));
            return apart.map(|(field, _)| *field).collect();
        }
        FieldId::first(fields).filter(|field| !self.sees_field(row, *field)).collect()
    }

    /// How records name the caller as their owner in a field; `None` where no rule of the type
    /// lets them see records by that.
    #[must_use]
    pub fn owner_in(&self, field: FieldId) -> Option<&Naming> {
        match &self.whole {
            Grant::Every => None,
            Grant::Named(ways) => ways.iter().find(|way| way.is_owner && way.field == field),
        }
    }

    /// Whether every record is seen by the rules of the type.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole == Grant::Every
    }

    /// How every record that is seen names the caller, if it is always in the same way.
    #[must_use]
    pub fn only_way(&self) -> Option<&Naming> {
        match (&self.whole, self.apart.as_slice()) {
            (Grant::Named(ways), []) if ways.len() == 1 => ways.first(),
            (Grant::Every | Grant::Named(_), _) => None,
        }
    }

    fn sees_all_of(&self, condition: &Predicate, derived: Derived, row: &Row) -> bool {
        match condition {
            Predicate::All => true,
            Predicate::Field(field, _) => self.sees_field(row, derived.source(*field)),
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().all(|part| self.sees_all_of(part, derived, row))
            }
            Predicate::Not(part) => self.sees_all_of(part, derived, row),
            // Whose other end is seen is not known here.
            Predicate::Related(..) => false,
        }
    }
}

/// A record without some of its fields.
#[must_use]
pub fn without(record: Record, hidden: &[FieldId]) -> Record {
    if hidden.is_empty() {
        return record;
    }
    let nulls = hidden.iter().map(|field| (*field, Value::Null)).collect();
    Record { row: record.row.with(&nulls), meta: record.meta }
}

impl Identity {
    /// The name under which somebody owns what they make; `None` where their credentials say none
    /// of it.
    fn full_name(&self, claims: &[String]) -> Option<String> {
        let parts: Vec<String> = claims.iter().filter_map(|claim| self.text(claim)).collect();
        (!parts.is_empty()).then(|| parts.join(JOINT))
    }

    /// All names under which they may own something: the whole, and each claim by itself. A claim
    /// that looks like a whole name is not one: whoever may choose their user name could else
    /// choose another's.
    fn names(&self, claims: &[String]) -> BTreeSet<String> {
        let parts = claims.iter().filter_map(|claim| self.text(claim));
        let parts = parts.filter(|part| claims.len() == 1 || !part.contains(JOINT));
        parts.chain(self.full_name(claims)).collect()
    }

    /// The values of a claim, such as their groups.
    fn values(&self, claim: &str) -> BTreeSet<String> {
        match self.claims.get(claim) {
            None => BTreeSet::new(),
            Some(Claim::One(value)) => BTreeSet::from([value.clone()]),
            Some(Claim::Several(values)) => values.iter().cloned().collect(),
        }
    }

    /// A claim that is one text, and not empty. The two kinds of a user pool's tokens call the
    /// user's name differently, so each name stands for the other.
    fn text(&self, claim: &str) -> Option<String> {
        let other = match claim {
            "username" => Some("cognito:username"),
            "cognito:username" => Some("username"),
            _ => None,
        };
        let found = self.claims.get(claim).or_else(|| self.claims.get(other?));
        match found {
            Some(Claim::One(value)) if !value.is_empty() => Some(value.clone()),
            Some(Claim::One(_) | Claim::Several(_)) | None => None,
        }
    }
}
