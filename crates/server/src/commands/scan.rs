use std::collections::{BTreeMap, BTreeSet};

use espressync_model::{BaseType, Field, Model, Row, Schema};
use espressync_resolver::Rules;
use serde_json::{Map, Value as Json};

use super::CommandError;
use crate::sqlite::{Moved, RawRow, Renames, Snapshot, read_value, stored_as};

/// What the rows of a table are under a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// How many there are, tombstones included.
    pub(super) rows: u64,
    /// How many hold a field that the schema has not, or a member of an embedded type, by the names
    /// that lead there.
    pub(super) lost: BTreeMap<Vec<String>, u64>,
    /// How many hold something under an earlier name, by the names that lead there, before and now.
    pub(super) moves: BTreeMap<Moved, u64>,
    /// How many lack a required field, by field.
    pub(super) missing: BTreeMap<String, u64>,
    /// How many hold a value that does not fit, by field.
    pub(super) unfit: BTreeMap<String, Unfit>,
    /// How many cannot be read at all.
    pub(super) broken: Unfit,
    /// How many have another key than their fields say.
    pub(super) moved: Unfit,
}

/// Rows with one thing wrong with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unfit {
    /// How many.
    pub(super) count: u64,
    /// The first of them and what is wrong.
    pub(super) example: String,
}

impl Unfit {
    fn add(&mut self, key: &str, reason: &str) {
        if self.count == 0 {
            self.example = format!("{}: {reason}", shown(key));
        }
        self.count += 1;
    }
}

/// A key as people read it.
fn shown(key: &str) -> String {
    espressync_model::Key::from(key).to_string()
}

/// Looks at all rows of the table of this name, as they are once they are renamed.
pub(super) fn scan(file: &Snapshot, rules: &Rules, table: &str) -> Result<Scan, CommandError> {
    let mut scan = Scan::default();
    let renames = file.renames(rules)?;
    let name = renames.new_name(table);
    let schema = rules.schema();
    let mut models = schema.models();
    let model = models.find(|(id, _)| stored_as(rules, *id) == name).map(|(_, model)| model);
    file.rows::<CommandError>(table, |row| {
        scan.rows += 1;
        if let Some(model) = model {
            scan.see(&renames, schema, (model, name), &row);
        }
        Ok(())
    })?;
    Ok(scan)
}

impl Scan {
    fn see(
        &mut self,
        renames: &Renames<'_>,
        schema: &Schema,
        (model, name): (&Model, &str),
        row: &RawRow,
    ) {
        let mut members = match serde_json::from_str::<Map<String, Json>>(&row.body) {
            Ok(members) => members,
            Err(error) => return self.broken.add(&row.key, &error.to_string()),
        };
        for moved in renames.rename(model, name, &mut members) {
            *self.moves.entry(moved).or_default() += 1;
        }
        let mut lost = BTreeSet::new();
        see_members(schema, &model.fields, &members, &mut Vec::new(), &mut lost);
        let mut values = Vec::with_capacity(model.fields.len());
        for field in &model.fields {
            let json = members.remove(&field.name).unwrap_or_default();
            values.push(self.see_field(schema, model, field, json, &row.key));
        }
        for path in lost {
            *self.lost.entry(path).or_default() += 1;
        }
        let values: Option<Vec<_>> = values.into_iter().collect();
        let Some(values) = values else { return };
        match model.key_of(&Row::new(values)) {
            Ok(key) if key.as_str() == row.key => {}
            Ok(key) => self.moved.add(&row.key, &format!("its fields say {key}")),
            Err(error) => self.moved.add(&row.key, &error.to_string()),
        }
    }

    fn see_field(
        &mut self,
        schema: &Schema,
        model: &Model,
        field: &Field,
        json: Json,
        key: &str,
    ) -> Option<espressync_model::Value> {
        if json.is_null() && field.is_required {
            *self.missing.entry(field.name.clone()).or_default() += 1;
        }
        match read_value(schema, model, field, json) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.unfit.entry(field.name.clone()).or_default().add(key, &reason);
                None
            }
        }
    }
}

/// Finds what an object holds beyond these fields, and so on into the objects within it.
fn see_members(
    schema: &Schema,
    fields: &[Field],
    members: &Map<String, Json>,
    path: &mut Vec<String>,
    lost: &mut BTreeSet<Vec<String>>,
) {
    for (name, json) in members.iter().filter(|(_, json)| !json.is_null()) {
        path.push(name.clone());
        match fields.iter().find(|field| field.name == *name).map(|field| field.base) {
            None => drop(lost.insert(path.clone())),
            Some(BaseType::Object(id)) => {
                let elements = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
                for members in elements.iter().filter_map(Json::as_object) {
                    see_members(schema, &schema.object(id).fields, members, path, lost);
                }
            }
            Some(BaseType::Scalar(_) | BaseType::Enum(_)) => {}
        }
        path.pop();
    }
}
