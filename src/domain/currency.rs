//! The currencies a till can be set to.

/// How amounts of one currency are written, and which notes are handed over a counter.
#[derive(Debug, PartialEq, Eq)]
pub struct Currency {
    /// The ISO 4217 code, which is what the settings store.
    pub code: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The sign, with its space where custom wants one.
    pub symbol: &'static str,
    /// Whether the sign stands before the number.
    pub symbol_first: bool,
    /// How many decimals it has.
    pub digits: u8,
    /// The notes and large coins customers pay with, in minor units, smallest first.
    pub notes: &'static [i64],
}

/// Every currency there is to choose from. The first is the default.
pub const CURRENCIES: &[Currency] = &[
    before("USD", "US dollar", "$", &[500, 1_000, 2_000, 5_000, 10_000]),
    before("EUR", "Euro", "€", &[500, 1_000, 2_000, 5_000, 10_000]),
    before("GBP", "British pound", "£", &[500, 1_000, 2_000, 5_000]),
    before("AUD", "Australian dollar", "$", &[500, 1_000, 2_000, 5_000, 10_000]),
    before("CAD", "Canadian dollar", "$", &[500, 1_000, 2_000, 5_000, 10_000]),
    before("CHF", "Swiss franc", "CHF\u{a0}", &[500, 1_000, 2_000, 5_000, 10_000]),
    Currency {
        code: "SEK",
        name: "Swedish krona",
        symbol: "\u{a0}kr",
        symbol_first: false,
        digits: 2,
        notes: &[2_000, 5_000, 10_000, 20_000, 50_000],
    },
    Currency {
        code: "JPY",
        name: "Japanese yen",
        symbol: "¥",
        symbol_first: true,
        digits: 0,
        notes: &[500, 1_000, 5_000, 10_000],
    },
];

const fn before(
    code: &'static str,
    name: &'static str,
    symbol: &'static str,
    notes: &'static [i64],
) -> Currency {
    Currency { code, name, symbol, symbol_first: true, digits: 2, notes }
}

impl Currency {
    /// Finds a currency by its code; one that is not known gives the default.
    #[must_use]
    pub fn by_code(code: &str) -> &'static Self {
        CURRENCIES.iter().find(|currency| currency.code == code).unwrap_or(&CURRENCIES[0])
    }

    /// Gives the number of minor units in a major one.
    #[must_use]
    pub const fn scale(&self) -> i64 {
        10_i64.pow(self.digits as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_notes_rise() {
        for currency in CURRENCIES {
            assert_eq!(Currency::by_code(currency.code), currency);
            assert!(currency.notes.is_sorted());
        }
        assert_eq!(Currency::by_code("XYZ").code, "USD");
    }
}
