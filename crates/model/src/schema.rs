use crate::{Key, ModelError, Row, Scalar, Value};

/// A model's position in its [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub u16);

/// A field's position in its [`Model`] or [`ObjectType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u16);

/// An enum's position in its [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnumId(pub u16);

/// A non-model type's position in its [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u16);

/// A relation's position in its [`Model`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub u16);

macro_rules! position {
    ($($id:ident),+) => {$(
        impl $id {
            /// The position as an index.
            #[must_use]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }

            /// The ids of the first `count` positions, in order.
            pub fn first(count: usize) -> impl Iterator<Item = Self> {
                (0..=u16::MAX).take(count).map(Self)
            }
        }
    )+};
}
position!(ModelId, FieldId, EnumId, ObjectId, RelationId);

/// What a field holds, lists and nulls apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaseType {
    /// A scalar.
    Scalar(Scalar),
    /// One of an enum's names.
    Enum(EnumId),
    /// A value of a non-model type.
    Object(ObjectId),
}

impl From<Scalar> for BaseType {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

/// A field that is stored: foreign keys are, relations are not (see [`Relation`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name in the schema.
    pub name: String,
    /// What it holds.
    pub base: BaseType,
    /// Whether it holds a list.
    pub is_list: bool,
    /// Whether it may not be null: `x: T!`, `x: [T]!`.
    pub is_required: bool,
    /// Whether a list's elements may not be null: `x: [T!]`.
    pub is_element_required: bool,
    /// Whether only the server writes it: the timestamps that `@model` adds.
    pub is_read_only: bool,
    /// The value of `@default`, which the server fills in on create.
    pub default: Option<Value>,
    /// The names it had before, of `@renamed`: what was stored under one of them is this field's.
    pub formerly: Vec<String>,
}

impl Field {
    /// An optional field that holds one value.
    pub fn new(name: impl Into<String>, base: impl Into<BaseType>) -> Self {
        Self {
            name: name.into(),
            base: base.into(),
            is_list: false,
            is_required: false,
            is_element_required: false,
            is_read_only: false,
            default: None,
            formerly: Vec::new(),
        }
    }

    /// This field, not null.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// This field as a list, with elements that may be null or not.
    #[must_use]
    pub fn list(mut self, is_element_required: bool) -> Self {
        self.is_list = true;
        self.is_element_required = is_element_required;
        self
    }

    /// This field, written by the server only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// This field with the value the server fills in on create.
    #[must_use]
    pub fn with_default(mut self, value: Value) -> Self {
        self.default = Some(value);
        self
    }

    /// This field, which was called so before.
    #[must_use]
    pub fn renamed(mut self, from: &[&str]) -> Self {
        self.formerly = from.iter().map(ToString::to_string).collect();
        self
    }
}

/// An index, of which the first field is the hash key and the rest sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<FieldId>,
    /// The query the server offers over it.
    pub query_field: Option<String>,
}

/// The kinds of relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// Many records of the target point here.
    HasMany,
    /// This record points at one of the target, which it owns.
    HasOne,
    /// One record of the target points here: the second generation's `@hasOne(references:)`.
    HasOneByReference,
    /// This record points at one of the target, to which it belongs.
    BelongsTo,
}

impl RelationKind {
    /// Whether the foreign key is the target's; else it is of the model with the relation.
    #[must_use]
    pub fn is_held_by_target(self) -> bool {
        matches!(self, Self::HasMany | Self::HasOneByReference)
    }
}

/// What becomes of the records at the other end of a has-many or has-one when a record is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnDelete {
    /// They are deleted too, before it, and theirs before them: as DataStore does (contract 6.1).
    #[default]
    Cascade,
    /// While there are any, it is not deleted.
    Restrict,
    /// They stay and point nowhere.
    SetNull,
}

/// A relation field: never stored, always derived from foreign keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name in the schema.
    pub name: String,
    /// Its kind.
    pub kind: RelationKind,
    /// The model at the other end.
    pub target: ModelId,
    /// The foreign key: fields of the model that [holds](RelationKind::is_held_by_target) it.
    pub fields: Vec<FieldId>,
    /// What a delete does to the other end, where this is a has-many or has-one.
    pub on_delete: OnDelete,
}

/// A type with `@model`: its records are stored, synced and versioned.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its plural, by the rules of npm's `pluralize` (contract 2.1).
    pub plural: String,
    /// The names it had before, of `@renamed`.
    pub formerly: Vec<String>,
    /// The stored fields, in the order of rows.
    pub fields: Vec<Field>,
    /// The fields of the primary key.
    pub key: Vec<FieldId>,
    /// The indexes.
    pub indexes: Vec<Index>,
    /// The relation fields.
    pub relations: Vec<Relation>,
    /// Whether its records stay on this device: nothing of them waits to be sent, nothing is asked
    /// for. What DataStore calls not `syncable`.
    pub is_local: bool,
}

impl Model {
    /// A model whose primary key is its first field.
    pub fn new(name: impl Into<String>, plural: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            plural: plural.into(),
            formerly: Vec::new(),
            fields: Vec::new(),
            key: vec![FieldId(0)],
            indexes: Vec::new(),
            relations: Vec::new(),
            is_local: false,
        }
    }

    /// This model, kept on this device.
    #[must_use]
    pub fn local(mut self) -> Self {
        self.is_local = true;
        self
    }

    /// This model, which was called so before.
    #[must_use]
    pub fn renamed(mut self, from: &[&str]) -> Self {
        self.formerly = from.iter().map(ToString::to_string).collect();
        self
    }

    /// This model with one more field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// This model with another primary key.
    #[must_use]
    pub fn keyed_by(mut self, fields: Vec<FieldId>) -> Self {
        self.key = fields;
        self
    }

    /// This model with one more index.
    #[must_use]
    pub fn index(
        mut self,
        name: impl Into<String>,
        fields: Vec<FieldId>,
        query_field: Option<&str>,
    ) -> Self {
        let query_field = query_field.map(ToOwned::to_owned);
        self.indexes.push(Index { name: name.into(), fields, query_field });
        self
    }

    /// This model with one more relation.
    #[must_use]
    pub fn relation(
        mut self,
        name: impl Into<String>,
        kind: RelationKind,
        target: ModelId,
        fields: Vec<FieldId>,
    ) -> Self {
        let on_delete = OnDelete::default();
        self.relations.push(Relation { name: name.into(), kind, target, fields, on_delete });
        self
    }

    /// What a row sets to point by this relation at a record of the target, given as a row, or
    /// nowhere. Nothing for a relation whose foreign key the target holds.
    #[must_use]
    pub fn link(&self, target: &Self, relation: RelationId, record: Option<&Row>) -> crate::Patch {
        let relation = self.relation_at(relation);
        let held = relation.fields.iter().zip(&target.key);
        let held = held.filter(|_| !relation.kind.is_held_by_target());
        held.map(|(field, key)| {
            let value = record.map_or(Value::Null, |record| record.get(*key).clone());
            (*field, value)
        })
        .collect()
    }

    /// The stored fields with their ids.
    pub fn fields(&self) -> impl Iterator<Item = (FieldId, &Field)> {
        FieldId::first(self.fields.len()).zip(&self.fields)
    }

    /// The id of a field.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`], with the names there are.
    pub fn field_named(&self, name: &str) -> Result<FieldId, ModelError> {
        let found = self.fields().find(|(_, field)| field.name == name);
        found.map(|(id, _)| id).ok_or_else(|| ModelError::UnknownField {
            model: self.name.clone(),
            field: name.to_owned(),
            known: names(self.fields.iter().map(|field| field.name.as_str())),
        })
    }

    /// The stored field of this id.
    ///
    /// # Panics
    /// When the id is of another model: ids come from the schema, so that is a bug.
    #[must_use]
    pub fn at(&self, field: FieldId) -> &Field {
        &self.fields[field.index()]
    }

    /// The relation fields with their ids.
    pub fn relations(&self) -> impl Iterator<Item = (RelationId, &Relation)> {
        RelationId::first(self.relations.len()).zip(&self.relations)
    }

    /// The id of a relation.
    ///
    /// # Errors
    /// [`ModelError::UnknownRelation`], with the names there are.
    pub fn relation_named(&self, name: &str) -> Result<RelationId, ModelError> {
        let found = self.relations().find(|(_, relation)| relation.name == name);
        found.map(|(id, _)| id).ok_or_else(|| self.unknown_relation(name.to_owned()))
    }

    /// The relation of this id.
    ///
    /// # Panics
    /// When the id is of another model: ids come from the schema, so that is a bug.
    #[must_use]
    pub fn relation_at(&self, relation: RelationId) -> &Relation {
        &self.relations[relation.index()]
    }

    /// Refuses a relation that the model has not.
    ///
    /// # Errors
    /// [`ModelError::UnknownRelation`].
    pub fn check_relation(&self, relation: RelationId) -> Result<(), ModelError> {
        if relation.index() < self.relations.len() {
            return Ok(());
        }
        Err(self.unknown_relation(format!("number {}", relation.0)))
    }

    /// Refuses a field that the model has not.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`].
    pub fn check_field(&self, field: FieldId) -> Result<(), ModelError> {
        crate::predicate::check_field(self, field)
    }

    fn unknown_relation(&self, relation: String) -> ModelError {
        ModelError::UnknownRelation {
            model: self.name.clone(),
            relation,
            known: names(self.relations.iter().map(|relation| relation.name.as_str())),
        }
    }

    /// Whether the key is the `id` that clients make up, so that two creates of one key are one
    /// create sent twice (contract 6.2).
    #[must_use]
    pub fn has_managed_id(&self) -> bool {
        matches!(self.key.as_slice(), [only] if self.at(*only).name == "id"
            && self.at(*only).base == BaseType::Scalar(Scalar::Id))
    }

    /// The primary key of a row.
    ///
    /// # Errors
    /// [`ModelError::MissingField`] when a part of the key is null or empty,
    /// [`ModelError::WrongType`] when it holds what separates the parts.
    pub fn key_of(&self, row: &Row) -> Result<Key, ModelError> {
        Key::of(self.key.iter().map(|field| row.get(*field))).ok_or_else(|| {
            if let Some(reserved) = self.reserved_in_key(|field| Some(row.get(field))) {
                return reserved;
            }
            let missing = self.key.iter().find(|field| row.get(**field).is_null());
            let field = missing.or(self.key.first()).map(|field| self.at(*field).name.clone());
            ModelError::MissingField { model: self.name.clone(), field: field.unwrap_or_default() }
        })
    }

    /// The primary key of these values, in the order of its fields.
    ///
    /// # Errors
    /// [`ModelError::KeyLength`] for more or fewer values, [`ModelError::WrongType`] for one of
    /// another type, and as [`Model::key_of`].
    pub fn key_from(&self, values: &[Value]) -> Result<Key, ModelError> {
        if values.len() != self.key.len() {
            return Err(ModelError::KeyLength {
                model: self.name.clone(),
                expected: names(self.key.iter().map(|field| self.at(*field).name.as_str())),
                found: values.len(),
            });
        }
        let mut row = vec![Value::Null; self.fields.len()];
        for (field, value) in self.key.iter().zip(values) {
            let operator = crate::Operator::Eq(value.clone());
            crate::Predicate::Field(*field, operator).check(self)?;
            row[field.index()] = value.clone();
        }
        self.key_of(&Row::new(row))
    }

    /// Refuses a field that the model has not, and one whose values have no order.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`], [`ModelError::NoOrder`].
    pub fn check_order(&self, field: FieldId) -> Result<(), ModelError> {
        crate::query::check_sort(self, field)
    }

    /// What is wrong with a key of these values, if one holds what separates the parts of keys.
    pub fn reserved_in_key<'a>(
        &self,
        value: impl Fn(FieldId) -> Option<&'a Value>,
    ) -> Option<ModelError> {
        let parts = self.key.iter().filter_map(|part| Some((*part, value(*part)?)));
        let (part, found) = parts.into_iter().find(|(_, value)| Key::is_reserved(value))?;
        Some(ModelError::WrongType {
            model: self.name.clone(),
            field: self.at(part).name.clone(),
            expected: "a key without the control character U+001F".to_owned(),
            found: found.to_string(),
        })
    }

    /// Checks a row against the schema: its length, required fields, types, enum names, the key.
    ///
    /// # Errors
    /// The first thing that does not fit, by name.
    pub fn check(&self, schema: &Schema, row: &Row) -> Result<(), ModelError> {
        if row.values().len() != self.fields.len() {
            return Err(ModelError::RowLength {
                model: self.name.clone(),
                expected: self.fields.len(),
                found: row.values().len(),
            });
        }
        for (id, field) in self.fields() {
            schema.check_value(&self.name, field, row.get(id))?;
        }
        self.key_of(row).map(|_| ())
    }
}

/// One enum of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumType {
    /// Its name.
    pub name: String,
    /// Its values' names.
    pub values: Vec<String>,
}

/// A type without `@model`, embedded in the records that use it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectType {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// All models, enums and non-model types of an API.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    models: Vec<Model>,
    enums: Vec<EnumType>,
    objects: Vec<ObjectType>,
    texts: Option<TextCheck>,
}

/// Says whether a text is of a scalar's format.
#[derive(Debug, Clone, Copy)]
struct TextCheck(fn(Scalar, &str) -> bool);

/// There is one such check in a program, or none.
impl PartialEq for TextCheck {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Schema {
    /// A schema of these models.
    #[must_use]
    pub fn new(models: Vec<Model>) -> Self {
        Self { models, ..Self::default() }
    }

    /// This schema with these enums.
    #[must_use]
    pub fn with_enums(mut self, enums: Vec<EnumType>) -> Self {
        self.enums = enums;
        self
    }

    /// This schema with these non-model types.
    #[must_use]
    pub fn with_objects(mut self, objects: Vec<ObjectType>) -> Self {
        self.objects = objects;
        self
    }

    /// This schema with every model kept on this device: a store without a server.
    #[must_use]
    pub fn local(mut self) -> Self {
        self.models.iter_mut().for_each(|model| model.is_local = true);
        self
    }

    /// This schema, which has [`Schema::check_written`] ask `fits` whether a text is of its
    /// scalar's format. What only such checks need stays out of the wasm of those who do not ask.
    #[must_use]
    pub fn checking(mut self, fits: fn(Scalar, &str) -> bool) -> Self {
        self.texts = Some(TextCheck(fits));
        self
    }

    /// This schema with another choice of what a delete does to the other end of a relation.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`], [`ModelError::UnknownRelation`].
    pub fn on_delete(
        mut self,
        model: &str,
        relation: &str,
        choice: OnDelete,
    ) -> Result<Self, ModelError> {
        let model = self.id_of(model)?;
        let relation = self.model(model).relation_named(relation)?;
        self.models[model.index()].relations[relation.index()].on_delete = choice;
        Ok(self)
    }

    /// All models with their ids.
    pub fn models(&self) -> impl Iterator<Item = (ModelId, &Model)> {
        ModelId::first(self.models.len()).zip(&self.models)
    }

    /// All enums.
    #[must_use]
    pub fn enums(&self) -> &[EnumType] {
        &self.enums
    }

    /// All non-model types.
    #[must_use]
    pub fn objects(&self) -> &[ObjectType] {
        &self.objects
    }

    /// The model of this id.
    ///
    /// # Panics
    /// When the id is of another schema: ids come from the schema, so that is a bug.
    #[must_use]
    pub fn model(&self, model: ModelId) -> &Model {
        &self.models[model.index()]
    }

    /// The model of an id that may be another schema's.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`].
    pub fn known(&self, model: ModelId) -> Result<&Model, ModelError> {
        self.models.get(model.index()).ok_or_else(|| ModelError::UnknownModel {
            name: format!("number {}", model.0),
            known: names(self.models.iter().map(|model| model.name.as_str())),
        })
    }

    /// The id of a model.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`], with the names there are.
    pub fn id_of(&self, name: &str) -> Result<ModelId, ModelError> {
        let found = self.models().find(|(_, model)| model.name == name);
        found.map(|(id, _)| id).ok_or_else(|| ModelError::UnknownModel {
            name: name.to_owned(),
            known: names(self.models.iter().map(|model| model.name.as_str())),
        })
    }

    /// The model of this name.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`], with the names there are.
    pub fn model_named(&self, name: &str) -> Result<&Model, ModelError> {
        self.id_of(name).map(|id| self.model(id))
    }

    /// The enum of this id.
    #[must_use]
    pub fn enum_type(&self, id: EnumId) -> &EnumType {
        &self.enums[id.index()]
    }

    /// The non-model type of this id.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> &ObjectType {
        &self.objects[id.index()]
    }

    /// The SDL name of a field's base type.
    #[must_use]
    pub fn type_name(&self, base: BaseType) -> &str {
        match base {
            BaseType::Scalar(scalar) => scalar.name(),
            BaseType::Enum(id) => &self.enum_type(id).name,
            BaseType::Object(id) => &self.object(id).name,
        }
    }

    /// Checks one value against its field.
    ///
    /// # Errors
    /// [`ModelError::MissingField`] or [`ModelError::WrongType`], naming `owner` and the field.
    pub fn check_value(&self, owner: &str, field: &Field, value: &Value) -> Result<(), ModelError> {
        if value.is_null() {
            // What only the server fills in is missing until it has.
            return if field.is_required && !field.is_read_only {
                Err(ModelError::MissingField { model: owner.into(), field: field.name.clone() })
            } else {
                Ok(())
            };
        }
        if let (false, BaseType::Object(id), Value::Object(values)) =
            (field.is_list, field.base, value)
        {
            let object = self.object(id);
            if values.len() == object.fields.len() {
                let mut members = object.fields.iter().zip(values.iter());
                return members
                    .try_for_each(|(field, value)| self.check_value(&object.name, field, value));
            }
        }
        let fits = match (field.is_list, value) {
            (true, Value::List(elements)) => elements.iter().all(|element| {
                if element.is_null() {
                    !field.is_element_required
                } else {
                    self.accepts(field.base, element)
                }
            }),
            (true, _) => false,
            (false, value) => self.accepts(field.base, value),
        };
        if fits { Ok(()) } else { Err(self.wrong_type(owner, field, value)) }
    }

    fn accepts(&self, base: BaseType, value: &Value) -> bool {
        match (base, value) {
            (BaseType::Scalar(scalar), value) => scalar.accepts(value),
            (BaseType::Enum(id), Value::Text(name)) => {
                self.enum_type(id).values.iter().any(|known| **known == **name)
            }
            (BaseType::Object(id), Value::Object(values)) => {
                let object = self.object(id);
                values.len() == object.fields.len()
                    && (object.fields.iter().zip(values.iter()))
                        .all(|(field, value)| self.check_value(&object.name, field, value).is_ok())
            }
            (BaseType::Enum(_) | BaseType::Object(_), _) => false,
        }
    }

    /// Checks the formats of AppSync's textual scalars in what is about to be written. Values that
    /// are stored already are not asked again: an older server may have taken them.
    ///
    /// # Errors
    /// [`ModelError::WrongType`], with an example of what was expected.
    #[cfg(feature = "formats")]
    pub fn check_formats(&self, model: &Model, written: &crate::Patch) -> Result<(), ModelError> {
        self.check_texts(model, written, crate::formats::fits)
    }

    /// Checks the texts that are about to be written, if this schema [does](Schema::checking).
    ///
    /// # Errors
    /// [`ModelError::WrongType`], with an example of what was expected.
    pub fn check_written(&self, model: &Model, written: &crate::Patch) -> Result<(), ModelError> {
        match self.texts {
            Some(TextCheck(fits)) => self.check_texts(model, written, fits),
            None => Ok(()),
        }
    }

    /// Whether [`Schema::check_written`] has anything to ask.
    #[must_use]
    pub fn checks_texts(&self) -> bool {
        self.texts.is_some()
    }

    /// Checks every text of a scalar that has a format, in lists and embedded values too.
    ///
    /// # Errors
    /// [`ModelError::WrongType`] for the first that does not fit, with an example.
    pub fn check_texts(
        &self,
        model: &Model,
        written: &crate::Patch,
        fits: impl Fn(Scalar, &str) -> bool,
    ) -> Result<(), ModelError> {
        let mut fields = written.iter();
        fields.try_for_each(|(id, value)| self.check_text(&model.name, model.at(id), value, &fits))
    }

    fn check_text(
        &self,
        owner: &str,
        field: &Field,
        value: &Value,
        fits: &impl Fn(Scalar, &str) -> bool,
    ) -> Result<(), ModelError> {
        match (field.base, value) {
            (_, Value::List(elements)) => {
                let mut elements = elements.iter();
                elements.try_for_each(|element| self.check_text(owner, field, element, fits))
            }
            (BaseType::Object(id), Value::Object(values)) => {
                let object = self.object(id);
                let mut members = object.fields.iter().zip(values.iter());
                members.try_for_each(|(member, value)| {
                    self.check_text(&object.name, member, value, fits)
                })
            }
            (BaseType::Scalar(scalar), Value::Text(text)) if !fits(scalar, text) => {
                let example = scalar.example().unwrap_or_default();
                Err(ModelError::WrongType {
                    model: owner.to_owned(),
                    field: field.name.clone(),
                    expected: format!("{} (such as {example})", scalar.name()),
                    found: value.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    fn wrong_type(&self, owner: &str, field: &Field, found: &Value) -> ModelError {
        let name = self.type_name(field.base);
        ModelError::WrongType {
            model: owner.to_owned(),
            field: field.name.clone(),
            expected: if field.is_list { format!("[{name}]") } else { name.to_owned() },
            found: found.to_string(),
        }
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Model::new("Product", "Products")
                .field(Field::new("id", Scalar::Id).required())
                .field(Field::new("price", Scalar::Float).required())
                .field(Field::new("tags", Scalar::String).list(true))
                .field(Field::new("size", BaseType::Enum(EnumId(0))))
                .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only()),
        ])
        .with_enums(vec![EnumType { name: "Size".into(), values: vec!["SMALL".into()] }])
    }

    fn check(values: [Value; 5], expected: Option<&str>) {
        let schema = schema();
        let result = schema.models[0].check(&schema, &Row::new(values.to_vec()));
        assert_eq!(result.err().map(|error| error.to_string()).as_deref(), expected);
    }

    #[test]
    fn a_row_is_checked_by_name() {
        let n = || Value::Null;
        let id = || Value::from("p");
        let price = || Value::from(2.5);
        check([id(), price(), n(), n(), n()], None);
        check([id(), price(), vec!["a"].into(), "SMALL".into(), n()], None);
        let missing = "Product.price is required; set it before saving";
        check([id(), n(), n(), n(), n()], Some(missing));
        let missing = "Product.id is required; set it before saving";
        check(["".into(), price(), n(), n(), n()], Some(missing));
        let text = "Product.price should be Float, found \"2.5\"";
        check([id(), "2.5".into(), n(), n(), n()], Some(text));
        let list = "Product.tags should be [String], found a list of 1";
        check([id(), price(), Value::List([n()].into()), n(), n()], Some(list));
        let size = "Product.size should be Size, found \"HUGE\"";
        check([id(), price(), n(), "HUGE".into(), n()], Some(size));
        let nan = "Product.price should be Float, found NaN";
        check([id(), f64::NAN.into(), n(), n(), n()], Some(nan));
    }

    #[test]
    fn what_is_inside_of_a_value_is_named() {
        let place = ObjectType {
            name: "Place".into(),
            fields: vec![Field::new("street", Scalar::String).required()],
        };
        let shop = Model::new("Shop", "Shops")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("place", BaseType::Object(ObjectId(0))));
        let schema = Schema::new(vec![shop]).with_objects(vec![place]);
        let check = |street: Value, expected: &str| {
            let row = Row::new(vec!["s".into(), Value::Object([street].into())]);
            let error = schema.models[0].check(&schema, &row).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(Value::Null, "Place.street is required; set it before saving");
        check(7.into(), "Place.street should be String, found 7");
    }

    #[test]
    fn a_record_is_linked_by_the_key_of_another() {
        let id = || Field::new("id", Scalar::Id).required();
        let seat = Model::new("Seat", "Seats")
            .field(Field::new("hall", Scalar::Id).required())
            .field(Field::new("row", Scalar::Int).required())
            .keyed_by(vec![FieldId(0), FieldId(1)]);
        let (seats, tickets) = (ModelId(0), ModelId(1));
        let ticket = Model::new("Ticket", "Tickets")
            .field(id())
            .field(Field::new("seatHall", Scalar::Id))
            .field(Field::new("seatRow", Scalar::Int))
            .relation("seat", RelationKind::BelongsTo, seats, vec![FieldId(1), FieldId(2)])
            .relation("copies", RelationKind::HasMany, tickets, vec![FieldId(1)]);
        let taken = Row::new(vec!["a".into(), 7.into()]);
        let check = |relation: u16, record: Option<&Row>, expected: &[(u16, Value)]| {
            let patch = ticket.link(&seat, RelationId(relation), record);
            let set: Vec<(u16, Value)> =
                patch.iter().map(|(field, value)| (field.0, value.clone())).collect();
            assert_eq!(set, expected);
        };
        check(0, Some(&taken), &[(1, "a".into()), (2, 7.into())]);
        check(0, None, &[(1, Value::Null), (2, Value::Null)]);
        check(1, Some(&taken), &[]);
    }

    #[test]
    fn unknown_names_come_with_those_there_are() {
        let schema = schema();
        let error = schema.model_named("Prodcut").unwrap_err().to_string();
        assert_eq!(error, "there is no model `Prodcut` in the schema; it has Product");
        let error = schema.models[0].field_named("cost").unwrap_err().to_string();
        let expected = "`Product` has no field `cost`; it has id, price, tags, size, createdAt";
        assert_eq!(error, expected);
    }
}
