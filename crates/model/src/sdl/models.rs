use async_graphql_parser::types::{
    BaseType as TypeShape, FieldDefinition, TypeDefinition, TypeKind,
};
use async_graphql_parser::{Pos, Positioned};

use super::access::{self, DraftRule};
use super::directives::{Directives, renamed};
use super::keys::{self, DraftIndex};
use super::offers::Offers;
use super::relations::{DraftRelation, RELATIONS};
use super::{Named, Names, Problem, Problems, Result, SdlCause, fields, plural, problem};
use crate::api::can_be_stamped;
use crate::{AccessRules, EnumType, Field, FieldId, Model, ModelApi, ModelId, Scalar};

/// A model whose indexes and relations still go by field name, because foreign keys may be added.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) plural: String,
    pub(super) fields: Vec<Field>,
    pub(super) key: Vec<String>,
    pub(super) indexes: Vec<DraftIndex>,
    pub(super) relations: Vec<DraftRelation>,
    pub(super) rules: Vec<DraftRule>,
    /// The rules on single fields and relations, by name.
    pub(super) field_rules: Vec<(String, Vec<DraftRule>)>,
    /// The owner fields that no type declares.
    pub(super) owners: Vec<String>,
    /// The foreign keys that only inputs have.
    pub(super) input_only: Vec<String>,
    offers: Offers,
    stored_as: Option<String>,
    formerly: Vec<String>,
    /// Where its name is.
    pub(super) at: Pos,
}

impl Draft {
    /// A model without a field.
    pub(super) fn new(name: String, at: Pos) -> Self {
        Self {
            plural: plural(&name),
            name,
            fields: Vec::new(),
            key: Vec::new(),
            indexes: Vec::new(),
            relations: Vec::new(),
            rules: Vec::new(),
            field_rules: Vec::new(),
            owners: Vec::new(),
            input_only: Vec::new(),
            offers: Offers::default(),
            stored_as: None,
            formerly: Vec::new(),
            at,
        }
    }

    pub(super) fn read(
        definition: &TypeDefinition,
        names: &Names,
        enums: &[EnumType],
        to: &mut Problems,
    ) -> Self {
        let mut draft = Self::new(definition.name.node.to_string(), definition.name.pos);
        let TypeKind::Object(kind) = &definition.kind else { return draft };
        let directives = Directives(&definition.directives);
        directives.allow(&["model", "auth", "key", "mapsTo", "refersTo", "renamed"], to);
        draft.formerly = to.keep(renamed(directives)).unwrap_or_default();
        let before = to.0.len();
        draft.offers = to.keep(Offers::read(directives)).unwrap_or_default();
        draft.rules = to.keep(access::read(directives)).unwrap_or_default();
        draft.stored_as = to.keep(stored_as(directives)).flatten();
        for Positioned { node, .. } in &kind.fields {
            let added = draft.add_field(node, names, enums, to);
            to.keep(added);
        }
        // What is wrong with a field would be told again of every key and rule that names it.
        if to.0.len() > before {
            return draft;
        }
        for Positioned { node, .. } in &kind.fields {
            keys::read_field(&mut draft, node, to);
        }
        keys::read_type(&mut draft, directives, to);
        to.keep(draft.complete());
        draft
    }

    /// The declared or added field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a relation has this name.
    pub(super) fn relation_named(&self, name: &str) -> bool {
        self.relations.iter().any(|relation| relation.name == name)
    }

    /// Adds an index that no query shows, unless there is one of this name.
    pub(super) fn add_index(&mut self, name: String, fields: Vec<String>) {
        if self.indexes.iter().all(|index| index.name != name) {
            self.indexes.push(DraftIndex { name, fields, query_field: None });
        }
    }

    fn add_field(
        &mut self,
        definition: &FieldDefinition,
        names: &Names,
        enums: &[EnumType],
        to: &mut Problems,
    ) -> Result<()> {
        let directives = Directives(&definition.directives);
        let name = definition.name.node.as_str();
        if self.field(name).is_some() || self.relation_named(name) {
            return problem(definition.name.pos, SdlCause::Duplicate(name.to_owned()));
        }
        if let Some(Named::Model(target)) = names.get(fields::base_name(&definition.ty.node)) {
            directives.allow(&[&RELATIONS[..], &["auth"]].concat(), to);
            self.relations.push(self.relation(definition, target)?);
        } else {
            directives.allow(&["primaryKey", "index", "default", "auth", "renamed"], to);
            self.fields.push(fields::read(definition, names, enums)?);
        }
        let rules = access::read(directives)?;
        if !rules.is_empty() {
            self.field_rules.push((name.to_owned(), rules));
        }
        Ok(())
    }

    fn relation(&self, definition: &FieldDefinition, target: ModelId) -> Result<DraftRelation> {
        let is_list = matches!(definition.ty.node.base, TypeShape::List(_));
        let relation =
            DraftRelation::read(definition, target, is_list, !definition.ty.node.nullable)?;
        relation.ok_or_else(|| Problem {
            at: definition.name.pos,
            cause: SdlCause::NoRelation {
                model: self.name.clone(),
                field: definition.name.node.to_string(),
            },
        })
    }

    /// Adds what every model gains: a key, timestamps, the owners that rules name (contract 1.3).
    pub(super) fn complete(&mut self) -> Result<()> {
        if self.key.is_empty() {
            match self.field("id") {
                None => self.fields.insert(0, Field::new("id", Scalar::Id)),
                Some(field) if field.is_list => {
                    let message = "which is the key and holds more than one value".to_owned();
                    let (directive, field) = ("model".to_owned(), "id".to_owned());
                    return problem(self.at, SdlCause::BadField { directive, field, message });
                }
                Some(_) => {}
            }
            self.key = vec!["id".to_owned()];
        }
        for field in &mut self.fields {
            field.is_required |= self.key.contains(&field.name);
        }
        for name in [&self.offers.created_at, &self.offers.updated_at].into_iter().flatten() {
            if self.relation_named(name) {
                return problem(self.at, SdlCause::Duplicate(name.clone()));
            }
            if self.field(name).is_none() {
                self.fields.push(Field::new(name, Scalar::AwsDateTime).required().read_only());
            }
        }
        access::complete(self)
    }

    /// Turns names into ids, now that no field is added any more.
    pub(super) fn finish(self) -> Result<(Model, ModelApi)> {
        let lost = Problem { at: self.at, cause: SdlCause::NoModel };
        let model = self.model();
        let found = model.and_then(|model| Some((self.api(&model)?, model)));
        let (api, mut model) = found.ok_or(lost)?;
        model.fields = self.fields;
        model.formerly = self.formerly;
        Ok((model, api))
    }

    fn model(&self) -> Option<Model> {
        let mut model = Model::new(&self.name, &self.plural).keyed_by(self.ids(&self.key)?);
        for index in &self.indexes {
            let fields = self.ids(&index.fields)?;
            model = model.index(&index.name, fields, index.query_field.as_deref());
        }
        for relation in &self.relations {
            let fields = relation.resolved.clone();
            model = model.relation(&relation.name, relation.kind, relation.target, fields);
        }
        model.fields.clone_from(&self.fields);
        Some(model)
    }

    fn api(&self, model: &Model) -> Option<ModelApi> {
        let stamped = |name: &Option<String>| {
            let id = name.as_ref().and_then(|name| self.id(name));
            id.filter(|id| can_be_stamped(model, *id))
        };
        let limits = self.relations.iter();
        let limits = limits.filter_map(|relation| Some((relation.name.clone(), relation.limit?)));
        Some(ModelApi {
            created_at: stamped(&self.offers.created_at),
            updated_at: stamped(&self.offers.updated_at),
            access: self.access()?,
            owners: self.ids(&self.owners)?.into_iter().collect(),
            input_only: self.ids(&self.input_only)?.into_iter().collect(),
            limits: limits.collect(),
            stored_as: self.stored_as.clone(),
            ..self.offers.api.clone()
        })
    }

    fn ids(&self, names: &[String]) -> Option<Vec<FieldId>> {
        names.iter().map(|name| self.id(name)).collect()
    }

    pub(super) fn id(&self, name: &str) -> Option<FieldId> {
        let position = self.fields.iter().position(|field| field.name == name)?;
        u16::try_from(position).ok().map(FieldId)
    }

    fn access(&self) -> Option<AccessRules> {
        let model = access::finish(&self.rules, &self.fields)?;
        let mut access = AccessRules { model, ..AccessRules::default() };
        for (name, rules) in &self.field_rules {
            let rules = access::finish(rules, &self.fields)?;
            match self.id(name) {
                Some(field) => access.fields.insert(field, rules),
                None => access.relations.insert(name.clone(), rules),
            };
        }
        Some(access)
    }
}

/// The name that `@mapsTo` or `@refersTo` gives to the stored records.
fn stored_as(directives: Directives<'_>) -> Result<Option<String>> {
    let mut given = directives.all("mapsTo").chain(directives.all("refersTo"));
    let Some(directive) = given.next() else { return Ok(None) };
    if let Some(second) = given.next() {
        return second.wrong("a model's records are stored under one name");
    }
    match directive.takes(&["name"])?.name("name")? {
        Some(Some(name)) => Ok(Some(name.to_owned())),
        _ => directive.wrong("needs `name`, the name that the records are stored under"),
    }
}
