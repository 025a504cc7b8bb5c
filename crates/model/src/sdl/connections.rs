//! `@connection`, as the first transformers read it (contract 1.2, 1.4).
//!
//! With `fields`, the foreign key is declared. Without, the transformer added one that is part of
//! the inputs only; it lies on the side that holds one, or for a one-way list on the other. A
//! relation to one record belongs to it: so DataStore's models had it, where a has-one would
//! delete the other with this one. Only where both sides hold one and say which of them is
//! required, the optional side has the other.

use super::arguments::Arguments;
use super::directives::Directive;
use super::models::Draft;
use super::relations::{Form, Place, camel, foreign, places};
use super::{Problems, Result};
use crate::RelationKind;

/// The arguments of one `@connection`.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    name: Option<String>,
    key_field: Option<String>,
    sort_field: Option<String>,
    key_name: Option<String>,
    fields: Option<Vec<String>>,
}

impl Connection {
    /// The arguments, and the most records that a list shows.
    pub(super) fn read(directive: Directive<'_>) -> Result<(Self, Option<u32>)> {
        let known = ["name", "keyField", "sortField", "keyName", "limit", "fields"];
        let arguments = directive.takes(&known)?;
        let text = |name: &str| Ok(arguments.text(name)?.flatten().map(ToOwned::to_owned));
        let fields = arguments.texts("fields")?;
        let connection = Self {
            name: text("name")?,
            key_field: arguments.name("keyField")?.flatten().map(ToOwned::to_owned),
            sort_field: text("sortField")?,
            key_name: text("keyName")?,
            fields: fields.map(|names| names.into_iter().map(ToOwned::to_owned).collect()),
        };
        connection.check(&arguments)?;
        Ok((connection, arguments.count("limit")?))
    }

    fn check(&self, arguments: &Arguments<'_>) -> Result<()> {
        let is_old = self.name.is_some() || self.key_field.is_some() || self.sort_field.is_some();
        match (&self.fields, &self.key_name) {
            (Some(_), _) if is_old => arguments
                .wrong("`fields` excludes `name`, `keyField` and `sortField`, which make a key"),
            (None, Some(_)) => arguments.wrong("`keyName` goes with `fields`"),
            _ => Ok(()),
        }
    }
}

/// Turns every `@connection` into a relation whose foreign key is known or declared.
pub(super) fn settle(drafts: &mut [Draft], to: &mut Problems) {
    let all = places(drafts);
    let settled: Vec<(Place, Settled)> = all
        .into_iter()
        .filter_map(|place| {
            let connection = connection_of(place, drafts)?;
            Some((place, to.keep(Settled::of(place, connection, drafts))?))
        })
        .collect();
    for (place, settled) in settled {
        let added = settled.apply(place, drafts);
        to.keep(added);
    }
}

/// What a `@connection` comes to.
struct Settled {
    kind: RelationKind,
    form: Form,
    /// The foreign key that is not among `fields`.
    key: Option<AddedKey>,
}

struct AddedKey {
    name: String,
    is_required: bool,
    /// The index over it that a list needs, and what it is sorted by.
    index: Option<(String, Option<String>)>,
}

impl Settled {
    fn of(place: Place, connection: &Connection, drafts: &[Draft]) -> Result<Self> {
        let relation = place.of(drafts);
        let is_list = relation.kind == RelationKind::HasMany;
        if let Some(fields) = &connection.fields {
            if !is_list && connection.key_name.is_some() {
                return place.bad(drafts, "holds one record, which needs no `keyName`");
            }
            let index = connection.key_name.clone();
            let (kind, form) =
                (kind(place, drafts)?, Form::Fields { fields: fields.clone(), index });
            return Ok(Self { kind, form, key: None });
        }
        let partner = partner(place, connection, drafts)?;
        if is_list && partner.is_some_and(|other| is_many(other, drafts)) {
            return place.bad(drafts, "is many-to-many; use @manyToMany on both sides");
        }
        if !is_list && connection.sort_field.is_some() && partner.is_none() {
            return place.bad(drafts, "holds one record, which needs no `sortField`");
        }
        let key = AddedKey::of(place, connection, partner, drafts);
        Ok(Self { kind: kind(place, drafts)?, form: Form::Settled, key: Some(key) })
    }

    fn apply(self, place: Place, drafts: &mut [Draft]) -> Result<()> {
        let relation = place.of_mut(drafts);
        relation.kind = self.kind;
        relation.form = self.form;
        let Some(key) = self.key else { return Ok(()) };
        relation.names = vec![key.name.clone()];
        let parent = &drafts[place.parent(drafts)];
        let ([part], holder) = (&parent.key[..], place.holder(drafts)) else {
            let message = format!("needs `fields`, as the key of `{}` has several", parent.name);
            return place.bad(drafts, message);
        };
        let part = parent.field(part).cloned();
        if let (Some(part), None) = (part, drafts[holder].field(&key.name)) {
            let field = foreign(&part, key.name.clone(), key.is_required);
            drafts[holder].fields.push(field);
            drafts[holder].input_only.push(key.name.clone());
        }
        let Some((index, sort)) = key.index else { return Ok(()) };
        if let Some(sort) = sort.iter().find(|sort| drafts[holder].field(sort).is_none()) {
            let message = format!("names the `sortField` `{sort}`, which there is not");
            return place.bad(drafts, message);
        }
        drafts[holder].add_index(index, std::iter::once(key.name).chain(sort).collect());
        Ok(())
    }
}

impl AddedKey {
    fn of(place: Place, connection: &Connection, partner: Option<Place>, drafts: &[Draft]) -> Self {
        let relation = place.of(drafts);
        let is_list = relation.kind == RelationKind::HasMany;
        // Of a list and one value the side with one value holds the key and gives it its name.
        let other = partner.filter(|other| is_list != is_many(*other, drafts));
        let side = other.filter(|_| is_list).unwrap_or(place);
        let other_connection = other.and_then(|other| connection_of(other, drafts));
        let either = |field: fn(&Connection) -> &Option<String>| {
            let other = other_connection.and_then(|other| field(other).clone());
            field(connection).clone().or(other)
        };
        let (owner, field) = (&drafts[side.model].name, side.of(drafts));
        let usual = || camel(&[owner, &field.name, "id"]);
        let index = is_list.then(|| {
            let unnamed = || format!("{}.{}", drafts[place.model].name, relation.name);
            let name = connection.name.clone().unwrap_or_else(unnamed);
            (format!("gsi-{name}"), either(|connection| &connection.sort_field))
        });
        Self {
            name: either(|connection| &connection.key_field).unwrap_or_else(usual),
            is_required: field.is_required,
            index,
        }
    }
}

/// The other end of a connection with a name.
fn partner(place: Place, connection: &Connection, drafts: &[Draft]) -> Result<Option<Place>> {
    let Some(name) = &connection.name else { return Ok(None) };
    let mut others = place.back(drafts);
    others.retain(|other| {
        connection_of(*other, drafts).is_some_and(|other| other.name.as_ref() == Some(name))
    });
    match others[..] {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        _ => place.bad(drafts, format!("has the `name` \"{name}\", which more than two have")),
    }
}

/// What a connection is, by its own side and what leads back.
fn kind(place: Place, drafts: &[Draft]) -> Result<RelationKind> {
    let relation = place.of(drafts);
    if relation.kind == RelationKind::HasMany {
        return Ok(RelationKind::HasMany);
    }
    let mut back = place.back(drafts);
    back.retain(|other| match (connection_of(place, drafts), connection_of(*other, drafts)) {
        (Some(one), Some(other)) => one.name == other.name,
        _ => false,
    });
    if back.iter().any(|other| is_many(*other, drafts)) {
        return Ok(RelationKind::BelongsTo);
    }
    match back.first().map(|other| other.of(drafts)) {
        None => Ok(RelationKind::BelongsTo),
        Some(other) if other.is_required != relation.is_required => {
            let owns = !relation.is_required;
            Ok(if owns { RelationKind::HasOne } else { RelationKind::BelongsTo })
        }
        Some(other) => {
            let (other, model) = (&other.name, &drafts[relation.target.index()].name);
            let message = format!(
                "and `{model}.{other}` lead to each other; make one of them required (`!`), \
                 which says that it belongs to the other"
            );
            place.bad(drafts, message)
        }
    }
}

fn is_many(place: Place, drafts: &[Draft]) -> bool {
    place.of(drafts).kind == RelationKind::HasMany
}

fn connection_of(place: Place, drafts: &[Draft]) -> Option<&Connection> {
    let Form::Connection(connection) = &place.of(drafts).form else { return None };
    Some(connection)
}
