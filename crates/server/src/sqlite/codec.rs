use espressync_model::{BaseType, Field, Model, Row, Schema, Value};
use espressync_wire::json::{value_from_json, value_to_json};
use serde_json::{Map, Value as Json};

/// A row as it is stored: the fields that hold something, by name, so that a schema may gain and
/// lose fields without touching what is stored.
pub(super) fn encode(schema: &Schema, model: &Model, row: &Row) -> String {
    let filled = model.fields().filter(|(id, _)| !row.get(*id).is_null());
    let members = filled
        .map(|(id, field)| (field.name.clone(), value_to_json(schema, field.base, row.get(id))));
    Json::Object(members.collect()).to_string()
}

/// Reads a stored row. Fields that the schema has gained are null, those it has lost are left out.
pub(super) fn decode(schema: &Schema, model: &Model, body: &str) -> Result<Row, String> {
    let json: Json = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let Json::Object(mut members) = json else { return Err("it is no object".to_owned()) };
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
                if let Some(mut json) = members.remove(&field.name) {
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
        let body = encode(&old, shop, &row);
        assert_eq!(body, r#"{"id":"s","name":"Bar","gone":3,"place":{"street":"Main","old":1}}"#);
        let read = decode(&new, new.model_named("Shop").unwrap(), &body).unwrap();
        let place = Value::Object([Value::from("Main"), Value::Null].into());
        assert_eq!(read.values()[..4], ["s".into(), "Bar".into(), place, Value::Null]);
        assert!(decode(&new, shop, "[]").is_err());
    }
}
