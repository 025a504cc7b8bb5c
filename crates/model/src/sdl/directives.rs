use async_graphql_parser::types::ConstDirective;
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::ConstValue;

use super::arguments::{Arguments, is_name};
use super::{Problem, Problems, Result, SdlCause};

/// Directives of Amplify and AppSync that this server does not carry out, with what to do. Each
/// changes what the API does or who may use it, so none may be passed over.
const OTHERS: [(&str, &str); 14] = [
    ("versioned", "leave it out: every record has a `_version`, which an update names"),
    ("function", "call the function from the app, or put it behind an API of its own"),
    ("http", "call the other API from the app"),
    ("sql", "keep the query in an API of its own"),
    ("predictions", "call the service from the app"),
    ("searchable", "leave it out; an @index has a query, and a list has a filter"),
    ("generation", "call the model from the app"),
    ("conversation", "call the model from the app"),
    ("aws_api_key", "write `@auth(rules: [{ allow: public }])` on the model"),
    ("aws_iam", "write `@auth(rules: [{ allow: private, provider: iam }])` on the model"),
    ("aws_oidc", "write `@auth(rules: [{ allow: private, provider: oidc }])` on the model"),
    ("aws_cognito_user_pools", "write `@auth(rules: [{ allow: private }])` on the model"),
    ("aws_lambda", "write `@auth(rules: [{ allow: custom }])` on the model"),
    ("aws_subscribe", "leave it out: every model has its subscriptions"),
];

/// Every directive that has a place somewhere, and where.
const KNOWN: [(&str, &str); 14] = [
    ("model", "on a type"),
    ("auth", "on a type with @model, and on its fields"),
    ("key", "on a type with @model"),
    ("mapsTo", "on a type with @model"),
    ("refersTo", "on a type with @model"),
    ("renamed", "on a type with @model, and on a field that holds a value"),
    ("primaryKey", "on a field of a model that holds a value"),
    ("index", "on a field of a model that holds a value"),
    ("default", "on a field that holds a value"),
    ("hasMany", "on a field of a model whose type is a list of a model"),
    ("hasOne", "on a field of a model whose type is a model"),
    ("belongsTo", "on a field of a model whose type is a model"),
    ("manyToMany", "on a field of a model whose type is a list of a model"),
    ("connection", "on a field of a model whose type is a model"),
];

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
    pub(super) fn allow(self, names: &[&str], to: &mut Problems) {
        for Positioned { pos, node } in self.0 {
            let name = node.name.node.as_str();
            if names.contains(&name) || name == "deprecated" {
                continue;
            }
            let instead = OTHERS.iter().find(|(other, _)| *other == name);
            let place = KNOWN.iter().find(|(known, _)| *known == name);
            let name = name.to_owned();
            let cause = match (instead, place) {
                (Some((_, instead)), _) => {
                    let instead = (*instead).to_owned();
                    SdlCause::Unsupported { what: format!("@{name}"), instead }
                }
                (None, Some((_, place))) => SdlCause::MisplacedDirective { name, place },
                (None, None) => SdlCause::UnknownDirective(name),
            };
            to.0.push(Problem { at: *pos, cause });
        }
    }
}

/// The names that a type or field had before: `@renamed(from: "cost")`, or a list of them.
pub(super) fn renamed(directives: Directives<'_>) -> Result<Vec<String>> {
    let mut given = directives.all("renamed");
    let Some(directive) = given.next() else { return Ok(Vec::new()) };
    if let Some(second) = given.next() {
        return second.wrong("is there twice; give all earlier names as one list in `from`");
    }
    let arguments = directive.takes(&["from"])?;
    let names = arguments.texts("from")?.unwrap_or_default();
    if names.is_empty() || !names.iter().all(|name| is_name(name)) {
        return directive.wrong("needs `from`, the earlier name, as in `@renamed(from: \"cost\")`");
    }
    Ok(names.into_iter().map(ToOwned::to_owned).collect())
}

/// One directive.
#[derive(Clone, Copy)]
pub(super) struct Directive<'a> {
    pub(super) at: Pos,
    node: &'a ConstDirective,
}

impl<'a> Directive<'a> {
    pub(super) fn name(self) -> &'a str {
        self.node.name.node.as_str()
    }

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
        Arguments::of(self.at, self.name(), all)
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
