//! Automerge: what becomes of a write that was made on an older version.

use espressync_model::{Field, Model, Patch, Row, Value, merge_lists};

/// Merges three ways: `base` is the row the client's change was made on, `between` are the rows
/// after it and before `stored`. A field the server has not touched since takes the incoming
/// value, null too; one that it has, be it there and back, keeps the server's; lists merge the
/// additions and removals of both. (DESIGN, Server.)
#[must_use]
pub fn merge(model: &Model, base: &Row, between: &[Row], stored: &Row, incoming: &Patch) -> Patch {
    let merged = incoming.iter().filter_map(|(id, value)| {
        let (was, is) = (base.get(id), stored.get(id));
        let is_untouched = is == was && between.iter().all(|row| row.get(id) == was);
        let value =
            if is_untouched { value.clone() } else { merge_changed(model.at(id), was, is, value)? };
        (value != *is).then_some((id, value))
    });
    merged.collect()
}

/// A field that both sides changed: only lists have something to merge.
fn merge_changed(field: &Field, was: &Value, is: &Value, incoming: &Value) -> Option<Value> {
    match (is, incoming) {
        (Value::List(is), Value::List(incoming)) if field.is_list => {
            let was: &[Value] = if let Value::List(was) = was { was } else { &[] };
            Some(Value::List(merge_lists(was, is, incoming).into()))
        }
        _ => None,
    }
}

/// Merges by AppSync's documented rules, which know no base (contract 4.3): a filled scalar keeps
/// the server's value, an empty one takes the incoming, lists append.
#[must_use]
pub fn merge_strict(model: &Model, stored: &Row, incoming: &Patch) -> Patch {
    let merged = incoming.iter().filter_map(|(id, value)| {
        let value = match (stored.get(id), value) {
            (Value::Null, value) => value.clone(),
            (Value::List(is), Value::List(incoming)) if model.at(id).is_list => {
                Value::List(is.iter().chain(incoming.iter()).cloned().collect())
            }
            _ => return None,
        };
        (value != *stored.get(id)).then_some((id, value))
    });
    merged.collect()
}

#[cfg(test)]
mod tests {
    use espressync_model::{FieldId, Scalar};

    use super::*;

    fn model() -> Model {
        Model::new("Post", "Posts")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("n", Scalar::Int))
            .field(Field::new("tags", Scalar::String).list(false))
            .field(Field::new("note", Scalar::String))
    }

    fn row(n: i64, tags: &[&str], note: Option<&str>) -> Row {
        Row::new(vec!["p".into(), n.into(), tags.to_vec().into(), note.into()])
    }

    fn check(base: Row, stored: Row, client: Row, expected: Row) {
        let incoming = Patch::between(&base, &client);
        let merged = merge(&model(), &base, &[], &stored, &incoming);
        assert_eq!(stored.with(&merged), expected);
        // Sent again after a lost answer, it changes nothing.
        assert!(merge(&model(), &base, &[], &expected, &incoming).is_empty());
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
        assert!(merge(&model(), &base, &[between], &base, &late_copy).is_empty());
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
        let merged = merge_strict(&model(), &stored, &incoming);
        assert_eq!(stored.with(&merged), row(5, &["a", "b"], Some("x")));
    }
}
