use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::conflicts::ConflictSetting;

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// A length of time, written as `30d`, `12h`, `90m`, `45s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub Duration);

/// What browsers send as their `Origin`, such as `https://shop.example:8443`, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(pub String);

/// A number of bytes, written as `1MiB`, `512KiB` or `1000000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub usize);

/// What becomes of a write on an older version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Conflict(pub ConflictSetting);

/// Reads one text or several. Both forms are taken for keys, so that no message of the file's
/// reader shows a key that was written in the one that it does not expect.
pub(crate) fn one_or_several<'de, D>(from: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        Several(Vec<String>),
    }
    let written = Written::deserialize(from)
        .map_err(|_| D::Error::custom("should be a text or a list of texts"))?;
    Ok(Some(match written {
        Written::One(text) => vec![text],
        Written::Several(texts) => texts,
    }))
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time: write a number and s, m, h or d, such as 30d");
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let count: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
        let seconds = count.checked_mul(seconds).ok_or_else(wrong)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size: write bytes, KiB or MiB, such as 1MiB");
        let units = [("KiB", 1024), ("MiB", 1024 * 1024), ("", 1)];
        let mut split = units.iter().filter_map(|(unit, bytes)| {
            let count = text.strip_suffix(unit)?;
            Some((count.trim_end(), *bytes))
        });
        let (count, bytes) = split.next().ok_or_else(wrong)?;
        let count: usize = count.parse().map_err(|_| wrong())?;
        count.checked_mul(bytes).filter(|size| *size > 0).map(Self).ok_or_else(wrong)
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '*']);
        if text == "*" || host.is_some_and(is_host) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is no origin: write one such as https://shop.example, or *"))
    }
}

impl FromStr for Conflict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// The file's values are read as the flags' are.
macro_rules! from_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    )*};
}

from_text!(Time, Origin, Conflict, Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for right in ["https://shop.example", "http://localhost:5173", "*"] {
            assert_eq!(right.parse(), Ok(Origin(right.to_owned())));
        }
        for wrong in ["shop.example", "https://", "https://shop.example/", "https://*.example"] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_may_have_a_unit() {
        for (text, size) in [("1MiB", 1 << 20), ("3 KiB", 3072), ("17", 17)] {
            assert_eq!(text.parse(), Ok(Size(size)), "{text}");
        }
        for wrong in
            ["", "MiB", "0", "-1", "1GB", "99999999999999999999", "18446744073709551615MiB"]
        {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!("30d".parse(), Ok(Time(Duration::from_secs(30 * 24 * 3600))));
        assert_eq!("90m".parse(), Ok(Time(Duration::from_secs(5400))));
        for wrong in ["", "30", "d", "-1d", "1é", "99999999999999999d"] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }
}
