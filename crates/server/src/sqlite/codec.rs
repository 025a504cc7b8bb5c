//! How rows are stored: as JSON objects, by the names of the fields. A schema may gain and lose
//! fields without touching what is stored.
//!
//! **What a schema does not know, a write carries along**: the fields that it lacks, and the
//! members that its embedded types lack. So no schema that is served loses what an earlier one has
//! stored; only `espressync push --allow-data-loss` takes fields away. What a write empties goes as
//! a whole, members that it does not know included. Where a list of objects is replaced, an object
//! that says the same as a stored one is taken for that one; of the others, where the list is as
//! long as before, each for the one in its place.

use std::collections::{BTreeMap, VecDeque};

use espressync_model::{BaseType, Field, Model, Row, Schema, Value};
use espressync_wire::json::{value_from_json, value_to_json};
use serde::Serializer;
use serde::ser::{Error, SerializeMap};
use serde_json::{Map, Value as Json};

/// How long the text of a row is, about, in bytes.
const USUAL_TEXT: usize = 256;

/// A row as it is stored, with what the row that it replaces holds beyond the schema.
pub(super) fn encode(
    schema: &Schema,
    model: &Model,
    row: &Row,
    stored: Option<&str>,
) -> Result<String, String> {
    let filled = model.fields().filter(|(id, _)| !row.get(*id).is_null());
    let Some(stored) = stored else {
        return text_of(schema, filled.map(|(id, field)| (field, row.get(id))))
            .map_err(|error| error.to_string());
    };
    let mut members = Map::with_capacity(model.fields.len());
    for (id, field) in filled {
        members.insert(field.name.clone(), value_to_json(schema, field.base, row.get(id)));
    }
    carry(schema, &model.fields, &mut members, members_of(stored)?);
    Ok(Json::Object(members).to_string())
}

/// The text of an object, without making the object: most writes make a new record.
fn text_of<'a>(
    schema: &Schema,
    members: impl Iterator<Item = (&'a Field, &'a Value)>,
) -> serde_json::Result<String> {
    let mut text = Vec::with_capacity(USUAL_TEXT);
    let mut writer = serde_json::Serializer::new(&mut text);
    let mut object = writer.serialize_map(None)?;
    for (Field { name, base, .. }, value) in members {
        match value {
            Value::Text(text) => object.serialize_entry(name, &**text)?,
            Value::Bool(truth) => object.serialize_entry(name, truth)?,
            Value::Int(number) => object.serialize_entry(name, number)?,
            Value::Float(number) => object.serialize_entry(name, number)?,
            Value::Null | Value::List(_) | Value::Object(_) => {
                object.serialize_entry(name, &value_to_json(schema, *base, value))?;
            }
        }
    }
    object.end()?;
    String::from_utf8(text).map_err(serde_json::Error::custom)
}

fn members_of(body: &str) -> Result<Map<String, Json>, String> {
    match serde_json::from_str(body).map_err(|error| error.to_string())? {
        Json::Object(members) => Ok(members),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Err("it is no object".to_owned())
        }
    }
}

/// Adds to an object what a stored one holds beyond these fields.
fn carry(
    schema: &Schema,
    fields: &[Field],
    members: &mut Map<String, Json>,
    stored: Map<String, Json>,
) {
    for (name, json) in stored {
        match fields.iter().find(|field| field.name == name) {
            None => drop(members.insert(name, json)),
            Some(field) => {
                if let Some(value) = members.get_mut(&name) {
                    carry_within(schema, field, value, json);
                }
            }
        }
    }
}

/// Adds to a field's value, or to an element of it, what a stored one holds beyond the schema.
fn carry_within(schema: &Schema, field: &Field, value: &mut Json, stored: Json) {
    let BaseType::Object(id) = field.base else { return };
    match (value, stored) {
        (Json::Object(members), Json::Object(stored)) => {
            carry(schema, &schema.object(id).fields, members, stored);
        }
        (Json::Array(elements), Json::Array(stored)) => {
            carry_elements(schema, field, elements, stored);
        }
        _ => {}
    }
}

fn carry_elements(schema: &Schema, field: &Field, elements: &mut [Json], stored: Vec<Json>) {
    let is_as_long = elements.len() == stored.len();
    let mut alike: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
    for (json, place) in stored.iter().zip(0..) {
        alike.entry(known(schema, field, json)).or_default().push_back(place);
    }
    let mut stored: Vec<Option<Json>> = stored.into_iter().map(Some).collect();
    let mut others = Vec::new();
    for (element, place) in elements.iter_mut().zip(0..) {
        let same = alike.get_mut(&known(schema, field, element)).and_then(VecDeque::pop_front);
        match same.and_then(|place| stored[place].take()) {
            Some(json) => carry_within(schema, field, element, json),
            None => others.push((place, element)),
        }
    }
    for (place, element) in others.into_iter().filter(|_| is_as_long) {
        if let Some(json) = stored[place].take() {
            carry_within(schema, field, element, json);
        }
    }
}

/// What the schema knows of an element, as a text to compare by.
fn known(schema: &Schema, field: &Field, element: &Json) -> String {
    let mut element = element.clone();
    fit(schema, field, &mut element);
    element.to_string()
}

/// Reads a stored row. Fields that the schema has gained are null, those it has lost are left out.
pub(super) fn decode(schema: &Schema, model: &Model, body: &str) -> Result<Row, String> {
    let mut members = members_of(body)?;
    let values = model.fields.iter().map(|field| {
        let json = members.remove(&field.name).unwrap_or_default();
        read_value(schema, model, field, json)
    });
    values.collect::<Result<Vec<Value>, String>>().map(Row::new)
}

/// Reads a field of a stored row.
pub(crate) fn read_value(
    schema: &Schema,
    model: &Model,
    field: &Field,
    mut json: Json,
) -> Result<Value, String> {
    fit(schema, field, &mut json);
    value_from_json(schema, &model.name, field, &json).map_err(|error| error.to_string())
}

/// Takes members that embedded types have lost out of a value.
fn fit(schema: &Schema, field: &Field, json: &mut Json) {
    let BaseType::Object(id) = field.base else { return };
    match json {
        Json::Array(elements) => {
            elements.iter_mut().for_each(|element| fit(schema, field, element));
        }
        Json::Object(members) => {
            let fields = &schema.object(id).fields;
            let mut kept = Map::new();
            for field in fields {
                let held = members.remove(&field.name).filter(|json| !json.is_null());
                if let Some(mut json) = held {
                    fit(schema, field, &mut json);
                    kept.insert(field.name.clone(), json);
                }
            }
            *members = kept;
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use espressync_model::sdl;

    use super::*;

    #[test]
    fn rows_outlive_their_schema() {
        let old = sdl::parse(
            "type Place { street: String old: Int }
             type Shop @model { name: String! gone: Int place: Place }",
            "old",
        )
        .unwrap();
        let new = sdl::parse(
            "type Place { street: String new: Int }
             type Shop @model { name: String! place: Place seats: Int }",
            "new",
        )
        .unwrap();
        let shop = old.model_named("Shop").unwrap();
        let place = Value::Object([Value::from("Main"), Value::from(1)].into());
        let row = Row::new(vec!["s".into(), "Bar".into(), 3.into(), place]);
        let body = encode(&old, shop, &row, None).unwrap();
        assert_eq!(body, r#"{"id":"s","name":"Bar","gone":3,"place":{"street":"Main","old":1}}"#);
        assert_eq!(encode(&old, shop, &row, Some("{}")).as_ref(), Ok(&body));
        let read = decode(&new, new.model_named("Shop").unwrap(), &body).unwrap();
        let place = Value::Object([Value::from("Main"), Value::Null].into());
        assert_eq!(read.values()[..4], ["s".into(), "Bar".into(), place, Value::Null]);
        assert!(decode(&new, shop, "[]").is_err());
    }

    #[test]
    fn what_a_schema_lacks_is_carried_along() {
        let check = |stored: &str, written: &str, expected: &str| {
            let schema = sdl::parse(
                "type Street { name: String } type Place { street: Street town: String }
                 type Shop @model { name: String place: Place doors: [Place] }",
                "new",
            )
            .unwrap();
            let shop = schema.model_named("Shop").unwrap();
            let row = decode(&schema, shop, written).unwrap();
            let body: Json =
                serde_json::from_str(&encode(&schema, shop, &row, Some(stored)).unwrap()).unwrap();
            let expected: Json = serde_json::from_str(expected).unwrap();
            // What is empty is written inside of objects and left out of rows.
            let filled = |json: Json| json.to_string().replace(r#""street":null,"#, "");
            assert_eq!(filled(body), filled(expected), "{written} over {stored}");
        };
        let one = r#"{"id":"s","name":"A"}"#;
        check(r#"{"id":"s","gone":[1]}"#, one, r#"{"id":"s","name":"A","gone":[1]}"#);
        // What is emptied stays so.
        check(r#"{"id":"s","place":{"town":"X","gone":1}}"#, one, one);
        check(
            r#"{"id":"s","place":{"street":{"name":"Main","gone":1},"town":"X","gone":2}}"#,
            r#"{"id":"s","place":{"street":{"name":"Side"},"town":"Y"}}"#,
            r#"{"id":"s","place":{"street":{"name":"Side","gone":1},"town":"Y","gone":2}}"#,
        );
        let doors = |doors: &str| format!(r#"{{"id":"s","doors":[{doors}]}}"#);
        let (a, b) = (r#"{"town":"A","gone":1}"#, r#"{"town":"B","gone":2}"#);
        for (written, expected) in [
            (r#"{"town":"B"},{"town":"A"}"#, format!("{b},{a}")),
            (r#"{"town":"C"},{"town":"B"}"#, format!(r#"{{"town":"C","gone":1}},{b}"#)),
            (r#"{"town":"B"}"#, b.to_owned()),
            (r#"{"town":"C"}"#, r#"{"town":"C"}"#.to_owned()),
            (r#"{"town":"C"},null,{"town":"A"}"#, format!(r#"{{"town":"C"}},null,{a}"#)),
            ("", String::new()),
        ] {
            check(&doors(&format!("{a},{b}")), &doors(written), &doors(&expected));
        }
    }
}
