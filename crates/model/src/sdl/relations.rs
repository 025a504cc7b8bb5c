use async_graphql_parser::Pos;
use async_graphql_parser::types::FieldDefinition;

use super::directives::Directives;
use super::models::Draft;
use super::names::{lower_first, upper_first};
use super::{Problem, Result, SdlCause, problem};
use crate::{BaseType, Field, FieldId, ModelId, RelationKind, Scalar};

/// A relation whose foreign key is not settled yet.
pub(super) struct DraftRelation {
    pub(super) name: String,
    pub(super) kind: RelationKind,
    pub(super) target: ModelId,
    /// The foreign key, once [`resolve`] has run.
    pub(super) resolved: Vec<FieldId>,
    /// The foreign key by name: of the target's fields for has-many, else of this model's.
    names: Vec<String>,
    is_required: bool,
    fields: Option<Vec<String>>,
    references: Option<Vec<String>>,
    index: Option<String>,
    at: Pos,
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
        let found = [
            ("hasMany", RelationKind::HasMany, &["fields", "references", "indexName"][..]),
            ("hasOne", RelationKind::HasOne, &["fields"][..]),
            ("belongsTo", RelationKind::BelongsTo, &["fields", "references"][..]),
        ];
        let found = found.into_iter().find_map(|(name, kind, arguments)| {
            directives.get(name).map(|directive| (directive, kind, arguments))
        });
        let Some((directive, kind, arguments)) = found else { return Ok(None) };
        if is_list != (kind == RelationKind::HasMany) {
            let expected = if is_list { "one value" } else { "a list" };
            return directive.wrong(format!("the field should be {expected}"));
        }
        let arguments = directive.takes(arguments)?;
        let owned = |names: Vec<&str>| names.into_iter().map(ToOwned::to_owned).collect();
        Ok(Some(Self {
            name: definition.name.node.to_string(),
            kind,
            target,
            resolved: Vec::new(),
            names: Vec::new(),
            is_required,
            fields: arguments.texts("fields")?.map(owned),
            references: arguments.texts("references")?.map(owned),
            index: arguments.text("indexName")?.flatten().map(ToOwned::to_owned),
            at: directive.at,
        }))
    }
}

/// One relation of one model, while the foreign keys of all are being settled.
#[derive(Clone, Copy)]
struct Place {
    model: usize,
    relation: usize,
}

/// Settles every foreign key (contract 1.4), adding those that no field declares. The side that
/// has goes before the side that belongs, which uses the other's key.
pub(super) fn resolve(drafts: &mut [Draft]) -> Result<()> {
    for kind in [RelationKind::HasMany, RelationKind::HasOne, RelationKind::BelongsTo] {
        for place in places(drafts) {
            if place.of(drafts).kind == kind {
                let names = place.foreign_key(drafts)?;
                drafts[place.model].relations[place.relation].names = names;
            }
        }
    }
    for place in places(drafts) {
        let fields = place.check(drafts)?;
        drafts[place.model].relations[place.relation].resolved = fields;
    }
    Ok(())
}

fn places(drafts: &[Draft]) -> Vec<Place> {
    let models = drafts.iter().enumerate();
    let places = models.flat_map(|(model, draft)| {
        (0..draft.relations.len()).map(move |relation| Place { model, relation })
    });
    places.collect()
}

impl Place {
    fn of(self, drafts: &[Draft]) -> &DraftRelation {
        &drafts[self.model].relations[self.relation]
    }

    /// The model that holds the foreign key.
    fn holder(self, drafts: &[Draft]) -> usize {
        match self.of(drafts).kind {
            RelationKind::HasMany => self.of(drafts).target.index(),
            RelationKind::HasOne | RelationKind::BelongsTo => self.model,
        }
    }

    /// The model that the foreign key points at.
    fn parent(self, drafts: &[Draft]) -> usize {
        match self.of(drafts).kind {
            RelationKind::HasMany => self.model,
            RelationKind::HasOne | RelationKind::BelongsTo => self.of(drafts).target.index(),
        }
    }

    fn bad<T>(self, drafts: &[Draft], message: impl Into<String>) -> Result<T> {
        let (model, relation) = (&drafts[self.model], self.of(drafts));
        let cause = SdlCause::BadRelation {
            model: model.name.clone(),
            field: relation.name.clone(),
            message: message.into(),
        };
        problem(relation.at, cause)
    }

    fn foreign_key(self, drafts: &mut [Draft]) -> Result<Vec<String>> {
        let relation = self.of(drafts);
        if let Some(references) = &relation.references {
            return Ok(references.clone());
        }
        match (relation.kind, &relation.fields) {
            (RelationKind::HasMany, Some(fields)) => self.through_index(drafts, fields),
            (RelationKind::HasOne | RelationKind::BelongsTo, Some(fields)) => Ok(fields.clone()),
            (RelationKind::HasMany | RelationKind::HasOne, None) => Ok(self.implicit(drafts)),
            (RelationKind::BelongsTo, None) => self.of_the_other_side(drafts),
        }
    }

    /// `@hasMany(indexName:, fields:)`: the foreign key leads the child's index or primary key.
    fn through_index(self, drafts: &[Draft], fields: &[String]) -> Result<Vec<String>> {
        let (relation, key) = (self.of(drafts), &drafts[self.model].key);
        if fields != &key[..] {
            return self.bad(drafts, format!("needs `fields` to be the key: {}", key.join(", ")));
        }
        let child = &drafts[relation.target.index()];
        let index = match &relation.index {
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
        let fields = key.map(|part| {
            let foreign = lower_first(&owner) + &upper_first(&name) + &upper_first(&part.name);
            Field { name: foreign, is_required, default: None, ..part.clone() }
        });
        let fields: Vec<Field> = fields.collect();
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
        let target = self.of(drafts).target;
        let back = drafts[target.index()].relations.iter().filter(|other| {
            other.target.index() == self.model && other.kind != RelationKind::BelongsTo
        });
        let back: Vec<&DraftRelation> = back.collect();
        match back[..] {
            [only] if only.kind == RelationKind::HasMany => Ok(only.names.clone()),
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
            let position = holder.fields.iter().position(|field| field.name == *name);
            let Some(id) = position.and_then(|position| u16::try_from(position).ok()) else {
                let message = format!("names the field `{name}`, which `{}` has not", holder.name);
                return self.bad(drafts, message);
            };
            let foreign = &holder.fields[usize::from(id)];
            let fits = parent.field(part).is_some_and(|part| {
                !foreign.is_list && kind_of(foreign.base) == kind_of(part.base)
            });
            if fits {
                return Ok(FieldId(id));
            }
            self.bad(drafts, format!("has a foreign key `{name}` of another type than `{part}`"))
        });
        ids.collect::<Result<Vec<_>, Problem>>()
    }
}

/// Types whose values can be the same: `ID` and `String` both are text.
fn kind_of(base: BaseType) -> BaseType {
    match base {
        BaseType::Scalar(Scalar::Id) => BaseType::Scalar(Scalar::String),
        base @ (BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_)) => base,
    }
}
