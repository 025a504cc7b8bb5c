//! What the catalog shows for what is known and what is searched.

use crate::app_store::error::AppError;
use crate::app_store::load::Load;
use crate::domain::catalog::Product;

/// One of the catalog's faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The store is opening.
    Loading,
    /// The store cannot answer.
    Failed(AppError),
    /// There are no products at all.
    NoProducts,
    /// There are products, but none that is searched for.
    NoMatch,
    /// These.
    Products(Vec<Product>),
}

impl Shown {
    /// Says whether there is anything to search in.
    #[must_use]
    pub const fn is_searchable(&self) -> bool {
        matches!(self, Self::NoMatch | Self::Products(_))
    }

    /// Gives the products there are to show.
    #[must_use]
    pub fn products(&self) -> Vec<Product> {
        match self {
            Self::Products(products) => products.clone(),
            Self::Loading | Self::Failed(_) | Self::NoProducts | Self::NoMatch => Vec::new(),
        }
    }
}

/// Chooses the face.
#[must_use]
pub fn show(
    products: &Load<Vec<Product>>,
    search: &str,
    lower_case: impl Fn(&str) -> String,
) -> Shown {
    let all = match products {
        Load::Loading => return Shown::Loading,
        Load::Failed(error) => return Shown::Failed(error.clone()),
        Load::Ready(all) if all.is_empty() => return Shown::NoProducts,
        Load::Ready(all) => all,
    };
    let is_found = |product: &&Product| product.matches(search, &lower_case);
    let found: Vec<_> = all.iter().filter(is_found).cloned().collect();
    if found.is_empty() { Shown::NoMatch } else { Shown::Products(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::ProductId;
    use crate::domain::money::Money;

    fn product(name: &str) -> Product {
        Product {
            id: ProductId(name.into()),
            sku: String::new(),
            name: name.into(),
            price: Money::ZERO,
            picture: None,
        }
    }

    #[test]
    fn each_state_has_its_own_face() {
        let shop = vec![product("Tea"), product("Cake")];
        let error = AppError::Store("full".into());
        for (products, search, expected) in [
            (Load::Loading, "", Shown::Loading),
            (Load::Failed(error.clone()), "tea", Shown::Failed(error)),
            (Load::Ready(Vec::new()), "tea", Shown::NoProducts),
            (Load::Ready(shop.clone()), "soup", Shown::NoMatch),
            (Load::Ready(shop.clone()), "TEA", Shown::Products(vec![product("Tea")])),
            (Load::Ready(shop.clone()), " ", Shown::Products(shop)),
        ] {
            assert_eq!(show(&products, search, str::to_lowercase), expected);
        }
    }
}
