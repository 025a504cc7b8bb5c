//! The form of the till's own settings, kept as it is typed and stored as it becomes valid.

use crate::domain::settings::{MAX_TILL_NAME, Settings};
use crate::domain::tax::TaxRate;

/// What is typed, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TillForm {
    /// The name field.
    pub name: String,
    /// The tax field.
    pub tax: String,
}

impl TillForm {
    /// Fills the form.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self { name: settings.till_name.clone(), tax: settings.tax.percent() }
    }

    /// Says what is wrong with the name.
    #[must_use]
    pub fn name_error(&self) -> Option<String> {
        let name = self.name.trim();
        if name.is_empty() {
            return Some("Enter a name".to_owned());
        }
        (name.chars().count() > MAX_TILL_NAME)
            .then(|| format!("At most {MAX_TILL_NAME} characters"))
    }

    /// Says what is wrong with the tax rate.
    #[must_use]
    pub fn tax_error(&self) -> Option<String> {
        TaxRate::parse(&self.tax).err().map(|error| error.to_string())
    }

    /// Stores every field that is valid; the others keep their last valid value.
    pub fn apply(&self, settings: &mut Settings) {
        if self.name_error().is_none() {
            settings.till_name = self.name.trim().to_owned();
        }
        if let Ok(tax) = TaxRate::parse(&self.tax) {
            settings.tax = tax;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_fields_are_stored() {
        #[track_caller]
        fn check(name: &str, tax: &str, expected: (&str, &str)) {
            let mut settings = Settings::default();
            TillForm { name: name.into(), tax: tax.into() }.apply(&mut settings);
            assert_eq!((settings.till_name.as_str(), settings.tax.percent().as_str()), expected);
        }
        check(" Front bar ", "8,25", ("Front bar", "8.25"));
        check("", "9", ("Espressync", "9"));
        check("Bar", "a lot", ("Bar", "8"));
        check(&"x".repeat(25), "-1", ("Espressync", "8"));
    }

    #[test]
    fn the_form_shows_what_is_stored() {
        let form = TillForm::of(&Settings::default());
        assert_eq!((form.name.as_str(), form.tax.as_str()), ("Espressync", "8"));
        assert_eq!((form.name_error(), form.tax_error()), (None, None));
    }
}
