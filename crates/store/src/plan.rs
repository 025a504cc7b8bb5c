//! Choosing how a query is answered.
//!
//! An index is walked when it is in the order that the query wants; else as few records as can be
//! found are filtered and sorted. Every way is counted before it is gone, so the choice follows
//! the data and needs no statistics.

use std::ops::Range;
use std::rc::Rc;

use espressync_model::{Direction, ModelId, Predicate, Query, Sort};

use crate::Store;
use crate::index::{Ordered, upward};
use crate::seek::{Fit, Seek, Seeker, demands, fixed};
use crate::table::Table;

/// How a query is answered.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) access: Access,
    /// The sort keys that are left once what every match has in common is taken out.
    pub(crate) sort: Vec<Sort>,
    /// An index that would serve the next such query.
    pub(crate) wish: Option<Rc<[Sort]>>,
}

/// Where the records come from.
#[derive(Debug)]
pub(crate) enum Access {
    /// All of the table.
    Scan,
    /// Some of it.
    Seek(Seek),
    /// A run of an index that is in the order of the sort, or of its reverse.
    Walk { ordered: Ordered, run: Range<usize>, is_backward: bool, is_exact: bool },
}

/// Up to which row an answer is wanted: the end of its page.
pub(crate) fn end_of_page(query: &Query) -> Option<usize> {
    query.page.map(|page| page.number.saturating_add(1).saturating_mul(page.limit))
}

pub(crate) fn choose(store: &Store, id: ModelId, query: &Query) -> Choice {
    let table = store.table(id);
    let demands = demands(&query.predicate);
    // A field that is sorted by again tells nothing apart, and an index over it twice would seem
    // to answer for two comparisons of it.
    let is_again = |number: usize, key: &Sort| {
        query.sort.iter().take(number).any(|before| before.field == key.field)
    };
    let keys = query.sort.iter().enumerate();
    let sort: Vec<Sort> = keys
        .filter(|(number, key)| fixed(&demands, key.field).is_none() && !is_again(*number, key))
        .map(|(_, key)| *key)
        .collect();
    let seek = Seeker::new(store, id, query.page.is_some()).seek(&query.predicate);
    let best = seek.as_ref().map_or(table.live_count(), |seek| seek.count);
    if !sort.is_empty() && best > 1 {
        let is_whole = demands.is_empty() && query.page.is_none();
        let walk = walk(table, &demands, &sort, best, is_whole);
        if let Some(access) = walk {
            return Choice { access, sort, wish: None };
        }
    }
    let is_worth = |seek: &Seek| seek.is_exact || seek.count * 4 <= table.live_count();
    let access = seek.filter(is_worth).map_or(Access::Scan, Access::Seek);
    let wish = match &access {
        Access::Scan if table.live_count() > Table::FEW => wish(table, &demands, &sort),
        Access::Scan | Access::Seek(_) | Access::Walk { .. } => None,
    };
    Choice { access, sort, wish }
}

/// The walk of an index in the order of a sort, if that is no more work than the `best` way to
/// find records and sort them. An index over everything is built at once if everything is wanted.
fn walk(
    table: &Table,
    demands: &[&Predicate],
    sort: &[Sort],
    best: usize,
    is_whole: bool,
) -> Option<Access> {
    let plain = forward(sort);
    if is_whole {
        table.note_index(&plain);
    }
    let (keys, common, is_backward) = fitting(table, demands, sort, true)?;
    let is_exact = common == demands.len();
    let most = best.saturating_mul(4);
    if !is_exact && common == 0 && table.live_count() > most {
        return None;
    }
    let ordered = table.ordered(&keys);
    let values: Vec<_> =
        keys[..common].iter().filter_map(|key| fixed(demands, key.field)).collect();
    let run = ordered.run(table, &values, None);
    (is_exact || run.len() <= most).then_some(Access::Walk { ordered, run, is_backward, is_exact })
}

/// The index that is in the order of a sort, once the fields that it begins with are fixed; how
/// many these are; and whether it is in the reverse of that order. The more is fixed, the shorter
/// is the run.
fn fitting(
    table: &Table,
    demands: &[&Predicate],
    sort: &[Sort],
    only_ready: bool,
) -> Option<(Rc<[Sort]>, usize, bool)> {
    let all = (0..).map_while(|number| table.index_keys(number));
    let fitting = all.filter(|(_, is_ready)| *is_ready || !only_ready).filter_map(|(keys, _)| {
        let is_fixed = |key: &&Sort| fixed(demands, key.field).is_some();
        let common = keys.iter().take_while(is_fixed).count();
        let rest = &keys[common..];
        let is_backward = rest == reversed(sort);
        (is_backward || rest == sort).then_some((keys, common, is_backward))
    });
    fitting.max_by_key(|(_, common, _)| *common)
}

/// Sort keys in the way in which an index of them is kept, which serves both.
fn forward(sort: &[Sort]) -> Vec<Sort> {
    match sort.first() {
        Some(Sort { direction: Direction::Descending, .. }) => reversed(sort),
        Some(_) | None => sort.to_vec(),
    }
}

fn reversed(sort: &[Sort]) -> Vec<Sort> {
    let reverse = |key: &Sort| Sort {
        field: key.field,
        direction: match key.direction {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        },
    };
    sort.iter().map(reverse).collect()
}

/// The index that a scan would have wanted: one of its sort or of what it asks for, declared ones
/// before others.
fn wish(table: &Table, demands: &[&Predicate], sort: &[Sort]) -> Option<Rc<[Sort]>> {
    if !sort.is_empty() {
        let declared = fitting(table, demands, sort, false).map(|(keys, ..)| keys);
        return Some(declared.unwrap_or_else(|| forward(sort).into()));
    }
    let mut unready = (0..).map_while(|number| table.index_keys(number));
    let declared = unready.find(|(keys, is_ready)| !is_ready && Fit::of(keys, demands).is_some());
    declared.map(|(keys, _)| keys).or_else(|| {
        demands.iter().find_map(|demand| {
            let Predicate::Field(field, _) = demand else { return None };
            let keys = upward(&[*field]);
            Fit::of(&keys, demands).map(|_| keys.into())
        })
    })
}
