use async_graphql_parser::types::{
    BaseType as TypeShape, FieldDefinition, TypeDefinition, TypeKind,
};
use async_graphql_parser::{Pos, Positioned};

use super::access::{self, DraftRule};
use super::arguments::Arguments;
use super::directives::Directives;
use super::names::{lower_first, upper_first};
use super::relations::DraftRelation;
use super::{Named, Names, Result, SdlCause, fields, plural, problem};
use crate::{AccessRules, EnumType, Field, FieldId, Model, ModelApi, ModelId, Scalar};

/// A model whose indexes and relations still go by field name, because foreign keys may be added.
pub(super) struct Draft {
    pub(super) name: String,
    plural: String,
    pub(super) fields: Vec<Field>,
    pub(super) key: Vec<String>,
    pub(super) indexes: Vec<DraftIndex>,
    pub(super) relations: Vec<DraftRelation>,
    pub(super) rules: Vec<DraftRule>,
    /// The rules on single fields and relations, by name.
    pub(super) field_rules: Vec<(String, Vec<DraftRule>)>,
    /// The owner fields that no type declares.
    pub(super) owners: Vec<String>,
    /// Where its name is.
    pub(super) at: Pos,
}

/// An index by field names.
pub(super) struct DraftIndex {
    pub(super) name: String,
    pub(super) fields: Vec<String>,
    query_field: Option<String>,
}

impl Draft {
    pub(super) fn read(
        definition: &TypeDefinition,
        names: &Names,
        enums: &[EnumType],
    ) -> Result<Self> {
        let name = definition.name.node.to_string();
        let TypeKind::Object(kind) = &definition.kind else {
            return problem(definition.name.pos, SdlCause::NoModel);
        };
        let directives = Directives(&definition.directives);
        directives.allow(&["model", "auth"])?;
        for directive in directives.all("model") {
            directive.takes(&[])?;
        }
        let mut draft = Self {
            plural: plural(&name),
            name,
            fields: Vec::new(),
            key: Vec::new(),
            indexes: Vec::new(),
            relations: Vec::new(),
            rules: access::read(directives)?,
            field_rules: Vec::new(),
            owners: Vec::new(),
            at: definition.name.pos,
        };
        for Positioned { node, .. } in &kind.fields {
            draft.add_field(node, names, enums)?;
        }
        for Positioned { node, .. } in &kind.fields {
            draft.add_keys(node)?;
        }
        draft.complete();
        access::complete(&mut draft)?;
        Ok(draft)
    }

    /// The declared or added field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Adds an index, unless there is one of this name.
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
    ) -> Result<()> {
        let rules = access::read(Directives(&definition.directives))?;
        if !rules.is_empty() {
            self.field_rules.push((definition.name.node.to_string(), rules));
        }
        let Some(Named::Model(target)) = names.get(fields::base_name(&definition.ty.node)) else {
            Directives(&definition.directives).allow(&[
                "primaryKey",
                "index",
                "default",
                "auth",
            ])?;
            self.fields.push(fields::read(definition, names, enums)?);
            self.refuse_taken(definition)?;
            return fields::refuse_duplicate(&self.fields, definition);
        };
        Directives(&definition.directives).allow(&["hasMany", "hasOne", "belongsTo", "auth"])?;
        let relation = self.relation(definition, target)?;
        self.refuse_taken(definition)?;
        if self.field(&relation.name).is_some() {
            return problem(definition.name.pos, SdlCause::Duplicate(relation.name));
        }
        self.relations.push(relation);
        Ok(())
    }

    /// Whether a relation has this name.
    pub(super) fn relation_named(&self, name: &str) -> bool {
        self.relations.iter().any(|relation| relation.name == name)
    }

    fn refuse_taken(&self, definition: &FieldDefinition) -> Result<()> {
        let name = definition.name.node.as_str();
        if self.relation_named(name) {
            return problem(definition.name.pos, SdlCause::Duplicate(name.to_owned()));
        }
        Ok(())
    }

    fn relation(&self, definition: &FieldDefinition, target: ModelId) -> Result<DraftRelation> {
        let is_list = matches!(definition.ty.node.base, TypeShape::List(_));
        let relation =
            DraftRelation::read(definition, target, is_list, !definition.ty.node.nullable)?;
        relation.ok_or_else(|| super::Problem {
            at: definition.name.pos,
            cause: SdlCause::NoRelation {
                model: self.name.clone(),
                field: definition.name.node.to_string(),
            },
        })
    }

    /// Reads `@primaryKey` and `@index` of one field, once all fields are known.
    fn add_keys(&mut self, definition: &FieldDefinition) -> Result<()> {
        let directives = Directives(&definition.directives);
        let name = definition.name.node.as_str();
        for directive in directives.all("primaryKey") {
            let directive = directive.takes(&["sortKeyFields"])?;
            if !self.key.is_empty() {
                return directive.wrong("a model has one primary key".to_owned());
            }
            self.key = self.key_fields(&directive, name)?;
        }
        for directive in directives.all("index") {
            let directive = directive.takes(&["name", "sortKeyFields", "queryField"])?;
            let fields = self.key_fields(&directive, name)?;
            let default = self.default_index_name(&fields);
            let index = directive.text("name")?.flatten().unwrap_or(&default).to_owned();
            if self.indexes.iter().any(|other| other.name == index) {
                return directive.wrong(format!("there are two indexes `{index}`"));
            }
            let query_field = match directive.text("queryField")? {
                Some(given) => given.map(ToOwned::to_owned),
                None => Some(default),
            };
            self.indexes.push(DraftIndex { name: index, fields, query_field });
        }
        Ok(())
    }

    /// The field that carries a key directive, then the directive's sort keys.
    fn key_fields(&self, directive: &Arguments<'_>, first: &str) -> Result<Vec<String>> {
        let sort = directive.texts("sortKeyFields")?.unwrap_or_default();
        let names: Vec<&str> = std::iter::once(first).chain(sort).collect();
        for (position, name) in names.iter().enumerate() {
            let Some(field) = self.field(name) else {
                return directive.bad_field(name, "which there is not");
            };
            if field.is_list || matches!(field.base, crate::BaseType::Object(_)) {
                return directive.bad_field(name, "which holds more than one value");
            }
            if matches!(field.base, crate::BaseType::Scalar(Scalar::Boolean)) {
                return directive.bad_field(name, "a Boolean, which can be no key");
            }
            if names[..position].contains(name) {
                return directive.bad_field(name, "twice");
            }
        }
        Ok(names.into_iter().map(ToOwned::to_owned).collect())
    }

    /// `employeesByManagerAndLevel` (contract 1.5).
    fn default_index_name(&self, fields: &[String]) -> String {
        let fields: Vec<String> = fields.iter().map(|field| upper_first(field)).collect();
        format!("{}By{}", lower_first(&self.plural), fields.join("And"))
    }

    /// Adds what every model gains: a key and timestamps (contract 1.3).
    fn complete(&mut self) {
        if self.key.is_empty() {
            if self.field("id").is_none() {
                self.fields.insert(0, Field::new("id", Scalar::Id));
            }
            self.key = vec!["id".to_owned()];
        }
        for field in &mut self.fields {
            field.is_required |= self.key.contains(&field.name);
        }
        for name in ["createdAt", "updatedAt"] {
            if self.field(name).is_none() {
                self.fields.push(Field::new(name, Scalar::AwsDateTime).required().read_only());
            }
        }
    }

    /// Turns names into ids, now that no field is added any more.
    pub(super) fn finish(self) -> Result<(Model, ModelApi)> {
        let unknown = || super::Problem { at: self.at, cause: SdlCause::NoModel };
        let access = self.access().ok_or_else(unknown)?;
        let owners = self.ids(&self.owners).ok_or_else(unknown)?;
        let api = ModelApi { access, owners: owners.into_iter().collect(), ..ModelApi::default() };
        let mut model = Model::new(&self.name, &self.plural);
        model = model.keyed_by(self.ids(&self.key).ok_or_else(unknown)?);
        for index in &self.indexes {
            let fields = self.ids(&index.fields).ok_or_else(unknown)?;
            model = model.index(&index.name, fields, index.query_field.as_deref());
        }
        for relation in &self.relations {
            let fields = relation.resolved.clone();
            model = model.relation(&relation.name, relation.kind, relation.target, fields);
        }
        model.fields = self.fields;
        Ok((model, api))
    }

    fn ids(&self, names: &[String]) -> Option<Vec<FieldId>> {
        names.iter().map(|name| self.id(name)).collect()
    }

    fn id(&self, name: &str) -> Option<FieldId> {
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
