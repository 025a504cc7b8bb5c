use crate::Value;

/// Merges two changes of one list: `is`, less what `incoming` removed from `was`, with what it
/// added and `is` did not add itself. So the same change made twice, or on both sides, counts
/// once. Client and server merge by this same rule.
#[must_use]
pub fn merge_lists(was: &[Value], is: &[Value], incoming: &[Value]) -> Vec<Value> {
    let mut removed = without(was, incoming);
    let mut merged = Vec::new();
    for element in is {
        match removed.iter().position(|gone| gone == element) {
            Some(position) => drop(removed.swap_remove(position)),
            None => merged.push(element.clone()),
        }
    }
    let added_there = without(is, was);
    merged.extend(without(&without(incoming, was), &added_there));
    merged
}

/// The elements of `all` that are left when each of `taken` has taken one of its like away.
fn without(all: &[Value], taken: &[Value]) -> Vec<Value> {
    let mut taken: Vec<&Value> = taken.iter().collect();
    let mut left = Vec::new();
    for element in all {
        match taken.iter().position(|other| *other == element) {
            Some(position) => drop(taken.swap_remove(position)),
            None => left.push(element.clone()),
        }
    }
    left
}
