//! The limits of a subscription's filter (contract 4.6). `aws-amplify` goes on without a filter,
//! and filters by itself, when it finds certain words in a refusal; on any other refusal it gives
//! all its subscriptions up. So every refusal here has such words. One of AppSync's limits is not
//! kept: a field may be compared twice, for nothing is lost by that.

use std::collections::BTreeSet;

use espressync_model::{FieldId, Operator, Predicate, Value};

/// How many ways there may be to fulfil a filter, its `or` written out.
const MOST_COMBINATIONS: usize = 10;

const MOST_FIELDS: usize = 5;

const MOST_VALUES: usize = 5;

/// In characters.
const LONGEST_TEXT: usize = 256;

const DEEPEST: usize = 5;

/// Refuses a filter beyond AppSync's limits.
///
/// # Errors
/// The words of the refusal.
pub(super) fn check_enhanced(predicate: &Predicate) -> Result<(), String> {
    let mut fields = BTreeSet::new();
    check(predicate, &mut fields, 0)?;
    if fields.len() > MOST_FIELDS {
        return Err(format!(
            "Filters exceed maximum attributes limit {MOST_FIELDS} for subscription"
        ));
    }
    if combinations(predicate) > MOST_COMBINATIONS {
        return Err(beyond(&format!("more than {MOST_COMBINATIONS} groups")));
    }
    Ok(())
}

fn beyond(what: &str) -> String {
    format!("Filters combination exceed maximum limit {MOST_COMBINATIONS} for subscription: {what}")
}

fn combinations(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::All | Predicate::Field(..) => 1,
        Predicate::And(parts) => parts.iter().map(combinations).fold(1, usize::saturating_mul),
        Predicate::Or(parts) => parts.iter().map(combinations).fold(0, usize::saturating_add),
        Predicate::Not(part) | Predicate::Related(_, part) => combinations(part),
    }
}

fn check(
    predicate: &Predicate,
    fields: &mut BTreeSet<FieldId>,
    depth: usize,
) -> Result<(), String> {
    match predicate {
        Predicate::All => Ok(()),
        Predicate::Field(field, operator) => {
            fields.insert(*field);
            check_operator(operator)
        }
        _ if depth == DEEPEST => Err(beyond(&format!("it nests deeper than {DEEPEST} levels"))),
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().try_for_each(|part| check(part, fields, depth + 1))
        }
        Predicate::Not(part) => check(part, fields, depth + 1),
        Predicate::Related(..) => Err(beyond("it asks for other records")),
    }
}

fn check_operator(operator: &Operator) -> Result<(), String> {
    let text = |value: &Value| match value.as_text().map(|text| text.chars().count()) {
        Some(length) if length > LONGEST_TEXT => {
            Err(beyond(&format!("a text of {length} characters, where {LONGEST_TEXT} may be")))
        }
        Some(_) | None => Ok(()),
    };
    let list = |name: &str, values: &[Value]| {
        if values.len() > MOST_VALUES {
            return Err(beyond(&format!(
                "subscription exceeds maximum value limit {MOST_VALUES} for operator `{name}`."
            )));
        }
        values.iter().try_for_each(text)
    };
    match operator {
        Operator::In(values) => list("in", values),
        Operator::NotIn(values) => list("notIn", values),
        Operator::Between(low, high) => text(low).and_then(|()| text(high)),
        Operator::Eq(value)
        | Operator::Ne(value)
        | Operator::Lt(value)
        | Operator::Le(value)
        | Operator::Gt(value)
        | Operator::Ge(value)
        | Operator::BeginsWith(value)
        | Operator::Contains(value)
        | Operator::NotContains(value) => text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(predicate: Predicate, expected: Option<&str>) {
        let found = check_enhanced(&predicate).err();
        let is_expected = match (&found, expected) {
            (None, None) => true,
            (Some(found), Some(expected)) => found.contains(expected),
            (None, Some(_)) | (Some(_), None) => false,
        };
        assert!(is_expected, "{predicate:?}: {found:?}");
    }

    fn either(count: i64) -> Predicate {
        Predicate::Or((0..count).map(|number| FieldId(0).eq(number)).collect())
    }

    fn fields(count: u16) -> Predicate {
        Predicate::And((0..count).map(|field| FieldId(field).eq(1)).collect())
    }

    #[test]
    fn what_goes_beyond_is_refused_in_words_that_amplify_knows() {
        let combinations = Some("Filters combination exceed maximum limit");
        check(Predicate::All, None);
        check(either(10), None);
        check(either(11), combinations);
        check(Predicate::And(vec![either(3), either(3)]), None);
        check(Predicate::And(vec![either(4), either(3)]), combinations);
        check(fields(5), None);
        check(fields(6), Some("Filters exceed maximum attributes limit"));
        check(FieldId(0).is_in(0..5), None);
        let values = "subscription exceeds maximum value limit 5 for operator `in`.";
        check(FieldId(0).is_in(0..6), Some(values));
        check(FieldId(0).is_in(0..6), combinations);
        check(FieldId(0).eq("ä".repeat(256)), None);
        check(FieldId(0).between("", "x".repeat(257)), combinations);
        let nested =
            |depth: usize| (0..depth).fold(FieldId(0).eq(1), |part, _| Predicate::And(vec![part]));
        check(nested(5), None);
        check(nested(6), combinations);
    }
}
