use async_graphql_parser::types::ConstDirective;
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::ConstValue;

use super::arguments::Arguments;
use super::{Result, SdlCause, problem, unsupported};

/// Directives of Amplify that this version does not carry out. Each changes what the API does or
/// who may use it, so none may be passed over.
const LATER: [&str; 13] = [
    "manyToMany",
    "connection",
    "key",
    "versioned",
    "function",
    "http",
    "predictions",
    "searchable",
    "mapsTo",
    "refersTo",
    "aws_api_key",
    "aws_iam",
    "aws_cognito_user_pools",
];

/// Every directive that has a place somewhere.
const KNOWN: [&str; 8] =
    ["model", "primaryKey", "index", "hasMany", "hasOne", "belongsTo", "default", "auth"];

/// The directives of one type or field.
#[derive(Clone, Copy)]
pub(super) struct Directives<'a>(pub(super) &'a [Positioned<ConstDirective>]);

impl<'a> Directives<'a> {
    /// The first directive of this name.
    pub(super) fn get(self, name: &str) -> Option<Directive<'a>> {
        self.all(name).next()
    }

    /// Every directive of this name.
    pub(super) fn all(self, name: &str) -> impl Iterator<Item = Directive<'a>> {
        let found = self.0.iter().filter(move |directive| directive.node.name.node == *name);
        found.map(|directive| Directive { at: directive.pos, node: &directive.node })
    }

    /// Refuses every directive that is not in `names`.
    pub(super) fn allow(self, names: &[&str]) -> Result<()> {
        for Positioned { pos, node } in self.0 {
            let name = node.name.node.as_str();
            if names.contains(&name) || name == "deprecated" {
                continue;
            }
            if LATER.contains(&name) {
                return unsupported(*pos, format!("@{name}"), "leave it out");
            }
            let cause = if KNOWN.contains(&name) {
                SdlCause::MisplacedDirective(name.to_owned())
            } else {
                SdlCause::UnknownDirective(name.to_owned())
            };
            return problem(*pos, cause);
        }
        Ok(())
    }
}

/// One directive.
#[derive(Clone, Copy)]
pub(super) struct Directive<'a> {
    pub(super) at: Pos,
    node: &'a ConstDirective,
}

impl<'a> Directive<'a> {
    /// Its arguments, none of which may be other than `names`.
    pub(super) fn takes(self, names: &[&str]) -> Result<Arguments<'a>> {
        self.arguments().takes(names)
    }

    /// The error of a directive that cannot be.
    pub(super) fn wrong<T>(self, message: impl Into<String>) -> Result<T> {
        self.arguments().wrong(message)
    }

    fn arguments(self) -> Arguments<'a> {
        let all = self.node.arguments.iter();
        let all = all.map(|(name, value)| (name.node.as_str(), &value.node));
        Arguments::of(self.at, self.node.name.node.as_str(), all)
    }
}

/// Whether an access rule is `{ allow: public }`, for API keys and for every operation.
pub(super) fn is_public_rule(rule: &ConstValue) -> bool {
    let ConstValue::Object(rule) = rule else { return false };
    let is_enum =
        |value: &ConstValue, name: &str| matches!(value, ConstValue::Enum(is) if is == name);
    rule.contains_key("allow")
        && rule.iter().all(|(name, value)| match name.as_str() {
            "allow" => is_enum(value, "public"),
            "provider" => is_enum(value, "apiKey"),
            _ => false,
        })
}
