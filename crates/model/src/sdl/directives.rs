use async_graphql_parser::types::ConstDirective;
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::ConstValue;

use super::{Result, SdlCause, problem, unsupported};

/// Directives of Amplify that this version does not carry out. Each changes what the API does or
/// who may use it, so none may be passed over.
const LATER: [&str; 14] = [
    "auth",
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

    /// Refuses every directive that is not in `names`. The one `@auth` that is taken says what
    /// holds without it: who has the API key may do everything.
    pub(super) fn allow(self, names: &[&str]) -> Result<()> {
        for Positioned { pos, node } in self.0 {
            let name = node.name.node.as_str();
            let is_public = name == "auth" && Directive { at: *pos, node }.is_public();
            if names.contains(&name) || name == "deprecated" || is_public {
                continue;
            }
            if name == "auth" {
                let what = "an @auth rule other than `{ allow: public }`";
                let instead =
                    "without it the records would be served unprotected, so it is refused";
                return unsupported(*pos, what, instead);
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
    /// Refuses every argument that is not in `names`.
    pub(super) fn takes(self, names: &[&str]) -> Result<Self> {
        for (argument, _) in &self.node.arguments {
            let name = argument.node.as_str();
            if !names.contains(&name) {
                let what = format!("the argument `{name}` of @{}", self.node.name.node);
                return unsupported(argument.pos, what, "leave it out");
            }
        }
        Ok(self)
    }

    /// A text argument. The outer `None` is an absent argument, the inner one `null`.
    pub(super) fn text(self, name: &str) -> Result<Option<Option<&'a str>>> {
        match self.argument(name) {
            None => Ok(None),
            Some(ConstValue::Null) => Ok(Some(None)),
            Some(ConstValue::String(text)) => Ok(Some(Some(text))),
            Some(_) => self.wrong(format!("`{name}` should be text")),
        }
    }

    /// An argument that is a list of texts, or one text alone.
    pub(super) fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>> {
        let text = |value: &'a ConstValue| {
            let ConstValue::String(text) = value else {
                return self.wrong(format!("`{name}` should be a list of field names"));
            };
            Ok(text.as_str())
        };
        match self.argument(name) {
            None | Some(ConstValue::Null) => Ok(None),
            Some(ConstValue::List(values)) if values.is_empty() => {
                self.wrong(format!("`{name}` is empty"))
            }
            Some(ConstValue::List(values)) => {
                values.iter().map(text).collect::<Result<_>>().map(Some)
            }
            Some(value) => Ok(Some(vec![text(value)?])),
        }
    }

    /// The error of an argument that cannot serve.
    pub(super) fn wrong<T>(self, message: String) -> Result<T> {
        let directive = self.node.name.node.to_string();
        problem(self.at, SdlCause::Argument { directive, message })
    }

    /// The error of a field, named by this directive, that cannot serve.
    pub(super) fn bad_field<T>(self, field: &str, message: &str) -> Result<T> {
        let directive = self.node.name.node.to_string();
        let (field, message) = (field.to_owned(), message.to_owned());
        problem(self.at, SdlCause::BadField { directive, field, message })
    }

    fn argument(self, name: &str) -> Option<&'a ConstValue> {
        let found = self.node.arguments.iter().find(|(argument, _)| argument.node == *name);
        found.map(|(_, value)| &value.node)
    }

    /// Whether an `@auth` has no other rule than that every holder of the API key may do all.
    fn is_public(self) -> bool {
        match self.argument("rules") {
            Some(ConstValue::List(rules)) => !rules.is_empty() && rules.iter().all(is_public_rule),
            Some(rule @ ConstValue::Object(_)) => is_public_rule(rule),
            _ => false,
        }
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
