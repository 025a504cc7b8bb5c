//! What the list of orders shows for what is known.

use crate::app_store::error::AppError;
use crate::app_store::load::Load;
use crate::domain::day::{Day, DayOfOrders, group_by_day};
use crate::domain::receipt::{Moment, OrderSummary};

/// One of the list's faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The store is opening.
    Loading,
    /// The store cannot answer.
    Failed(AppError),
    /// Nothing was sold yet.
    NoOrders,
    /// The latest orders, day by day.
    Days {
        /// The days.
        days: Vec<DayOfOrders>,
        /// How many older orders are not shown.
        more: usize,
    },
}

impl Shown {
    /// Gives the days there are to show.
    #[must_use]
    pub fn days(&self) -> Vec<DayOfOrders> {
        match self {
            Self::Days { days, .. } => days.clone(),
            Self::Loading | Self::Failed(_) | Self::NoOrders => Vec::new(),
        }
    }

    /// Counts the older orders that are not shown.
    #[must_use]
    pub const fn more(&self) -> usize {
        match self {
            Self::Days { more, .. } => *more,
            Self::Loading | Self::Failed(_) | Self::NoOrders => 0,
        }
    }
}

/// Chooses the face and shows at most `limit` orders.
pub fn show(
    orders: &Load<Vec<OrderSummary>>,
    limit: usize,
    day_of: impl Fn(&Moment) -> Day,
) -> Shown {
    match orders {
        Load::Loading => Shown::Loading,
        Load::Failed(error) => Shown::Failed(error.clone()),
        Load::Ready(all) if all.is_empty() => Shown::NoOrders,
        Load::Ready(all) => Shown::Days {
            days: group_by_day(all, limit, day_of),
            more: all.len().saturating_sub(limit),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;
    use crate::domain::receipt::OrderId;

    fn orders(count: usize) -> Load<Vec<OrderSummary>> {
        let order = |number: usize| OrderSummary {
            id: OrderId(number.to_string()),
            taken: Moment("2026".into()),
            total: Money::from_minor(100),
            pieces: 1,
            title: String::new(),
        };
        Load::Ready((0..count).map(order).collect())
    }

    #[test]
    fn the_list_grows_by_pages() {
        #[track_caller]
        fn check(load: &Load<Vec<OrderSummary>>, limit: usize, expected: (usize, usize)) {
            let day = |moment: &Moment| Day { key: moment.0.clone(), label: String::new() };
            let Shown::Days { days, more } = show(load, limit, day) else {
                panic!("there are orders");
            };
            let rows: usize = days.iter().map(|day| day.orders.len()).sum();
            assert_eq!((rows, more), expected);
        }
        check(&orders(3), 50, (3, 0));
        check(&orders(60), 50, (50, 10));
        check(&orders(60), 100, (60, 0));
    }

    #[test]
    fn nothing_sold_has_its_own_face() {
        let day = |_: &Moment| panic!("no order, no day");
        assert_eq!(show(&orders(0), 50, day), Shown::NoOrders);
        assert_eq!(show(&Load::Loading, 50, day), Shown::Loading);
    }
}
