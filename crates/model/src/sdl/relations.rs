use async_graphql_parser::Pos;
use async_graphql_parser::types::FieldDefinition;

use super::arguments::Arguments;
use super::connections::{self, Connection};
use super::directives::{Directive, Directives};
use super::models::Draft;
use super::names::{lower_first, upper_first};
use super::{Problems, Result, SdlCause, problem, references};
use crate::{BaseType, Field, FieldId, ModelId, RelationKind, Scalar};

/// A relation whose foreign key is not settled yet.
#[derive(Debug)]
pub(super) struct DraftRelation {
    pub(super) name: String,
    pub(super) kind: RelationKind,
    pub(super) target: ModelId,
    /// The foreign key, once [`resolve`] has run.
    pub(super) resolved: Vec<FieldId>,
    /// The foreign key by name: fields of the model that holds it.
    pub(super) names: Vec<String>,
    pub(super) is_required: bool,
    pub(super) form: Form,
    pub(super) limit: Option<u32>,
    pub(super) at: Pos,
}

/// How a schema says which foreign key a relation goes by (contract 1.4).
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// Not at all: the key is added, under Amplify's name.
    Implicit,
    /// By fields of the relation's own model, and for a has-many an index of the other.
    Fields { fields: Vec<String>, index: Option<String> },
    /// By fields of the model that belongs, the same on both sides.
    References { fields: Vec<String>, index: Option<String> },
    /// By a model between the two, which is to be added.
    Join { relation: String },
    /// As the first transformers did.
    Connection(Connection),
    /// The names are known.
    Settled,
}

impl DraftRelation {
    /// Reads a relation's directive; `None` when the field has none.
    pub(super) fn read(
        definition: &FieldDefinition,
        target: ModelId,
        is_list: bool,
        is_required: bool,
    ) -> Result<Option<Self>> {
        let directives = Directives(&definition.directives);
        let mut all = RELATIONS.iter().filter_map(|name| directives.get(name));
        let Some(directive) = all.next() else { return Ok(None) };
        if let Some(second) = all.next() {
            return second.wrong("a field is one relation");
        }
        let (kind, form, limit) = read_directive(directive, is_list)?;
        if is_list != (kind == RelationKind::HasMany) {
            let expected = if is_list { "one value" } else { "a list" };
            return directive.wrong(format!("the field should be {expected}"));
        }
        let name = definition.name.node.to_string();
        let (resolved, names, at) = (Vec::new(), Vec::new(), directive.at);
        Ok(Some(Self { name, kind, target, resolved, names, is_required, form, limit, at }))
    }
}

pub(super) const RELATIONS: [&str; 5] =
    ["hasMany", "hasOne", "belongsTo", "manyToMany", "connection"];

fn read_directive(
    directive: Directive<'_>,
    is_list: bool,
) -> Result<(RelationKind, Form, Option<u32>)> {
    match directive.name() {
        "hasMany" => {
            let arguments = directive.takes(&["indexName", "fields", "references", "limit"])?;
            let form = read_form(&arguments, "indexName")?;
            Ok((RelationKind::HasMany, form, arguments.count("limit")?))
        }
        "hasOne" => {
            let form = read_form(&directive.takes(&["fields", "references"])?, "")?;
            let is_referred_to = matches!(form, Form::References { .. });
            let kind =
                if is_referred_to { RelationKind::HasOneByReference } else { RelationKind::HasOne };
            Ok((kind, form, None))
        }
        "belongsTo" => {
            let arguments = directive.takes(&["fields", "references", "overrideIndexName"])?;
            let form = read_form(&arguments, "overrideIndexName")?;
            Ok((RelationKind::BelongsTo, form, None))
        }
        "manyToMany" => {
            let arguments = directive.takes(&["relationName", "limit"])?;
            let Some(Some(relation)) = arguments.name("relationName")? else {
                return arguments.wrong("needs `relationName`, the same on both sides");
            };
            let form = Form::Join { relation: upper_first(relation) };
            Ok((RelationKind::HasMany, form, arguments.count("limit")?))
        }
        _ => {
            let (connection, limit) = Connection::read(directive)?;
            let kind = if is_list { RelationKind::HasMany } else { RelationKind::BelongsTo };
            Ok((kind, Form::Connection(connection), limit))
        }
    }
}

/// `fields` or `references`, with the name of an index in the argument that is called so.
fn read_form(arguments: &Arguments<'_>, index_argument: &str) -> Result<Form> {
    let owned = |names: Vec<&str>| names.into_iter().map(ToOwned::to_owned).collect();
    let index = arguments.text(index_argument)?.flatten().map(ToOwned::to_owned);
    match (arguments.texts("fields")?, arguments.texts("references")?) {
        (Some(_), Some(_)) => arguments.wrong("`fields` and `references` exclude each other"),
        (None, Some(_)) if index.is_some() && index_argument == "indexName" => arguments.wrong(
            "`indexName` goes with `fields`; on the side that belongs, \
                             `overrideIndexName` goes with `references`",
        ),
        (Some(_), None) if index.is_some() && index_argument == "overrideIndexName" => {
            arguments.wrong("`overrideIndexName` goes with `references`")
        }
        (None, None) if index.is_some() => {
            arguments.wrong(format!("`{index_argument}` needs the fields of the foreign key too"))
        }
        (Some(fields), None) => Ok(Form::Fields { fields: owned(fields), index }),
        (None, Some(fields)) => Ok(Form::References { fields: owned(fields), index }),
        (None, None) => Ok(Form::Implicit),
    }
}

/// One relation of one model, while the foreign keys of all are being settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) model: usize,
    pub(super) relation: usize,
}

/// Settles every foreign key (contract 1.4), adding those that no field declares. The side that
/// has goes before the side that belongs, which uses the other's key.
pub(super) fn resolve(drafts: &mut [Draft], to: &mut Problems) {
    connections::settle(drafts, to);
    let order = [
        RelationKind::HasMany,
        RelationKind::HasOne,
        RelationKind::HasOneByReference,
        RelationKind::BelongsTo,
    ];
    for kind in order {
        for place in places(drafts) {
            if place.of(drafts).kind != kind {
                continue;
            }
            if let Some(names) = to.keep(place.foreign_key(drafts)) {
                place.of_mut(drafts).names = names;
            }
        }
    }
    if !to.0.is_empty() {
        return;
    }
    for place in places(drafts) {
        if let Some(fields) = to.keep(place.check(drafts)) {
            place.of_mut(drafts).resolved = fields;
        }
    }
}

pub(super) fn places(drafts: &[Draft]) -> Vec<Place> {
    let models = drafts.iter().enumerate();
    let places = models.flat_map(|(model, draft)| {
        (0..draft.relations.len()).map(move |relation| Place { model, relation })
    });
    places.collect()
}

impl Place {
    pub(super) fn of(self, drafts: &[Draft]) -> &DraftRelation {
        &drafts[self.model].relations[self.relation]
    }

    pub(super) fn of_mut(self, drafts: &mut [Draft]) -> &mut DraftRelation {
        &mut drafts[self.model].relations[self.relation]
    }

    /// The model that holds the foreign key.
    pub(super) fn holder(self, drafts: &[Draft]) -> usize {
        let relation = self.of(drafts);
        if relation.kind.is_held_by_target() { relation.target.index() } else { self.model }
    }

    /// The model that the foreign key points at.
    pub(super) fn parent(self, drafts: &[Draft]) -> usize {
        let relation = self.of(drafts);
        if relation.kind.is_held_by_target() { self.model } else { relation.target.index() }
    }

    /// The relations of the target that lead back here.
    pub(super) fn back(self, drafts: &[Draft]) -> Vec<Place> {
        let back = places(drafts).into_iter();
        let target = self.of(drafts).target.index();
        let back = back.filter(|other| {
            *other != self && other.model == target && other.of(drafts).target.index() == self.model
        });
        back.collect()
    }

    pub(super) fn bad<T>(self, drafts: &[Draft], message: impl Into<String>) -> Result<T> {
        let (model, relation) = (&drafts[self.model], self.of(drafts));
        let cause = SdlCause::BadRelation {
            model: model.name.clone(),
            field: relation.name.clone(),
            message: message.into(),
        };
        problem(relation.at, cause)
    }

    fn foreign_key(self, drafts: &mut [Draft]) -> Result<Vec<String>> {
        let (kind, form) = (self.of(drafts).kind, self.of(drafts).form.clone());
        match (form, kind) {
            (Form::Fields { fields, index }, RelationKind::HasMany) => {
                self.through_index(drafts, &fields, index.as_deref())
            }
            (Form::Fields { fields, .. }, _) => Ok(fields),
            (Form::References { fields, index }, _) => {
                references::settle(self, drafts, fields, index)
            }
            (Form::Implicit, RelationKind::BelongsTo) => self.of_the_other_side(drafts),
            (Form::Implicit, _) => Ok(self.implicit(drafts)),
            (Form::Join { .. } | Form::Connection(_) | Form::Settled, _) => {
                Ok(self.of(drafts).names.clone())
            }
        }
    }

    /// `@hasMany(indexName:, fields:)`: the foreign key leads the child's index or primary key.
    fn through_index(
        self,
        drafts: &[Draft],
        fields: &[String],
        index: Option<&str>,
    ) -> Result<Vec<String>> {
        let (relation, key) = (self.of(drafts), &drafts[self.model].key);
        if fields != &key[..] {
            return self.bad(drafts, format!("needs `fields` to be the key: {}", key.join(", ")));
        }
        let child = &drafts[relation.target.index()];
        let index = match index {
            None => &child.key,
            Some(name) => match child.indexes.iter().find(|index| index.name == *name) {
                Some(index) => &index.fields,
                None => {
                    let message =
                        format!("names an index `{name}`, which `{}` has not", child.name);
                    return self.bad(drafts, message);
                }
            },
        };
        Ok(index.iter().take(key.len()).cloned().collect())
    }

    /// The foreign key that no field declares: its fields are added, and an index over them.
    fn implicit(self, drafts: &mut [Draft]) -> Vec<String> {
        let relation = self.of(drafts);
        let (name, kind, is_required) =
            (relation.name.clone(), relation.kind, relation.is_required);
        let (owner, parent) = (drafts[self.model].name.clone(), &drafts[self.parent(drafts)]);
        let key = parent.key.iter().filter_map(|part| parent.field(part));
        let fields: Vec<Field> = key
            .map(|part| foreign(part, camel(&[&owner, &name, &part.name]), is_required))
            .collect();
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let holder = self.holder(drafts);
        let holder = &mut drafts[holder];
        for field in fields {
            if holder.field(&field.name).is_none() {
                holder.fields.push(field);
            }
        }
        if kind == RelationKind::HasMany {
            holder.add_index(format!("gsi-{owner}.{name}"), names.clone());
        }
        names
    }

    /// A plain `@belongsTo` takes the key of the `@hasMany` that leads here; to a `@hasOne` it
    /// adds its own.
    fn of_the_other_side(self, drafts: &mut [Draft]) -> Result<Vec<String>> {
        let mut back = self.back(drafts);
        back.retain(|other| other.of(drafts).kind != RelationKind::BelongsTo);
        match back[..] {
            [only] if matches!(only.of(drafts).form, Form::References { .. }) => {
                self.bad(drafts, "needs the same `references` as the other side")
            }
            [only] if only.of(drafts).kind == RelationKind::HasMany => {
                Ok(only.of(drafts).names.clone())
            }
            [_] => Ok(self.implicit(drafts)),
            [] => self.bad(drafts, "needs a @hasMany or @hasOne back, or `fields`"),
            _ => self.bad(drafts, "could belong to several relations; say which by `fields`"),
        }
    }

    /// Checks a foreign key against the key it points at, and finds its fields' ids.
    fn check(self, drafts: &[Draft]) -> Result<Vec<FieldId>> {
        let (holder, parent) = (&drafts[self.holder(drafts)], &drafts[self.parent(drafts)]);
        let names = &self.of(drafts).names;
        if names.len() != parent.key.len() {
            let (found, expected) = (names.join(", "), parent.key.join(", "));
            let message = format!("has the foreign key ({found}) for the key ({expected})");
            return self.bad(drafts, message);
        }
        let ids = names.iter().zip(&parent.key).map(|(name, part)| {
            let (Some(id), Some(foreign)) = (holder.id(name), holder.field(name)) else {
                let message = format!("names the field `{name}`, which `{}` has not", holder.name);
                return self.bad(drafts, message);
            };
            let fits = parent.field(part).is_some_and(|part| {
                !foreign.is_list && kind_of(foreign.base) == kind_of(part.base)
            });
            if fits {
                return Ok(id);
            }
            self.bad(drafts, format!("has a foreign key `{name}` of another type than `{part}`"))
        });
        ids.collect()
    }
}

/// The field that points at a part of another model's key.
pub(super) fn foreign(part: &Field, name: String, is_required: bool) -> Field {
    let is_read_only = false;
    let formerly = Vec::new();
    Field { name, is_required, is_read_only, default: None, formerly, ..part.clone() }
}

/// `postCommentsId` of `Post`, `comments`, `id`.
pub(super) fn camel(parts: &[&str]) -> String {
    let (first, rest) = parts.split_first().unwrap_or((&"", &[]));
    lower_first(first) + &rest.iter().map(|part| upper_first(part)).collect::<String>()
}

/// Types whose values can be the same: `ID` and `String` both are text.
fn kind_of(base: BaseType) -> BaseType {
    match base {
        BaseType::Scalar(Scalar::Id) => BaseType::Scalar(Scalar::String),
        base @ (BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_)) => base,
    }
}
