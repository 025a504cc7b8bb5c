//! What the shop sells, how it is found, and what makes a product valid.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::money::{Money, MoneyError};

/// The products a new shop starts with, in the shape the server seeds from as well.
pub const DEMO_CATALOG: &str = include_str!("demo_catalog.json");

/// The pictures that ship with the app, by file name, and what each shows.
pub const PICTURES: &[(&str, &str)] = &[
    ("espresso", "Espresso"),
    ("americano", "Americano"),
    ("flat-white", "Flat white"),
    ("cappuccino", "Cappuccino"),
    ("latte", "Latte"),
    ("mocha", "Mocha"),
    ("iced-coffee", "Iced coffee"),
    ("chai", "Chai"),
    ("tea", "Tea"),
    ("juice", "Juice"),
    ("croissant", "Croissant"),
    ("muffin", "Muffin"),
    ("cookie", "Cookie"),
    ("bagel", "Bagel"),
    ("cake", "Cake"),
    ("beans", "Coffee beans"),
];

/// The longest product name, in characters.
pub const MAX_NAME: usize = 60;

/// The longest stock number, in characters.
pub const MAX_SKU: usize = 32;

/// Names a product for ever. Made where the product is made, on whichever device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(pub String);

impl fmt::Display for ProductId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One thing the shop sells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Product {
    /// Its identity.
    pub id: ProductId,
    /// The stock number, which may be empty.
    pub sku: String,
    /// What the customer calls it.
    pub name: String,
    /// What one costs, before tax.
    pub price: Money,
    /// Where its picture is, which may be nowhere.
    pub picture: Option<String>,
}

impl Product {
    /// Gives what products are sorted by: the stock number, so that the shop decides, then the
    /// name. Products without a number come last.
    #[must_use]
    pub fn shelf(&self) -> (bool, &str, &str) {
        (self.sku.is_empty(), &self.sku, &self.name)
    }

    /// Says whether a search finds it: every word must occur in its name or stock number.
    #[must_use]
    pub fn matches(&self, search: &str, lower_case: impl Fn(&str) -> String) -> bool {
        let (name, sku) = (lower_case(&self.name), lower_case(&self.sku));
        lower_case(search).split_whitespace().all(|word| name.contains(word) || sku.contains(word))
    }
}

/// Gives the address of a picture that ships with the app.
#[must_use]
pub fn picture_address(name: &str) -> String {
    format!("/products/{name}.svg")
}

/// A product as it stands in the form: text, not yet believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductDraft {
    /// The stock number field.
    pub sku: String,
    /// The name field.
    pub name: String,
    /// The price field.
    pub price: String,
    /// The picture chosen.
    pub picture: Option<String>,
}

impl ProductDraft {
    /// Fills a form from a product.
    #[must_use]
    pub fn of(product: &Product, currency: &Currency) -> Self {
        Self {
            sku: product.sku.clone(),
            name: product.name.clone(),
            price: product.price.format_plain(currency),
            picture: product.picture.clone(),
        }
    }

    /// Turns the form into what is to be stored.
    ///
    /// # Errors
    ///
    /// All that is wrong, each with its field.
    pub fn check(&self, currency: &Currency) -> Result<ProductFields, ProductErrors> {
        let name = self.name.trim();
        let sku = self.sku.trim();
        let errors = ProductErrors {
            name: text_error(name, "name", MAX_NAME, true),
            sku: text_error(sku, "stock number", MAX_SKU, false),
            price: None,
        };
        match Money::parse(&self.price, currency) {
            Ok(price) if errors == ProductErrors::default() => Ok(ProductFields {
                sku: sku.to_owned(),
                name: name.to_owned(),
                price,
                picture: self.picture.clone(),
            }),
            Ok(_) => Err(errors),
            Err(error) => Err(ProductErrors { price: Some(error), ..errors }),
        }
    }
}

fn text_error(text: &str, field: &str, most: usize, required: bool) -> Option<String> {
    if required && text.is_empty() {
        return Some(format!("Enter a {field}"));
    }
    (text.chars().count() > most).then(|| format!("At most {most} characters"))
}

/// What a product is made of, checked, without its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFields {
    /// The stock number, which may be empty.
    pub sku: String,
    /// The name, never empty.
    pub name: String,
    /// The price.
    pub price: Money,
    /// The picture's address.
    pub picture: Option<String>,
}

/// What is wrong with a product form, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductErrors {
    /// About the name.
    pub name: Option<String>,
    /// About the stock number.
    pub sku: Option<String>,
    /// About the price.
    pub price: Option<MoneyError>,
}

/// Reads a catalog file: `{"Product":[{"id", "sku", "name", "price", "image"}]}`.
///
/// # Errors
///
/// Says which part of the text is no catalog, or which product has no usable price.
pub fn read_catalog(text: &str, currency: &Currency) -> Result<Vec<Product>, CatalogError> {
    let file: CatalogFile =
        serde_json::from_str(text).map_err(|error| CatalogError::Shape(error.to_string()))?;
    file.products.into_iter().map(|row| row.into_product(currency)).collect()
}

/// Why a catalog file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The text is not of the shape above.
    #[error("this is no catalog: {0}")]
    Shape(String),
    /// A price is no amount.
    #[error("the price of {product} cannot be used: {source}")]
    Price {
        /// The product's id.
        product: ProductId,
        /// What is wrong with it.
        source: MoneyError,
    },
}

#[derive(Deserialize)]
struct CatalogFile {
    #[serde(rename = "Product")]
    products: Vec<CatalogRow>,
}

#[derive(Deserialize)]
struct CatalogRow {
    id: ProductId,
    sku: String,
    name: String,
    price: f64,
    image: Option<String>,
}

impl CatalogRow {
    fn into_product(self, currency: &Currency) -> Result<Product, CatalogError> {
        let price = Money::from_wire(self.price, currency)
            .map_err(|source| CatalogError::Price { product: self.id.clone(), source })?;
        Ok(Product { id: self.id, sku: self.sku, name: self.name, price, picture: self.image })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn dollars() -> &'static Currency {
        Currency::by_code("USD")
    }

    #[test]
    fn the_demo_catalog_is_complete_and_drawn() {
        let products = read_catalog(DEMO_CATALOG, dollars()).expect("the demo catalog reads");
        let ids: BTreeSet<_> = products.iter().map(|product| &product.id).collect();
        let skus: BTreeSet<_> = products.iter().map(|product| &product.sku).collect();
        assert_eq!((ids.len(), skus.len()), (PICTURES.len(), PICTURES.len()));
        for product in &products {
            assert!(product.price > Money::ZERO);
            let picture = product.picture.as_deref().expect("each has a picture");
            let file = format!("{}/www{picture}", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&file).exists(), "{picture} is drawn");
        }
    }

    #[test]
    fn a_bad_catalog_says_what_is_bad() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let error = read_catalog(text, dollars()).expect_err("not a catalog");
            assert!(error.to_string().contains(expected), "{error}");
        }
        check("[]", "no catalog");
        check(r#"{"Product":[{"id":"a"}]}"#, "sku");
        check(
            r#"{"Product":[{"id":"a","sku":"","name":"A","price":1e300,"image":null}]}"#,
            "the price of a",
        );
    }

    #[test]
    fn search_wants_every_word() {
        let products = read_catalog(DEMO_CATALOG, dollars()).expect("the demo catalog reads");
        let is_found = |product: &&Product, search| product.matches(search, str::to_lowercase);
        let found = |search| products.iter().filter(|product| is_found(product, search)).count();
        assert_eq!(found(""), products.len());
        assert_eq!(found("  FLAT whi "), 1);
        assert_eq!(found("101"), 1);
        assert_eq!(found("flat croissant"), 0);
    }

    #[test]
    fn a_form_is_checked_whole() {
        let draft = ProductDraft { price: "x".into(), ..ProductDraft::default() };
        let errors = draft.check(dollars()).expect_err("nothing is filled in");
        assert_eq!(errors.name.as_deref(), Some("Enter a name"));
        assert_eq!(errors.sku, None);
        assert_eq!(errors.price, Some(MoneyError::NotANumber));

        let long = ProductDraft {
            name: "n".repeat(MAX_NAME + 1),
            sku: "s".repeat(MAX_SKU + 1),
            price: "1".into(),
            picture: None,
        };
        let errors = long.check(dollars()).expect_err("too long");
        assert!(errors.name.is_some() && errors.sku.is_some() && errors.price.is_none());

        let good = ProductDraft { name: " Tea ".into(), price: "3,2".into(), ..Default::default() };
        let fields = good.check(dollars()).expect("valid");
        assert_eq!((fields.name.as_str(), fields.price), ("Tea", Money::from_minor(320)));
    }
}
