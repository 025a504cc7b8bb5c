//! What belongs to this till rather than to the shop.

use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::tax::TaxRate;

/// The longest till name, in characters.
pub const MAX_TILL_NAME: usize = 24;

/// The till's settings. Kept on the device, never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What the till is called, on screen and on receipts.
    pub till_name: String,
    /// The tax on every order.
    pub tax: TaxRate,
    /// The code of the currency.
    pub currency: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { till_name: "Espressync".into(), tax: TaxRate::default(), currency: "USD".into() }
    }
}

impl Settings {
    /// Gives the currency amounts are in.
    #[must_use]
    pub fn currency(&self) -> &'static Currency {
        Currency::by_code(&self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_older_version_get_the_defaults() {
        let settings: Settings = serde_json::from_str(r#"{"tax":825,"gone":1}"#).expect("reads");
        assert_eq!(settings.tax, TaxRate::from_basis_points(825));
        assert_eq!(settings.currency().code, "USD");
    }
}
