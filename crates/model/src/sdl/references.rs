//! The second generation's relations (contract 1.4): `references` names the foreign key's fields
//! on the model that belongs, and both sides say the same.

use super::Result;
use super::models::Draft;
use super::relations::{Form, Place};
use crate::RelationKind;

/// Settles one side, given its `references`; the side that has adds the index.
pub(super) fn settle(
    place: Place,
    drafts: &mut [Draft],
    fields: Vec<String>,
    index: Option<String>,
) -> Result<Vec<String>> {
    let relation = place.of(drafts);
    if relation.is_required && relation.kind != RelationKind::HasMany {
        return place.bad(drafts, "should not be required (`!`): what it leads to may be gone");
    }
    let is_side = relation.kind == RelationKind::BelongsTo;
    let other = place.back(drafts).into_iter().find_map(|other| {
        let relation = other.of(drafts);
        let is_other = (relation.kind == RelationKind::BelongsTo) != is_side;
        let Form::References { fields: same, index } = &relation.form else { return None };
        (is_other && *same == fields).then(|| index.clone())
    });
    let Some(other_index) = other else {
        let (expected, names) = if is_side {
            ("@hasMany or @hasOne", fields.join(", "))
        } else {
            ("@belongsTo", fields.join(", "))
        };
        let target = &drafts[relation.target.index()].name;
        let message = format!("needs a {expected} in `{target}` with the `references` {names}");
        return place.bad(drafts, message);
    };
    check_nullability(place, drafts, &fields)?;
    if !is_side {
        let (owner, name) = (&drafts[place.model].name, &relation.name);
        let usual = format!("gsi-{owner}.{name}");
        let holder = place.holder(drafts);
        let index = other_index.or(index).unwrap_or(usual);
        if drafts[holder].indexes.iter().all(|other| other.fields != fields) {
            drafts[holder].add_index(index, fields.clone());
        }
    }
    Ok(fields)
}

/// The fields of one foreign key are set together or not at all.
fn check_nullability(place: Place, drafts: &[Draft], fields: &[String]) -> Result<()> {
    let holder = &drafts[place.holder(drafts)];
    let required = fields.iter().filter_map(|name| holder.field(name)).map(|f| f.is_required);
    let required: Vec<bool> = required.collect();
    if required.iter().any(|other| Some(other) != required.first()) {
        let names = fields.join(", ");
        return place.bad(drafts, format!("needs ({names}) to be all required or all optional"));
    }
    Ok(())
}
