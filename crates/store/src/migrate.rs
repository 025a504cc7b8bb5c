//! From one schema to the next. A log stays as it was written; its records are read in the sense
//! of the schema that the app has now.
//!
//! A model or field is the same as before when it has the same name, or when its `@renamed(from:)`
//! names one that the schema before had and that has not its new name beside it. Names are followed
//! through every layout that the log has seen, so that what was renamed twice is still known. An
//! older version of the app recognises what the newer one has renamed, by the same directive. A
//! field that a layout lacks and a later one has again comes back with what was stored, if that is
//! of the new type.
//!
//! Types may become wider: `T!` to `T`, `T` to `[T]`, `Int` to `Float` or `AWSTimestamp`, and what
//! is a value of its own to `String` or `ID`, as it would be written. What becomes required takes
//! its `@default` where there is nothing. All else is [refused](Refusal), and so is a model that
//! goes while changes to its records wait to be sent. Keys keep their fields: a record's key is how
//! every device and the server know it.
//!
//! Waiting changes are read alike: the fields to write, the values they had, the record they are
//! made on. What waits for a field that is gone is dropped with it. Additions to a number that has
//! become a text become the sum as text.

use std::collections::BTreeMap;
use std::fmt;

use espressync_model::{BaseType, Field, FieldId, ModelId, ObjectId, Scalar, Schema, Value};

use crate::layout::{LaidModel, Layout};
use crate::{Pending, PendingField};

/// Why what a device holds cannot become what a schema says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The model, or the embedded type.
    pub owner: String,
    /// The field; `None` where the model as a whole is meant.
    pub field: Option<String>,
    /// What there is now, as SDL says it.
    pub from: String,
    /// What there is to be.
    pub to: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.iter().map(|field| format!(".{field}")).collect::<String>();
        let Self { owner, from, to, advice, .. } = self;
        write!(out, "{owner}{field} cannot go from {from} to {to}: {advice}")
    }
}

impl Layout {
    /// Judges whether what was written in this layout can be read in the sense of a schema, before
    /// anything is touched. A layout that knows no types is not judged.
    ///
    /// # Errors
    /// All that cannot be.
    pub fn plan(&self, schema: &Schema) -> Result<(), Vec<Refusal>> {
        let mut refusals = Vec::new();
        if self.is_typed {
            self.judge(&Self::of(schema), &mut refusals);
        }
        if refusals.is_empty() { Ok(()) } else { Err(refusals) }
    }

    fn judge(&self, next: &Self, refusals: &mut Vec<Refusal>) {
        let places = same_models(&self.models, &next.models);
        for (old, place) in self.models.iter().zip(places) {
            let Some(new) = place.and_then(|place| next.models.get(place)) else { continue };
            if let Some(refusal) = self.refused_key(old, next, new) {
                refusals.push(refusal);
                continue;
            }
            self.judge_fields(
                &new.name,
                (&old.fields, next, &new.fields),
                &mut Vec::new(),
                refusals,
            );
        }
    }

    fn refused_key(&self, old: &LaidModel, next: &Self, new: &LaidModel) -> Option<Refusal> {
        let places = same_fields(&old.fields, &new.fields);
        let mapped = old.key.iter().map(|field| places.get(field.index()).copied().flatten());
        let is_same = mapped.eq(new.key.iter().map(|field| Some(field.index())));
        let kind = |layout: &Self, fields: &[Field], key: &[FieldId]| {
            let parts = key.iter().filter_map(|field| fields.get(field.index()));
            let parts: Vec<String> =
                parts.map(|field| format!("{}: {}", field.name, layout.type_of(field))).collect();
            format!("the key ({})", parts.join(", "))
        };
        let is_text =
            |field: &Field| matches!(field.base, BaseType::Scalar(Scalar::Id | Scalar::String));
        let parts = old.key.iter().zip(&new.key);
        let mut parts = parts.map(|(a, b)| (old.fields.get(a.index()), new.fields.get(b.index())));
        let is_alike = parts.all(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => a.base == b.base || (is_text(a) && is_text(b)),
            _ => false,
        });
        (!(is_same && is_alike)).then(|| Refusal {
            owner: new.name.clone(),
            field: None,
            from: kind(self, &old.fields, &old.key),
            to: kind(next, &new.fields, &new.key),
            advice: "keep the key, or make a new model for the new key".to_owned(),
        })
    }

    fn judge_fields(
        &self,
        owner: &str,
        (old, next, new): (&[Field], &Self, &[Field]),
        seen: &mut Vec<(ObjectId, ObjectId)>,
        refusals: &mut Vec<Refusal>,
    ) {
        let places = same_fields(old, new);
        let mut refuse = |field: &Field, from: String, advice: &str| {
            refusals.push(Refusal {
                owner: owner.to_owned(),
                field: Some(field.name.clone()),
                from,
                to: next.type_of(field),
                advice: advice.to_owned(),
            });
        };
        let mut within = Vec::new();
        for (field, place) in new.iter().zip(0..) {
            let before = places.iter().position(|found| *found == Some(place));
            let Some(before) = before.and_then(|before| old.get(before)) else {
                if is_lacking(field) {
                    refuse(field, "nothing".to_owned(), GIVE_A_DEFAULT);
                }
                continue;
            };
            if let Some(advice) = self.refusal(before, next, field) {
                refuse(field, self.type_of(before), advice);
            }
            if let (BaseType::Object(a), BaseType::Object(b)) = (before.base, field.base) {
                within.push((a, b));
            }
        }
        for pair in within {
            if seen.contains(&pair) {
                continue;
            }
            seen.push(pair);
            let found = (self.objects.get(pair.0.index()), next.objects.get(pair.1.index()));
            if let (Some(a), Some(b)) = found {
                self.judge_fields(&b.name, (&a.fields, next, &b.fields), seen, refusals);
            }
        }
    }

    /// Why a field cannot become another, as advice.
    fn refusal(&self, old: &Field, next: &Self, new: &Field) -> Option<&'static str> {
        let is_narrower = old.is_list && !new.is_list;
        if is_narrower || !self.widens(old.base, next, new.base) {
            return Some("keep the type, and make a new field of the new one");
        }
        let lost_nulls = !old.is_element_required && new.is_element_required;
        if old.is_list && lost_nulls {
            return Some("allow nothing among the elements, for there may be such");
        }
        let may_be_null = !old.is_required || old.is_read_only;
        (may_be_null && is_lacking(new)).then_some(GIVE_A_DEFAULT)
    }

    fn widens(&self, old: BaseType, next: &Self, new: BaseType) -> bool {
        match (old, new) {
            (BaseType::Scalar(old), BaseType::Scalar(new)) => {
                old == new
                    || matches!(new, Scalar::String | Scalar::Id)
                    || matches!((old, new), (Scalar::Int, Scalar::Float | Scalar::AwsTimestamp))
            }
            (BaseType::Enum(_), BaseType::Scalar(new)) => new == Scalar::String,
            (BaseType::Enum(old), BaseType::Enum(new)) => {
                let found = (self.enums.get(old.index()), next.enums.get(new.index()));
                matches!(found, (Some(old), Some(new))
                    if old.values.iter().all(|value| new.values.contains(value)))
            }
            (BaseType::Object(_), BaseType::Object(_)) => true,
            (BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_), _) => false,
        }
    }

    /// A field's type as SDL says it.
    fn type_of(&self, field: &Field) -> String {
        let name = match field.base {
            BaseType::Scalar(scalar) => scalar.name(),
            BaseType::Enum(id) => self.enums.get(id.index()).map_or("?", |found| &found.name),
            BaseType::Object(id) => self.objects.get(id.index()).map_or("?", |found| &found.name),
        };
        let mark = |is_required| if is_required { "!" } else { "" };
        let required = mark(field.is_required);
        match field.is_list {
            true => format!("[{name}{}]{required}", mark(field.is_element_required)),
            false => format!("{name}{required}"),
        }
    }

    /// Which of a later layout's fields of a model this one has not.
    pub(crate) fn lacks(&self, next: &Self, model: &str) -> bool {
        let Some(place) = next.models.iter().position(|known| known.name == model) else {
            return false;
        };
        let models = same_models(&self.models, &next.models);
        let old = models.iter().position(|found| *found == Some(place));
        let old = old.map_or(&[][..], |old| &self.models[old].fields);
        let new = &next.models[place].fields;
        let places = same_fields(old, new);
        (0..new.len()).any(|place| !places.contains(&Some(place)))
    }
}

const GIVE_A_DEFAULT: &str = "make it optional, or give it a @default for what there is already";

/// Whether a field must have a value and nothing says which.
fn is_lacking(field: &Field) -> bool {
    field.is_required && !field.is_read_only && !field.is_list && field.default.is_none()
}

/// What a model or field is called, and was.
#[derive(Clone, Copy)]
struct Names<'a> {
    name: &'a str,
    formerly: &'a [String],
}

fn same_models(old: &[LaidModel], new: &[LaidModel]) -> Vec<Option<usize>> {
    same(&model_names(old), &model_names(new))
}

fn same_fields(old: &[Field], new: &[Field]) -> Vec<Option<usize>> {
    same(&field_names(old), &field_names(new))
}

fn model_names(models: &[LaidModel]) -> Vec<Names<'_>> {
    models.iter().map(|it| Names { name: &it.name, formerly: &it.formerly }).collect()
}

fn field_names(fields: &[Field]) -> Vec<Names<'_>> {
    fields.iter().map(|it| Names { name: &it.name, formerly: &it.formerly }).collect()
}

/// Where each of the old is among the new.
fn same(old: &[Names<'_>], new: &[Names<'_>]) -> Vec<Option<usize>> {
    let has = |all: &[Names<'_>], name: &str| all.iter().any(|known| known.name == name);
    let mut places = vec![None; old.len()];
    let mut taken = vec![false; new.len()];
    let mut take = |old: usize, new: usize| {
        if places[old].is_none() && !taken[new] {
            (places[old], taken[new]) = (Some(new), true);
        }
    };
    for (place, names) in new.iter().enumerate().filter(|(_, names)| !has(old, names.name)) {
        let mut former = names.formerly.iter();
        let found = former.find_map(|name| old.iter().position(|known| known.name == name));
        if let Some(found) = found {
            take(found, place);
        }
    }
    for (position, names) in old.iter().enumerate() {
        if let Some(place) = new.iter().position(|known| known.name == names.name) {
            take(position, place);
        }
    }
    for (position, names) in old.iter().enumerate().filter(|(_, names)| !has(new, names.name)) {
        let mut former = names.formerly.iter();
        let found = former.find_map(|name| new.iter().position(|known| known.name == name));
        if let Some(found) = found {
            take(position, found);
        }
    }
    places
}

/// Where each of the first is among the last, by way of those between. What one lacks keeps its
/// name until another has it.
fn followed<'a>(first: Vec<Names<'a>>, then: &[Vec<Names<'a>>]) -> Vec<Option<usize>> {
    let mut names = first;
    let mut places = vec![None; names.len()];
    for next in then {
        places = same(&names, next);
        for (names, place) in names.iter_mut().zip(&places) {
            if let Some(place) = place {
                *names = next[*place];
            }
        }
    }
    places
}

/// From a layout's positions to a schema's; `None` where the schema has no such thing any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Translation {
    models: Vec<Option<TranslatedModel>>,
    objects: BTreeMap<(ObjectId, ObjectId), Vec<TranslatedField>>,
    /// The schema's embedded types, where any value changes.
    schema: Schema,
}

#[derive(Debug, Clone)]
pub(crate) struct TranslatedModel {
    pub(crate) id: ModelId,
    name: String,
    /// A row of the schema's model in which nothing is stored yet.
    pub(crate) blank: Vec<Value>,
    fields: Vec<TranslatedField>,
}

#[derive(Debug, Clone, Default)]
struct TranslatedField {
    place: Option<FieldId>,
    change: Option<Box<Change>>,
}

/// A field that may be of another type now.
#[derive(Debug, Clone)]
struct Change {
    old: Field,
    new: Field,
    is_typed: bool,
}

impl Translation {
    /// From a layout to a schema, by way of those that the log has between them.
    pub(crate) fn new(layout: &Layout, between: &[&Layout], schema: &Schema) -> Self {
        let target = Layout::of(schema);
        if *layout == target {
            return Self::same(&target);
        }
        let mut translation = Self { schema: schema.clone(), ..Self::default() };
        let chain: Vec<&Layout> = between.iter().copied().chain([&target]).collect();
        let names: Vec<_> = chain.iter().map(|next| model_names(&next.models)).collect();
        let steps: Vec<_> = (1..=chain.len())
            .map(|count| followed(model_names(&layout.models), &names[..count]))
            .collect();
        for (position, old) in layout.models.iter().enumerate() {
            let at = |step: usize| {
                let place = steps[step].get(position).copied().flatten()?;
                chain[step].models.get(place).map(|model| (place, model))
            };
            let translated = at(chain.len() - 1).map(|(place, new)| {
                let fields: Vec<_> = (0..chain.len())
                    .map(|step| at(step).map_or_else(Vec::new, |(_, it)| field_names(&it.fields)))
                    .collect();
                let places = followed(field_names(&old.fields), &fields);
                translation.model(layout, old, (place, new), &places)
            });
            translation.models.push(translated);
        }
        translation
    }

    fn same(layout: &Layout) -> Self {
        let models = layout.models.iter().zip(ModelId::first(layout.models.len()));
        let models = models.map(|(model, id)| {
            let fields = FieldId::first(model.fields.len());
            let fields = fields.map(|id| TranslatedField { place: Some(id), change: None });
            let blank = vec![Value::Null; model.fields.len()];
            Some(TranslatedModel { id, name: model.name.clone(), blank, fields: fields.collect() })
        });
        Self { models: models.collect(), ..Self::default() }
    }

    fn model(
        &mut self,
        layout: &Layout,
        old: &LaidModel,
        (place, new): (usize, &LaidModel),
        places: &[Option<usize>],
    ) -> TranslatedModel {
        let fields = self.fields(layout, &old.fields, &new.fields, places);
        TranslatedModel {
            id: ModelId::first(place + 1).last().unwrap_or(ModelId(0)),
            name: new.name.clone(),
            blank: blank(&new.fields, places),
            fields,
        }
    }

    fn fields(
        &mut self,
        layout: &Layout,
        old: &[Field],
        new: &[Field],
        places: &[Option<usize>],
    ) -> Vec<TranslatedField> {
        let ids: Vec<FieldId> = FieldId::first(new.len()).collect();
        let fields = old.iter().zip(places).map(|(old, place)| {
            let Some(place) = *place else { return TranslatedField::default() };
            let new = &new[place];
            if let (true, BaseType::Object(a), BaseType::Object(b)) =
                (layout.is_typed, old.base, new.base)
            {
                self.object(layout, a, b);
            }
            let is_same = layout.is_typed
                && !matches!(old.base, BaseType::Object(_) | BaseType::Enum(_))
                && (old.base, old.is_list, old.is_required, old.is_element_required)
                    == (new.base, new.is_list, new.is_required, new.is_element_required);
            let (old, new, is_typed) = (old.clone(), new.clone(), layout.is_typed);
            let change = (!is_same).then(|| Box::new(Change { old, new, is_typed }));
            TranslatedField { place: ids.get(place).copied(), change }
        });
        fields.collect()
    }

    fn object(&mut self, layout: &Layout, old: ObjectId, new: ObjectId) {
        let Some(before) = layout.objects.get(old.index()) else { return };
        if self.objects.contains_key(&(old, new)) {
            return;
        }
        self.objects.insert((old, new), Vec::new());
        let after = self.schema.object(new).fields.clone();
        let places = same_fields(&before.fields, &after);
        let fields = self.fields(layout, &before.fields, &after, &places);
        self.objects.insert((old, new), fields);
    }

    pub(crate) fn at(&self, position: usize) -> Option<&TranslatedModel> {
        self.models.get(position)?.as_ref()
    }

    /// Where a field is now.
    pub(crate) fn place(model: &TranslatedModel, position: usize) -> Option<FieldId> {
        model.fields.get(position)?.place
    }

    /// A field's value now.
    pub(crate) fn value(&self, model: &TranslatedModel, position: usize, value: Value) -> Value {
        match model.fields.get(position).and_then(|field| field.change.as_deref()) {
            Some(change) => self.changed(&model.name, change, value),
            None => value,
        }
    }

    /// Whether what is added to a field can still be, for it is a number.
    fn is_number(model: &TranslatedModel, field: FieldId) -> bool {
        let field = model.fields.iter().find(|known| known.place == Some(field));
        let new = field.and_then(|field| field.change.as_deref()).map(|change| &change.new);
        new.is_none_or(|new| {
            let numbers = [Scalar::Int, Scalar::Float, Scalar::AwsTimestamp];
            !new.is_list && numbers.map(BaseType::Scalar).contains(&new.base)
        })
    }

    /// What waited for a record, where additions have lost the number that they are for.
    pub(crate) fn settle(&self, model: &TranslatedModel, pending: &mut Pending) {
        let fields: Vec<FieldId> = pending.additions.keys().copied().collect();
        for field in fields.into_iter().filter(|field| !Self::is_number(model, *field)) {
            let Some(amount) = pending.additions.remove(&field) else { continue };
            let waits = pending.fields.get(&field).map(|waits| waits.value.clone());
            let base = pending.base.as_ref().map(|base| base.row.get(field).clone());
            let before = number_of(&waits.or(base).unwrap_or_default());
            let sum = before.plus(&amount).unwrap_or(amount);
            let position = model.fields.iter().position(|known| known.place == Some(field));
            let value = self.value(model, position.unwrap_or(usize::MAX), sum);
            let earlier = pending.fields.remove(&field).map(|waits| waits.earlier);
            let earlier = earlier.unwrap_or_default();
            pending.fields.insert(field, PendingField { value, earlier });
        }
        if let Some(attempt) = &mut pending.attempt {
            attempt.additions.retain(|field, _| Self::is_number(model, *field));
            if attempt.additions.is_empty() && pending.additions.is_empty() {
                pending.attempt = None;
                pending.is_attempted = true;
            }
        }
    }

    fn changed(&self, owner: &str, change: &Change, value: Value) -> Value {
        let Change { old, new, is_typed } = change;
        let value = match value {
            Value::Null if old.is_required && *is_typed => return Value::Null,
            Value::Null => return filling(new),
            Value::List(elements) if new.is_list => {
                let elements = elements.iter().map(|it| self.element(old, new, it.clone()));
                Value::List(elements.collect())
            }
            list @ Value::List(_) => list,
            one @ (Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Object(_)) => {
                let one = self.element(old, new, one);
                if new.is_list { Value::List([one].into()) } else { one }
            }
        };
        // What a later schema says anew of a field that was gone need not fit what was there.
        let fits = !is_typed || self.schema.check_value(owner, new, &value).is_ok();
        if fits { value } else { filling(new) }
    }

    fn element(&self, old: &Field, new: &Field, value: Value) -> Value {
        match (new.base, value) {
            (BaseType::Scalar(Scalar::Float), value @ Value::Int(_)) => {
                value.as_number().map_or(Value::Null, Value::Float)
            }
            (BaseType::Scalar(Scalar::String | Scalar::Id), value) => match value {
                Value::Int(number) => Value::from(number.to_string()),
                Value::Float(number) => Value::from(number.to_string()),
                Value::Bool(truth) => Value::from(truth.to_string()),
                other @ (Value::Null | Value::Text(_) | Value::List(_) | Value::Object(_)) => other,
            },
            (BaseType::Object(id), Value::Object(members)) => self.members(old, id, &members),
            (_, value) => value,
        }
    }

    fn members(&self, old: &Field, id: ObjectId, members: &[Value]) -> Value {
        let known = match old.base {
            BaseType::Object(before) => self.objects.get(&(before, id)),
            BaseType::Scalar(_) | BaseType::Enum(_) => None,
        };
        let Some(fields) = known else { return Value::Object(members.into()) };
        let object = self.schema.object(id);
        let places = fields.iter().map(|field| field.place.map(FieldId::index));
        let mut values = blank(&object.fields, &places.collect::<Vec<_>>());
        for (field, value) in fields.iter().zip(members) {
            let Some(place) = field.place else { continue };
            values[place.index()] = match &field.change {
                Some(change) => self.changed(&object.name, change, value.clone()),
                None => value.clone(),
            };
        }
        Value::Object(values.into())
    }
}

/// Values for these fields, of which nothing but what is new and required is there yet.
fn blank(fields: &[Field], places: &[Option<usize>]) -> Vec<Value> {
    let fields = fields.iter().enumerate();
    fields
        .map(|(place, field)| match places.contains(&Some(place)) {
            true => Value::Null,
            false => filling(field),
        })
        .collect()
}

/// What a field holds where there was nothing.
fn filling(field: &Field) -> Value {
    match &field.default {
        _ if !field.is_required => Value::Null,
        Some(value) => value.clone(),
        None if field.is_list => Value::List([].into()),
        None => Value::Null,
    }
}

/// The number that a text was before it became one.
fn number_of(value: &Value) -> Value {
    let Value::Text(text) = value else { return value.clone() };
    let whole = text.parse().map(Value::Int);
    whole.or_else(|_| text.parse().map(Value::Float)).unwrap_or_default()
}
