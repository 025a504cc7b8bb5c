//! Finding few records among many: which keys, runs of indexes and relations hold everything that
//! can match a predicate. What is found is counted before it is looked at, so that the smallest
//! can be chosen.

use std::ops::Range;

use espressync_model::{
    BaseType, FieldId, Key, Model, ModelId, Operator, Predicate, RelationId, Row, Scalar, Sort,
    Value,
};

use crate::Store;
use crate::index::{Edge, Ordered};
use crate::relations::reciprocal;
use crate::table::{Slot, Table, in_order};

/// Records that hold everything which can match a predicate.
#[derive(Debug)]
pub(crate) struct Seek {
    pub(crate) how: How,
    /// How many they are at most.
    pub(crate) count: usize,
    /// Whether all of them match, so that none need be asked.
    pub(crate) is_exact: bool,
}

#[derive(Debug)]
pub(crate) enum How {
    /// By their keys.
    Keys(Vec<Slot>),
    /// By runs of an index.
    Runs(Ordered, Vec<Range<usize>>),
    /// By one of several ways each.
    Either(Vec<Seek>),
    /// By the records at the other end of a relation, of which so many match.
    Related(RelationId, usize, Box<How>),
}

impl How {
    /// How many records it finds, counting twice what it finds twice.
    fn count(&self) -> usize {
        match self {
            Self::Keys(slots) => slots.len(),
            Self::Runs(_, runs) => runs.iter().map(ExactSizeIterator::len).sum(),
            Self::Either(parts) => parts.iter().map(|part| part.count).sum(),
            Self::Related(_, _, how) => how.count(),
        }
    }

    fn gather(&self, into: &mut Vec<Slot>) {
        match self {
            Self::Keys(slots) => into.extend_from_slice(slots),
            Self::Runs(ordered, runs) => {
                for run in runs {
                    into.extend_from_slice(ordered.slots.get(run.clone()).unwrap_or_default());
                }
            }
            Self::Either(parts) => parts.iter().for_each(|part| part.how.gather(into)),
            Self::Related(_, _, how) => how.gather(into),
        }
    }

    /// The slots in order, each once.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        self.gather(&mut slots);
        in_order(slots)
    }
}

/// The parts of a predicate that must all match, groups in groups included.
pub(crate) fn demands(predicate: &Predicate) -> Vec<&Predicate> {
    let mut parts = Vec::new();
    add_demands(predicate, &mut parts);
    parts
}

fn add_demands<'a>(predicate: &'a Predicate, into: &mut Vec<&'a Predicate>) {
    match predicate {
        Predicate::All => {}
        Predicate::And(parts) => parts.iter().for_each(|part| add_demands(part, into)),
        Predicate::Or(parts) if parts.len() == 1 => add_demands(&parts[0], into),
        Predicate::Field(..) | Predicate::Or(_) | Predicate::Not(_) | Predicate::Related(..) => {
            into.push(predicate)
        }
    }
}

/// The comparisons of one field among demands.
fn asked<'a>(demands: &[&'a Predicate], field: FieldId) -> impl Iterator<Item = &'a Operator> {
    demands.iter().filter_map(move |demand| {
        let Predicate::Field(of, operator) = demand else { return None };
        (*of == field).then_some(operator)
    })
}

/// The value that every match has in a field.
pub(crate) fn fixed<'a>(demands: &[&'a Predicate], field: FieldId) -> Option<&'a Value> {
    asked(demands, field).find_map(|operator| {
        let Operator::Eq(value) = operator else { return None };
        is_scalar(value).then_some(value)
    })
}

/// The values of which every match has one in a field.
fn several<'a>(demands: &[&'a Predicate], field: FieldId) -> Option<&'a [Value]> {
    asked(demands, field).find_map(|operator| {
        let Operator::In(values) = operator else { return None };
        values.iter().all(is_scalar).then_some(values.as_slice())
    })
}

/// Whether an index can be searched for a value: lists are the same by other rules than those by
/// which they are sorted.
fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Float(number) => !number.is_nan(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => true,
        Value::List(_) | Value::Object(_) => false,
    }
}

/// Between which edges a field lies that meets a comparison; `None` where no index helps.
fn edges(operator: &Operator) -> Option<(Edge<'_>, Edge<'_>)> {
    let (low, high, operand) = match operator {
        Operator::Eq(value) => {
            return Some((Edge::Before(value), Edge::Behind(value))).filter(|_| is_scalar(value));
        }
        Operator::Lt(value) => (Edge::KindStart(value), Edge::Before(value), value),
        Operator::Le(value) => (Edge::KindStart(value), Edge::Behind(value), value),
        Operator::Gt(value) => (Edge::Behind(value), Edge::KindEnd(value), value),
        Operator::Ge(value) => (Edge::Before(value), Edge::KindEnd(value), value),
        Operator::Between(low, high) if low.kind() == high.kind() => {
            (Edge::Before(low), Edge::Behind(high), low)
        }
        Operator::BeginsWith(value @ Value::Text(_)) => {
            (Edge::Before(value), Edge::BehindPrefix(value), value)
        }
        Operator::Between(..)
        | Operator::BeginsWith(_)
        | Operator::Ne(_)
        | Operator::Contains(_)
        | Operator::NotContains(_)
        | Operator::In(_)
        | Operator::NotIn(_) => return None,
    };
    // Null has no order, so nothing is less or more.
    (is_scalar(operand) && !operand.is_null()).then_some((low, high))
}

/// What demands say of an index: fields from its first on that are fixed, then one that lies
/// between edges or is one of several values.
pub(crate) struct Fit<'a> {
    prefix: Vec<&'a Value>,
    between: Vec<(Edge<'a>, Edge<'a>)>,
    several: Option<&'a [Value]>,
}

impl<'a> Fit<'a> {
    /// `None` when they say nothing of its first field.
    pub(crate) fn of(keys: &[Sort], demands: &[&'a Predicate]) -> Option<Self> {
        let prefix: Vec<&Value> = keys.iter().map_while(|key| fixed(demands, key.field)).collect();
        let next = keys.get(prefix.len()).map(|key| key.field);
        let of_next = next.into_iter().flat_map(|field| asked(demands, field));
        let between: Vec<_> = of_next.filter_map(edges).collect();
        let several = next.and_then(|field| several(demands, field));
        let says_something = !prefix.is_empty() || !between.is_empty() || several.is_some();
        says_something.then_some(Self { prefix, between, several })
    }
}

/// Looks for the fewest records of one model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeker<'a> {
    store: &'a Store,
    id: ModelId,
    model: &'a Model,
    table: &'a Table,
    /// Whether a page is wanted, which a walk may fill long before everything is looked at.
    is_paged: bool,
}

impl<'a> Seeker<'a> {
    pub(crate) fn new(store: &'a Store, id: ModelId, is_paged: bool) -> Self {
        Self { store, id, model: store.schema().model(id), table: store.table(id), is_paged }
    }

    /// The fewest records that hold every match; `None` when only looking at all of them does.
    pub(crate) fn seek(self, predicate: &Predicate) -> Option<Seek> {
        let demands = demands(predicate);
        if demands.is_empty() {
            return None;
        }
        if let Some(seek) = self.by_key(&demands) {
            return Some(seek);
        }
        let mut best = None;
        for (keys, is_ready) in (0..).map_while(|number| self.table.index_keys(number)) {
            let seek = if is_ready { self.by_index(&keys, &demands) } else { None };
            best = fewer(best, seek);
        }
        for demand in &demands {
            let most = best.as_ref().map_or(self.table.live_count(), |best: &Seek| best.count);
            let seek = match demand {
                Predicate::Or(parts) => self.by_either(parts),
                Predicate::Related(relation, part) => self.by_relation(*relation, part, most),
                Predicate::All | Predicate::Field(..) | Predicate::And(_) | Predicate::Not(_) => {
                    None
                }
            };
            let seek = seek.map(|seek| {
                let is_exact = seek.is_exact && demands.len() == 1;
                Seek { is_exact, ..seek }
            });
            best = fewer(best, seek);
        }
        best
    }

    /// By the whole primary key, or by one of several.
    fn by_key(self, demands: &[&Predicate]) -> Option<Seek> {
        // The text of a float is not that of the same number as an integer.
        let is_float =
            |field: &FieldId| self.model.at(*field).base == BaseType::Scalar(Scalar::Float);
        if self.model.key.iter().any(is_float) {
            return None;
        }
        let values: Option<Vec<&Value>> =
            self.model.key.iter().map(|field| fixed(demands, *field)).collect();
        let (keys, used) = match (values, self.model.key.as_slice()) {
            (Some(values), fields) => (vec![Key::of(values)], fields.len()),
            (None, [only]) => {
                let values = several(demands, *only)?.iter();
                (values.map(|value| Key::of([value])).collect(), 1)
            }
            (None, _) => return None,
        };
        let slots = keys.into_iter().flatten();
        let slots = slots.filter_map(|key| self.table.live_slot(key.as_str()));
        let how = How::Keys(in_order(slots.collect()));
        Some(Seek { count: how.count(), how, is_exact: used == demands.len() })
    }

    /// By an index.
    fn by_index(self, keys: &[Sort], demands: &[&Predicate]) -> Option<Seek> {
        let Fit { prefix, between, several } = Fit::of(keys, demands)?;
        let ordered = self.table.ordered(keys);
        let (runs, used) = match several {
            Some(values) if between.is_empty() => {
                let run = |value: &Value| {
                    let edges = (Edge::Before(value), Edge::Behind(value));
                    ordered.run(self.table, &prefix, Some(edges))
                };
                (values.iter().map(run).collect(), 1)
            }
            Some(_) | None => {
                let whole = ordered.run(self.table, &prefix, None);
                let run = between.iter().fold(whole, |run, edges| {
                    let other = ordered.run(self.table, &prefix, Some(*edges));
                    let start = run.start.max(other.start);
                    start..run.end.min(other.end).max(start)
                });
                (vec![run], between.len())
            }
        };
        let is_exact = prefix.len() + used == demands.len();
        let how = How::Runs(ordered, runs);
        Some(Seek { count: how.count(), how, is_exact })
    }

    /// By several predicates of which one must match, if each can be sought.
    fn by_either(self, parts: &[Predicate]) -> Option<Seek> {
        let parts: Vec<Seek> = parts.iter().map(|part| self.seek(part)).collect::<Option<_>>()?;
        let count = parts.iter().map(|part| part.count).sum();
        let is_exact = parts.iter().all(|part| part.is_exact);
        Some(Seek { how: How::Either(parts), count, is_exact })
    }

    /// By the records at the other end that match, if that is less work than to ask `fewest`
    /// records here for theirs: to look at a record costs about an eighth of a search for several,
    /// and that is four times a search for one.
    fn by_relation(self, id: RelationId, part: &Predicate, fewest: usize) -> Option<Seek> {
        let relation = self.model.relation_at(id);
        let there = Self::new(self.store, relation.target, false);
        let is_of_many = relation.kind.is_held_by_target() && !self.is_paged;
        let most = if is_of_many { fewest.saturating_mul(8) } else { fewest / 4 };
        let candidates = match there.seek(part) {
            Some(seek) if seek.count <= most => seek.how.slots(),
            None if there.table.live_count() <= most => there.table.live_slots(0).collect(),
            Some(_) | None => return None,
        };
        let rows = candidates.iter().filter_map(|slot| there.table.record(*slot));
        let rows = rows.map(|record| &record.row);
        let rows: Vec<&Row> =
            rows.filter(|row| self.store.matches(relation.target, part, row)).collect();
        let is_held_here = !relation.kind.is_held_by_target();
        let (how, is_exact) =
            match is_held_here.then(|| reciprocal(self.store.schema(), self.id, relation)) {
                None => (self.keys_in(&relation.fields, &rows), true),
                Some(None) => (self.holders_of(&relation.fields, &rows, there.model), true),
                Some(Some(back)) => {
                    let own = self.holders_of(&relation.fields, &rows, there.model);
                    let parts = [own, self.keys_in(back, &rows)];
                    let parts = parts.map(|how| Seek { count: how.count(), how, is_exact: false });
                    (How::Either(parts.into()), false)
                }
            };
        let count = how.count();
        Some(Seek { how: How::Related(id, rows.len(), Box::new(how)), count, is_exact })
    }

    /// The records here whose keys are in these fields of rows there.
    fn keys_in(self, fields: &[FieldId], rows: &[&Row]) -> How {
        let slots = rows.iter().filter_map(|row| {
            let key = Key::of(fields.iter().map(|field| row.get(*field)))?;
            self.table.live_slot(key.as_str())
        });
        How::Keys(in_order(slots.collect()))
    }

    /// The records here whose foreign keys are the keys of rows there.
    fn holders_of(self, fields: &[FieldId], rows: &[&Row], there: &Model) -> How {
        let ordered = self.table.ordered_over(fields);
        let runs = rows.iter().map(|row| {
            let key: Vec<&Value> = there.key.iter().map(|field| row.get(*field)).collect();
            ordered.run(self.table, &key, None)
        });
        let runs = runs.collect();
        How::Runs(ordered, runs)
    }
}

/// The one of two that holds fewer records, or of which none need be asked.
fn fewer(one: Option<Seek>, other: Option<Seek>) -> Option<Seek> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let is_fewer = (other.count, !other.is_exact) < (one.count, !one.is_exact);
            Some(if is_fewer { other } else { one })
        }
        (one, other) => one.or(other),
    }
}
