//! Reads the schema that Amplify's tools write for `initSchema` (contract 7), of both generations:
//! associations name their fields in arrays or as one text, and foreign keys are fields of the
//! models or are implied by the association alone.
//!
//! Nothing is guessed that would change what is stored: a type, a field or a relation that is not
//! understood is an error with its path, and so is a foreign key of fewer parts than the key it
//! points at, for then records could not be told apart. A list that does not say whether it may be
//! null may be. Who may do what is the server's affair and not read.

use espressync_model::{
    ApiSchema, BaseType, EnumId, EnumType, Field, FieldId, Model, ModelApi, ModelId, ObjectId,
    ObjectType, RelationKind, Scalar, Schema, SubscriptionLevel,
};
use serde_json::{Map, Value as Json};
use thiserror::Error;

/// What is wrong with a schema in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {message}", if path.is_empty() { "the schema" } else { path })]
pub struct IntrospectionError {
    /// Where, as `models.Post.fields.title.type`; empty for the whole.
    pub path: String,
    /// What was expected and found, and what to do.
    pub message: String,
}

type Read<T> = Result<T, IntrospectionError>;

/// The schema that this JSON describes.
///
/// # Errors
/// The first part that is not as it should be.
pub fn read_introspection(json: &Json) -> Result<ApiSchema, IntrospectionError> {
    let root = At { path: String::new(), json };
    let models = root.member("models")?.members()?;
    let named = |name: &str| match root.optional(name) {
        Some(part) => part.members(),
        None => Ok(Vec::new()),
    };
    let (enums, objects) = (named("enums")?, named("nonModels")?);
    let positions = [&models, &enums, &objects];
    if let Some(many) = positions.iter().find(|all| all.len() > usize::from(u16::MAX)) {
        return root.wrong(format!("it has {} types of one kind, 65,535 are the most", many.len()));
    }
    let names = |all: &[(String, At<'_>)]| all.iter().map(|(name, _)| name.clone()).collect();
    let names = Names { models: names(&models), enums: names(&enums), objects: names(&objects) };
    let enums = enums.iter().map(|(name, at)| {
        let values = at.member("values")?.texts()?;
        Ok(EnumType { name: name.clone(), values })
    });
    let enums = enums.collect::<Read<Vec<EnumType>>>()?;
    let objects = objects.iter().map(|(name, at)| {
        let fields = at.member("fields")?.members()?;
        let fields = fields.iter().map(|(name, at)| at.field(name, &names));
        Ok(ObjectType { name: name.clone(), fields: fields.collect::<Read<_>>()? })
    });
    let objects = objects.collect::<Read<Vec<ObjectType>>>()?;
    let drafts = models.iter().map(|(name, at)| at.draft(name, &names));
    let mut drafts = drafts.collect::<Read<Vec<_>>>()?;
    resolve(&mut drafts)?;
    let finished = drafts.iter().map(|draft| draft.finish(&drafts)).collect::<Read<Vec<_>>>()?;
    let (models, apis) = finished.into_iter().unzip();
    let schema = Schema::new(models).with_enums(enums).with_objects(objects);
    Ok(ApiSchema::new(schema, apis))
}

/// The types there are, by position.
struct Names {
    models: Vec<String>,
    enums: Vec<String>,
    objects: Vec<String>,
}

fn position(names: &[String], name: &str) -> Option<u16> {
    names.iter().position(|known| known == name).and_then(|found| u16::try_from(found).ok())
}

/// A part of the JSON, with where it is.
#[derive(Debug, Clone)]
struct At<'a> {
    path: String,
    json: &'a Json,
}

impl<'a> At<'a> {
    fn wrong<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(IntrospectionError { path: self.path.clone(), message: message.into() })
    }

    fn expected<T>(&self, what: &str) -> Read<T> {
        let mut found = self.json.to_string();
        if found.len() > 60 {
            found = found.chars().take(60).chain("...".chars()).collect();
        }
        self.wrong(format!("should be {what}, found {found}"))
    }

    fn within(&self, name: &str, json: &'a Json) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { path: format!("{}{dot}{name}", self.path), json }
    }

    fn object(&self) -> Read<&'a Map<String, Json>> {
        self.json.as_object().map_or_else(|| self.expected("an object"), Ok)
    }

    /// A member that is there and not null.
    fn optional(&self, name: &str) -> Option<Self> {
        let found = self.json.get(name).filter(|json| !json.is_null());
        found.map(|json| self.within(name, json))
    }

    fn member(&self, name: &str) -> Read<Self> {
        self.object()?;
        self.optional(name).map_or_else(|| self.wrong(format!("`{name}` is missing")), Ok)
    }

    fn members(&self) -> Read<Vec<(String, Self)>> {
        let members = self.object()?.iter();
        Ok(members.map(|(name, json)| (name.clone(), self.within(name, json))).collect())
    }

    fn elements(&self) -> Read<Vec<Self>> {
        let Some(elements) = self.json.as_array() else { return self.expected("a list") };
        let elements = elements.iter().enumerate();
        Ok(elements.map(|(place, json)| self.within(&place.to_string(), json)).collect())
    }

    fn text(&self) -> Read<&'a str> {
        self.json.as_str().map_or_else(|| self.expected("a text"), Ok)
    }

    fn texts(&self) -> Read<Vec<String>> {
        self.elements()?.iter().map(|at| at.text().map(ToOwned::to_owned)).collect()
    }

    /// One text or a list of them: the older and the newer form of one thing.
    fn text_or_texts(&self) -> Read<Vec<String>> {
        match self.json {
            Json::String(text) => Ok(vec![text.clone()]),
            Json::Array(_) => self.texts(),
            _ => self.expected("a text or a list of texts"),
        }
    }

    fn flag(&self, name: &str) -> Read<Option<bool>> {
        let Some(at) = self.optional(name) else { return Ok(None) };
        at.json.as_bool().map_or_else(|| at.expected("true or false"), |flag| Ok(Some(flag)))
    }

    /// The values of `attributes` of one type.
    fn attributes(&self, kind: &str) -> Read<Vec<Self>> {
        let Some(attributes) = self.optional("attributes") else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for attribute in attributes.elements()? {
            if attribute.member("type")?.text()? == kind {
                found.extend(attribute.optional("properties"));
            }
        }
        Ok(found)
    }

    fn formerly(&self) -> Read<Vec<String>> {
        match self.attributes("renamed")?.first() {
            Some(renamed) => renamed.member("from")?.text_or_texts(),
            None => Ok(Vec::new()),
        }
    }

    fn field(&self, name: &str, names: &Names) -> Read<Field> {
        let at = self.member("type")?;
        let base = match at.json {
            Json::String(name) => Scalar::named(name).map(BaseType::Scalar),
            _ => match (at.optional("enum"), at.optional("nonModel")) {
                (Some(kind), _) => {
                    position(&names.enums, kind.text()?).map(|id| BaseType::Enum(EnumId(id)))
                }
                (None, Some(kind)) => {
                    position(&names.objects, kind.text()?).map(|id| BaseType::Object(ObjectId(id)))
                }
                (None, None) => None,
            },
        };
        let Some(base) = base else {
            return at.expected(
                "a scalar of AppSync, or the name of an enum, a non-model or, on a model, a model \
                 that the schema has",
            );
        };
        let mut field = Field::new(name, base);
        let is_required = self.flag("isRequired")?.unwrap_or(false);
        field.is_required = is_required;
        if self.flag("isArray")?.unwrap_or(false) {
            field = field.list(is_required);
            field.is_required = !self.flag("isArrayNullable")?.unwrap_or(true);
        }
        field.is_read_only = self.flag("isReadOnly")?.unwrap_or(false);
        field.formerly = self.formerly()?;
        Ok(field)
    }

    fn draft(&self, name: &str, names: &Names) -> Read<Draft<'a>> {
        let mut draft = Draft {
            at: self.clone(),
            name: name.to_owned(),
            fields: Vec::new(),
            implied: Vec::new(),
            key: vec!["id".to_owned()],
            relations: Vec::new(),
        };
        for (name, at) in self.member("fields")?.members()? {
            let target = at.member("type")?.optional("model");
            match target {
                Some(target) => draft.relations.push(at.relation(&name, &target, names)?),
                None => draft.fields.push(at.field(&name, names)?),
            }
        }
        for properties in self.attributes("key")? {
            if properties.optional("name").is_none() {
                draft.key = properties.member("fields")?.texts()?;
            }
        }
        Ok(draft)
    }

    fn relation(&self, name: &str, target: &At<'a>, names: &Names) -> Read<DraftRelation<'a>> {
        let Some(target) = position(&names.models, target.text()?) else {
            return target.expected("a model that the schema has");
        };
        let association = self.member("association")?;
        let fields = |list: &str, single: &str| {
            let found = association.optional(list).or_else(|| association.optional(single));
            found.map(|at| at.text_or_texts()).transpose()
        };
        let held = fields("targetNames", "targetName")?;
        let with = fields("associatedWith", "associatedWith")?;
        let kind = association.member("connectionType")?;
        let (kind, ends) = match (kind.text()?, held, with) {
            ("BELONGS_TO", Some(held), _) => (RelationKind::BelongsTo, held),
            ("HAS_ONE", Some(held), _) if !held.is_empty() => (RelationKind::HasOne, held),
            ("HAS_ONE", _, Some(with)) => (RelationKind::HasOneByReference, with),
            ("HAS_MANY", _, Some(with)) => (RelationKind::HasMany, with),
            ("BELONGS_TO", None, _) => return association.wrong("`targetNames` is missing"),
            ("HAS_ONE" | "HAS_MANY", _, None) => {
                return association.wrong("`associatedWith` is missing");
            }
            _ => return kind.expected("HAS_MANY, HAS_ONE or BELONGS_TO"),
        };
        let is_required = self.flag("isRequired")?.unwrap_or(false);
        let (name, target, fields) = (name.to_owned(), usize::from(target), Vec::new());
        Ok(DraftRelation { at: association, name, kind, target, ends, is_required, fields })
    }
}

/// A model whose keys and relations still go by name.
struct Draft<'a> {
    at: At<'a>,
    name: String,
    fields: Vec<Field>,
    /// The foreign keys that no field of the JSON declares.
    implied: Vec<String>,
    key: Vec<String>,
    relations: Vec<DraftRelation<'a>>,
}

#[derive(Clone)]
struct DraftRelation<'a> {
    at: At<'a>,
    name: String,
    kind: RelationKind,
    target: usize,
    /// The foreign key, or the relation of the target that goes by it.
    ends: Vec<String>,
    is_required: bool,
    /// The foreign key.
    fields: Vec<String>,
}

/// Finds every foreign key, and adds those that are implied. What belongs goes first: the other
/// side may name it.
fn resolve(drafts: &mut [Draft<'_>]) -> Read<()> {
    for is_by_target in [false, true] {
        for model in 0..drafts.len() {
            for place in 0..drafts[model].relations.len() {
                let relation = drafts[model].relations[place].clone();
                if relation.kind.is_held_by_target() == is_by_target {
                    let fields = foreign_key(drafts, model, &relation)?;
                    drafts[model].relations[place].fields = fields;
                }
            }
        }
    }
    Ok(())
}

fn foreign_key(
    drafts: &mut [Draft<'_>],
    model: usize,
    relation: &DraftRelation<'_>,
) -> Read<Vec<String>> {
    let is_held_by_target = relation.kind.is_held_by_target();
    let (holder, parent) =
        if is_held_by_target { (relation.target, model) } else { (model, relation.target) };
    if let ([end], true) = (&relation.ends[..], is_held_by_target) {
        let back = drafts[holder].relations.iter().find(|back| back.name == *end);
        match back {
            Some(back) if back.kind == RelationKind::BelongsTo && back.target == model => {
                return Ok(back.fields.clone());
            }
            Some(_) => {
                let (holder, owner) = (&drafts[holder].name, &drafts[model].name);
                return relation.at.wrong(format!(
                    "`associatedWith` names `{holder}.{end}`, which does not belong to `{owner}`"
                ));
            }
            None => {}
        }
    }
    let key = drafts[parent].key_fields()?;
    if key.len() != relation.ends.len() {
        let (of, key) = (&drafts[parent].name, drafts[parent].key.join(", "));
        return relation.at.wrong(format!(
            "has the foreign key ({}) for the key ({key}) of `{of}`; have Amplify's codegen write \
             every part (feature flag `respectPrimaryKeyAttributesOnConnectionField`)",
            relation.ends.join(", ")
        ));
    }
    for (name, part) in relation.ends.iter().zip(key) {
        let holder = &mut drafts[holder];
        if holder.relations.iter().any(|other| other.name == *name) {
            return relation.at.wrong(format!("names `{}.{name}`, a relation", holder.name));
        }
        if holder.fields.iter().all(|field| field.name != *name) {
            let mut field = Field::new(name.clone(), part.base);
            field.is_required = relation.is_required && !is_held_by_target;
            holder.fields.push(field);
            holder.implied.push(name.clone());
        }
    }
    Ok(relation.ends.clone())
}

impl Draft<'_> {
    fn key_fields(&self) -> Read<Vec<Field>> {
        let fields = self.key.iter().map(|name| {
            let found = self.fields.iter().find(|field| field.name == *name);
            match found {
                Some(part) if part.is_list || matches!(part.base, BaseType::Object(_)) => {
                    self.at.wrong(format!("its key names `{name}`, which is no single value"))
                }
                Some(part) => Ok(part.clone()),
                None => self.at.wrong(format!("its key names `{name}`, which it has not")),
            }
        });
        fields.collect()
    }

    fn ids(&self, at: &At<'_>, names: &[String]) -> Read<Vec<FieldId>> {
        let ids = names.iter().map(|name| {
            let found = self.fields.iter().position(|field| field.name == *name);
            let found = found.and_then(|found| u16::try_from(found).ok());
            let message = || format!("names the field `{name}`, which `{}` has not", self.name);
            found.map(FieldId).map_or_else(|| at.wrong(message()), Ok)
        });
        ids.collect()
    }

    fn model(&self) -> Read<Model> {
        let at = &self.at;
        let plural = at.optional("pluralName").map(|plural| plural.text()).transpose()?;
        let mut model = Model::new(&self.name, plural.unwrap_or(&self.name));
        if self.key.is_empty() {
            return at.wrong("its key has no field; leave the key out for `id`");
        }
        self.key_fields()?;
        model.key = self.ids(at, &self.key)?;
        model.fields.clone_from(&self.fields);
        for id in &model.key {
            model.fields[id.index()].is_required = true;
        }
        model.is_local = !at.flag("syncable")?.unwrap_or(true);
        model.formerly = at.formerly()?;
        for properties in at.attributes("key")? {
            if let Some(name) = properties.optional("name") {
                let query = properties.optional("queryField").map(|it| it.text()).transpose()?;
                let fields = properties.member("fields")?;
                model = model.index(name.text()?, self.ids(&fields, &fields.texts()?)?, query);
            }
        }
        Ok(model)
    }

    fn api(&self, model: &Model) -> Read<ModelApi> {
        let mut api = ModelApi::of(model);
        api.input_only = self.ids(&self.at, &self.implied)?.into_iter().collect();
        let Some(properties) = self.at.attributes("model")?.into_iter().next() else {
            return Ok(api);
        };
        if let Some(stamps) = properties.optional("timestamps") {
            let stamp = |name: &str| match stamps.optional(name) {
                Some(at) => self.ids(&at, &[at.text()?.to_owned()]).map(|ids| ids.first().copied()),
                None => Ok(None),
            };
            (api.created_at, api.updated_at) = (stamp("createdAt")?, stamp("updatedAt")?);
        }
        if let Some(level) =
            properties.optional("subscriptions").and_then(|it| it.optional("level"))
        {
            api.level = match level.text()? {
                "public" => SubscriptionLevel::Public,
                "off" => SubscriptionLevel::Off,
                _ => SubscriptionLevel::On,
            };
        }
        Ok(api)
    }

    fn finish(&self, drafts: &[Draft<'_>]) -> Read<(Model, ModelApi)> {
        let mut model = self.model()?;
        let api = self.api(&model)?;
        for relation in &self.relations {
            let holder =
                if relation.kind.is_held_by_target() { &drafts[relation.target] } else { self };
            let fields = holder.ids(&relation.at, &relation.fields)?;
            let target = ModelId(u16::try_from(relation.target).unwrap_or(u16::MAX));
            model = model.relation(&relation.name, relation.kind, target, fields);
        }
        Ok((model, api))
    }
}
