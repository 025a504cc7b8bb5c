//! Time as the shop's wall clock and calendar show it, in the words of the device's language.
//!
//! `Intl` does the calendar work. Formatters are slow to make, so each is made once.

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::domain::day::Day;
use crate::domain::receipt::Moment;

/// Gives the present moment.
#[must_use]
pub fn now() -> Moment {
    Moment(Date::new_0().to_iso_string().into())
}

/// Gives the moment so many milliseconds after 1970 began.
#[must_use]
pub fn moment_of(milliseconds: i64) -> Moment {
    // Exact for some 285,000 years.
    Moment(Date::new(&JsValue::from_f64(milliseconds as f64)).to_iso_string().into())
}

/// Gives the day a moment belongs to on this device.
#[must_use]
pub fn day_of(moment: &Moment) -> Day {
    let date = date_of(moment);
    let key = key_of(&date);
    let today = Date::new_0();
    let yesterday = Date::new_0();
    yesterday.set_date(today.get_date().wrapping_sub(1));
    let label = if key == key_of(&today) {
        "Today".to_owned()
    } else if key == key_of(&yesterday) {
        "Yesterday".to_owned()
    } else {
        DAY.with(|format| format.apply(&date))
    };
    Day { key, label }
}

/// Gives the time of day: `14:05`.
#[must_use]
pub fn time_of(moment: &Moment) -> String {
    TIME.with(|format| format.apply(&date_of(moment)))
}

/// Gives date and time, as a receipt shows them: `1 Mar 2026, 14:05`.
#[must_use]
pub fn date_and_time_of(moment: &Moment) -> String {
    DATE_AND_TIME.with(|format| format.apply(&date_of(moment)))
}

thread_local! {
    static DAY: Format =
        Format::new(&[("weekday", "long"), ("day", "numeric"), ("month", "long")]);
    static TIME: Format = Format::new(&[("hour", "2-digit"), ("minute", "2-digit")]);
    static DATE_AND_TIME: Format = Format::new(&[("dateStyle", "medium"), ("timeStyle", "short")]);
}

/// One `Intl.DateTimeFormat`, reduced to its function.
struct Format(Function);

impl Format {
    fn new(options: &[(&str, &str)]) -> Self {
        let bag = Object::new();
        for (name, value) in options {
            // Setting a property of a fresh plain object cannot fail.
            let _ = Reflect::set(&bag, &JsValue::from_str(name), &JsValue::from_str(value));
        }
        Self(Intl::DateTimeFormat::new(&Array::new(), &bag).format())
    }

    /// Formats a date. One that is no date (foreign data) shows as a dash.
    fn apply(&self, date: &Date) -> String {
        if date.get_time().is_nan() {
            return "–".to_owned();
        }
        let text = self.0.call1(&JsValue::UNDEFINED, date);
        text.ok().and_then(|text| text.as_string()).unwrap_or_else(|| "–".to_owned())
    }
}

fn date_of(moment: &Moment) -> Date {
    Date::new(&JsValue::from_str(&moment.0))
}

fn key_of(date: &Date) -> String {
    format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}
