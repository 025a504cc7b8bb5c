//! What is being edited, and the form's memory.

use crate::domain::catalog::{Product, ProductDraft, ProductErrors, ProductFields, ProductId};
use crate::domain::currency::Currency;

/// The subject of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Editing {
    /// A product that does not exist yet.
    New,
    /// One that does.
    Existing(Product),
}

impl Editing {
    /// Gives the form's heading.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::New => "Add product",
            Self::Existing(_) => "Edit product",
        }
    }

    /// Gives the identity of what is edited, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<ProductId> {
        match self {
            Self::New => None,
            Self::Existing(product) => Some(product.id.clone()),
        }
    }
}

/// The form: what is typed, and what was wrong with it when it was last looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The fields as they stand.
    pub draft: ProductDraft,
    /// What is wrong. Empty until the first attempt to save, then always up to date.
    pub errors: ProductErrors,
    tried: bool,
}

impl Form {
    /// Opens the form on a subject.
    #[must_use]
    pub fn of(subject: &Editing, currency: &Currency) -> Self {
        let draft = match subject {
            Editing::New => ProductDraft::default(),
            Editing::Existing(product) => ProductDraft::of(product, currency),
        };
        Self { draft, ..Self::default() }
    }

    /// Changes a field. Complaints appear only once the user has tried to save.
    pub fn edit(&mut self, currency: &Currency, change: impl FnOnce(&mut ProductDraft)) {
        change(&mut self.draft);
        if self.tried {
            self.errors = self.draft.check(currency).err().unwrap_or_default();
        }
    }

    /// Gives what is to be stored, or notes what is wrong.
    pub fn submit(&mut self, currency: &Currency) -> Option<ProductFields> {
        self.tried = true;
        match self.draft.check(currency) {
            Ok(fields) => {
                self.errors = ProductErrors::default();
                Some(fields)
            }
            Err(errors) => {
                self.errors = errors;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;

    #[test]
    fn complaints_wait_for_the_first_attempt_and_then_follow() {
        let dollars = Currency::by_code("USD");
        let mut form = Form::of(&Editing::New, dollars);
        form.edit(dollars, |draft| draft.price = "x".into());
        assert_eq!(form.errors, ProductErrors::default());

        assert_eq!(form.submit(dollars), None);
        assert!(form.errors.name.is_some() && form.errors.price.is_some());

        form.edit(dollars, |draft| draft.name = "Tea".into());
        assert!(form.errors.name.is_none() && form.errors.price.is_some());

        form.edit(dollars, |draft| draft.price = "3,20".into());
        let fields = form.submit(dollars).expect("all is well");
        assert_eq!(fields.price, Money::from_minor(320));
    }

    #[test]
    fn an_existing_product_fills_the_form() {
        let product = Product {
            id: ProductId("t".into()),
            sku: "TEA".into(),
            name: "Tea".into(),
            price: Money::from_minor(320),
            picture: None,
        };
        let subject = Editing::Existing(product.clone());
        let form = Form::of(&subject, Currency::by_code("USD"));
        assert_eq!((form.draft.name.as_str(), form.draft.price.as_str()), ("Tea", "3.20"));
        assert_eq!(subject.id(), Some(product.id));
        assert_eq!(Editing::New.id(), None);
    }
}
