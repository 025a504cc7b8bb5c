//! Automerge: what becomes of a write that was made on an older version.
//!
//! Values of embedded types are merged member by member, by the same rules as the fields of a row:
//! they are AppSync's maps. Lists are merged as a whole. Sets AppSync would unite, but a schema in
//! GraphQL cannot say that a list is one, so there are none. A missing `_version` is 0, of which
//! there is no base, so it only fills what is empty and appends to lists.

use espressync_model::{BaseType, Field, FieldId, Model, Patch, Row, Schema, Value, merge_lists};

/// Merges three ways: `base` is the row the client's change was made on, `between` are the rows
/// after it and before `stored`. A field the server has not touched since takes the incoming
/// value, null too; one that it has, be it there and back, keeps the server's; lists merge the
/// additions and removals of both. (DESIGN, Server.)
#[must_use]
pub fn merge(
    schema: &Schema,
    model: &Model,
    base: &Row,
    between: &[Row],
    stored: &Row,
    incoming: &Patch,
) -> Patch {
    changed(stored, incoming, |id, incoming| {
        let history = [base].into_iter().chain(between).map(|row| row.get(id)).collect();
        merge_value(schema, model.at(id), &History(history), stored.get(id), incoming)
    })
}

/// Merges by AppSync's documented rules, which know no base (contract 4.3): a filled scalar keeps
/// the server's value, an empty one takes the incoming, lists append, duplicates and all.
#[must_use]
pub fn merge_strict(schema: &Schema, model: &Model, stored: &Row, incoming: &Patch) -> Patch {
    changed(stored, incoming, |id, incoming| {
        fill_value(schema, model.at(id), stored.get(id), incoming)
    })
}

/// The fields of a patch, merged, that differ from what is stored.
fn changed(stored: &Row, incoming: &Patch, merge: impl Fn(FieldId, &Value) -> Value) -> Patch {
    let merged = incoming.iter().map(|(id, value)| (id, merge(id, value)));
    merged.filter(|(id, value)| value != stored.get(*id)).collect()
}

/// What a field was from the client's version on, without what it is now; never empty.
struct History<'a>(Vec<&'a Value>);

impl History<'_> {
    /// Whether it has been this all along.
    fn is_all(&self, value: &Value) -> bool {
        self.0.iter().all(|was| *was == value)
    }

    /// What it was for the client.
    fn base(&self) -> &Value {
        self.0.first().copied().unwrap_or(&Value::Null)
    }

    /// That of a member of an embedded value.
    fn of_member(&self, index: usize) -> History<'_> {
        History(self.0.iter().map(|was| member(was, index)).collect())
    }
}

fn merge_value(
    schema: &Schema,
    field: &Field,
    history: &History<'_>,
    is: &Value,
    incoming: &Value,
) -> Value {
    if history.is_all(is) {
        return incoming.clone();
    }
    match (is, incoming) {
        _ if incoming == history.base() => is.clone(),
        (Value::List(is), Value::List(incoming)) if field.is_list => {
            let was: &[Value] = if let Value::List(was) = history.base() { was } else { &[] };
            Value::List(merge_lists(was, is, incoming).into())
        }
        (Value::Object(of_server), Value::Object(_)) => {
            let merge = |index, member_field: &Field| {
                let (history, is) = (history.of_member(index), member(is, index));
                merge_value(schema, member_field, &history, is, member(incoming, index))
            };
            by_member(schema, field, of_server, merge)
        }
        _ => is.clone(),
    }
}

fn fill_value(schema: &Schema, field: &Field, is: &Value, incoming: &Value) -> Value {
    match (is, incoming) {
        (Value::Null, incoming) => incoming.clone(),
        (Value::List(is), Value::List(incoming)) if field.is_list => {
            Value::List(is.iter().chain(incoming.iter()).cloned().collect())
        }
        (Value::Object(of_server), Value::Object(_)) => {
            let fill = |index, member_field: &Field| {
                fill_value(schema, member_field, member(is, index), member(incoming, index))
            };
            by_member(schema, field, of_server, fill)
        }
        _ => is.clone(),
    }
}

/// An embedded value, made member by member.
fn by_member(
    schema: &Schema,
    field: &Field,
    is: &[Value],
    make: impl Fn(usize, &Field) -> Value,
) -> Value {
    // A row that passed the schema's check has values of embedded types nowhere else.
    let BaseType::Object(id) = field.base else { return Value::Object(is.into()) };
    let members = schema.object(id).fields.iter().enumerate();
    Value::Object(members.map(|(index, field)| make(index, field)).collect())
}

/// A member of an embedded value; null where there is no value, or one of an older schema.
fn member(value: &Value, index: usize) -> &Value {
    let found = if let Value::Object(members) = value { members.get(index) } else { None };
    found.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use espressync_model::{ObjectId, ObjectType, Scalar};

    use super::*;

    fn schema() -> Schema {
        let post = Model::new("Post", "Posts")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("n", Scalar::Int))
            .field(Field::new("tags", Scalar::String).list(false))
            .field(Field::new("note", Scalar::String))
            .field(Field::new("place", BaseType::Object(ObjectId(0))));
        let place = vec![
            Field::new("street", Scalar::String),
            Field::new("town", Scalar::String),
            Field::new("bells", Scalar::String).list(false),
            Field::new("inner", BaseType::Object(ObjectId(1))),
        ];
        let inner = vec![Field::new("x", Scalar::Int), Field::new("y", Scalar::Int)];
        Schema::new(vec![post]).with_objects(vec![
            ObjectType { name: "Place".to_owned(), fields: place },
            ObjectType { name: "Inner".to_owned(), fields: inner },
        ])
    }

    fn merge_rows(base: &Row, between: &[Row], stored: &Row, incoming: &Patch) -> Patch {
        let schema = schema();
        merge(&schema, schema.models().next().unwrap().1, base, between, stored, incoming)
    }

    fn row(n: i64, tags: &[&str], note: Option<&str>) -> Row {
        Row::new(vec!["p".into(), n.into(), tags.to_vec().into(), note.into(), Value::Null])
    }

    fn check(base: Row, stored: Row, client: Row, expected: Row) {
        let incoming = Patch::between(&base, &client);
        let merged = merge_rows(&base, &[], &stored, &incoming);
        assert_eq!(stored.with(&merged), expected);
        // Sent again after a lost answer, it changes nothing.
        assert!(merge_rows(&base, &[stored], &expected, &incoming).is_empty());
    }

    #[test]
    fn edits_to_different_fields_both_survive() {
        let base = row(1, &[], Some("x"));
        check(base.clone(), row(2, &[], Some("x")), row(1, &[], None), row(2, &[], None));
    }

    #[test]
    fn a_field_both_changed_keeps_the_servers_value() {
        let base = row(1, &[], None);
        check(base, row(2, &[], None), row(3, &[], Some("y")), row(2, &[], Some("y")));
    }

    #[test]
    fn a_field_that_went_there_and_back_was_changed() {
        let (base, between) = (row(3, &[], None), row(4, &[], None));
        let late_copy = Patch::between(&base, &between);
        assert!(merge_rows(&base, &[between], &base, &late_copy).is_empty());
    }

    #[test]
    fn lists_merge_additions_and_removals() {
        let base = row(1, &["a", "b"], None);
        let merged = row(1, &["b", "s", "c"], None);
        check(base, row(1, &["a", "b", "s"], None), row(1, &["b", "c"], None), merged);
    }

    #[test]
    fn an_addition_made_on_both_sides_counts_once() {
        let base = row(1, &["a"], None);
        let both = row(1, &["a", "x"], None);
        check(base, both.clone(), both.clone(), both);
    }

    #[test]
    fn the_documented_rules() {
        // Contract 4.3: server {n:5, tags:[a]}, incoming {n:9, tags:[b], note:x}.
        let incoming: Patch = [
            (FieldId(1), Value::from(9)),
            (FieldId(2), vec!["b"].into()),
            (FieldId(3), "x".into()),
        ]
        .into_iter()
        .collect();
        let stored = row(5, &["a"], None);
        assert_eq!(strictly(&stored, &incoming), row(5, &["a", "b"], Some("x")));
        // What the server has is never cleared, and duplicates stay.
        let cleared = [(FieldId(1), Value::Null), (FieldId(2), vec!["a"].into())];
        let cleared: Patch = cleared.into_iter().collect();
        assert_eq!(strictly(&stored, &cleared), row(5, &["a", "a"], None));
    }

    fn strictly(stored: &Row, incoming: &Patch) -> Row {
        let schema = schema();
        let model = schema.models().next().unwrap().1;
        stored.with(&merge_strict(&schema, model, stored, incoming))
    }

    /// A row with nothing but a place: street, town, bells, and x and y of what is inside.
    fn place(street: &str, town: Option<&str>, bells: &[&str], inner: Option<[i64; 2]>) -> Row {
        let inner = inner.map(|values| Value::Object(values.map(Value::from).into()));
        let members =
            [street.into(), town.into(), bells.to_vec().into(), inner.unwrap_or_default()];
        let nothing = [Value::Null, Value::Null, Value::Null];
        let values = [Value::from("p")].into_iter().chain(nothing);
        Row::new(values.chain([Value::Object(members.into())]).collect())
    }

    #[test]
    fn embedded_values_merge_member_by_member() {
        check(
            place("A", Some("T"), &["x", "y"], Some([1, 1])),
            place("B", Some("T"), &["x", "y", "s"], Some([2, 1])),
            place("A", None, &["y", "c"], Some([1, 5])),
            place("B", None, &["y", "s", "c"], Some([2, 5])),
        );
        // A member that both have changed is the server's.
        let base = place("A", None, &[], Some([1, 1]));
        let stored = place("B", None, &[], Some([2, 1]));
        check(base, stored.clone(), place("C", None, &[], Some([3, 1])), stored);
        // One that is gone for either is not brought back by the other's change of it.
        let (base, gone) = (place("A", None, &[], Some([1, 1])), place("A", None, &[], None));
        let edited = place("A", None, &[], Some([1, 2]));
        check(base.clone(), gone.clone(), edited.clone(), gone.clone());
        check(base, edited.clone(), gone, edited);
    }

    #[test]
    fn embedded_values_by_the_documented_rules() {
        let stored = place("A", None, &["x"], Some([1, 1]));
        let incoming = Patch::between(&stored, &place("B", Some("T"), &["y"], Some([9, 9])));
        let expected = place("A", Some("T"), &["x", "y"], Some([1, 1]));
        assert_eq!(strictly(&stored, &incoming), expected);
        let empty = Row::new(vec!["p".into()]);
        assert_eq!(strictly(&empty, &incoming).get(FieldId(4)), incoming.get(FieldId(4)).unwrap());
    }
}
