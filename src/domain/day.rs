//! Orders by the day they were taken, as the shop's own calendar has it.
//!
//! Which day a moment belongs to depends on the time zone, which only the platform knows. It is
//! asked; nothing here calculates dates.

use super::money::Money;
use super::receipt::{Moment, OrderSummary};

/// A day of the shop's calendar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Sorts and compares: `2026-03-01`.
    pub key: String,
    /// What people read: `Today`, `Sunday, 1 March`.
    pub label: String,
}

/// The orders of one day, newest first, and what they came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOfOrders {
    /// Which day.
    pub day: Day,
    /// The sum of its orders, shown or not.
    pub total: Money,
    /// How many orders it has, shown or not.
    pub count: usize,
    /// Those of its orders that are shown.
    pub orders: Vec<OrderSummary>,
}

/// Groups orders, newest first, into days, and shows the first `limit` of them.
///
/// Totals and counts cover whole days, shown or not; days with nothing to show are left out.
pub fn group_by_day(
    orders: &[OrderSummary],
    limit: usize,
    day_of: impl Fn(&Moment) -> Day,
) -> Vec<DayOfOrders> {
    let mut days: Vec<DayOfOrders> = Vec::new();
    for (index, order) in orders.iter().enumerate() {
        let day = day_of(&order.taken);
        let starts_day = days.last().is_none_or(|last| last.day.key != day.key);
        if starts_day {
            if index >= limit {
                break;
            }
            days.push(DayOfOrders { day, total: Money::ZERO, count: 0, orders: Vec::new() });
        }
        if let Some(last) = days.last_mut() {
            last.total = last.total + order.total;
            last.count += 1;
            if index < limit {
                last.orders.push(order.clone());
            }
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::OrderId;

    fn orders(moments: &str) -> Vec<OrderSummary> {
        moments
            .split_whitespace()
            .enumerate()
            .map(|(index, moment)| OrderSummary {
                id: OrderId(index.to_string()),
                taken: Moment(moment.into()),
                total: Money::from_minor(100),
                pieces: 1,
                title: String::new(),
            })
            .collect()
    }

    #[track_caller]
    fn check(moments: &str, limit: usize, expected: &str) {
        let days = group_by_day(&orders(moments), limit, |moment| Day {
            key: moment.0[..1].to_owned(),
            label: String::new(),
        });
        let shown: Vec<_> = days
            .iter()
            .map(|day| {
                format!("{}:{}of{}={}", day.day.key, day.orders.len(), day.count, day.total.minor())
            })
            .collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn days_have_their_own_totals() {
        check("", 10, "");
        check("3a 3b 2a 1a", 10, "3:2of2=200 2:1of1=100 1:1of1=100");
    }

    #[test]
    fn a_day_cut_short_still_knows_its_total() {
        check("3a 3b 3c 2a", 2, "3:2of3=300");
        check("3a 2a 2b 2c 1a", 2, "3:1of1=100 2:1of3=300");
    }
}
