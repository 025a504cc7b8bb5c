//! The formats of AppSync's textual scalars (contract 4.7).
//!
//! Where AppSync and the JavaScript client disagree on what is one, either will do: what a client
//! has taken from its user and saved is not refused by its server. So a time needs no seconds and
//! a date and time no offset, an address may have a network's suffix, a phone number no country,
//! and a URL may be of any scheme. Whether an AWSJSON holds JSON is for those who know JSON.

use std::net::IpAddr;

use crate::Scalar;

/// Whether a text is of a scalar's format, as a server asks it; see
/// [`Schema::checking`](crate::Schema::checking). With the libraries that know dates, URLs and
/// addresses: 370 KB of wasm, 120 KB on the wire.
#[cfg(feature = "formats")]
#[must_use]
pub fn fits(scalar: Scalar, text: &str) -> bool {
    let judge = Judge {
        is_moment: |date, time, offset| {
            let offset = if offset.is_empty() { "Z" } else { offset };
            format!("{date}T{time}{offset}").parse::<jiff::Timestamp>().is_ok()
        },
        is_email: |text| is_browsers_email(text) || email_address::EmailAddress::is_valid(text),
        is_url: |text| url::Url::parse(text).is_ok(),
    };
    judge.fits(scalar, text)
}

/// Whether a text looks as if it were of a scalar's format: what [`fits`] does, and a few addresses
/// and URLs that do not. For clients, which a few KB of wasm must do: they tell their user at once
/// of month 13, and leave the rest to the server.
#[must_use]
pub fn is_plausible(scalar: Scalar, text: &str) -> bool {
    let judge = Judge {
        is_moment: is_plausible_moment,
        is_email: is_plausible_email,
        is_url: is_plausible_url,
    };
    judge.fits(scalar, text)
}

/// What knows the formats that are more than a pattern.
struct Judge {
    /// Of a date, a time and an offset that have their shapes.
    is_moment: fn(&str, &str, &str) -> bool,
    is_email: fn(&str) -> bool,
    is_url: fn(&str) -> bool,
}

impl Judge {
    fn fits(&self, scalar: Scalar, text: &str) -> bool {
        match scalar {
            Scalar::AwsDate => self.is_date(text),
            Scalar::AwsTime => self.is_time(text),
            Scalar::AwsDateTime => self.is_date_time(text),
            Scalar::AwsEmail => (self.is_email)(text),
            Scalar::AwsPhone => is_phone(text),
            Scalar::AwsUrl => (self.is_url)(text),
            Scalar::AwsIpAddress => is_ip_address(text),
            Scalar::Id
            | Scalar::String
            | Scalar::Int
            | Scalar::Float
            | Scalar::Boolean
            | Scalar::AwsTimestamp
            | Scalar::AwsJson => true,
        }
    }

    /// `2026-11-25`, with or without an offset.
    fn is_date(&self, text: &str) -> bool {
        let Some((date, offset)) = text.split_at_checked("2026-11-25".len()) else { return false };
        is_shaped(date, "0000-00-00") && self.has_moment(date, "00:00:00", offset)
    }

    /// `12:30`, with or without seconds, their fraction, and an offset.
    fn is_time(&self, text: &str) -> bool {
        let offset = text.find(['Z', '+', '-']).unwrap_or(text.len());
        let (time, offset) = text.split_at(offset);
        let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let has_shape = match fraction {
            "0" if !time.contains('.') => is_shaped(whole, "00:00") || is_shaped(whole, "00:00:00"),
            _ => is_shaped(whole, "00:00:00"),
        };
        // However fine a fraction is, it makes no other time.
        let is_fraction =
            !fraction.is_empty() && fraction.chars().all(|digit| digit.is_ascii_digit());
        has_shape && is_fraction && self.has_moment("1970-01-01", whole, offset)
    }

    fn is_date_time(&self, text: &str) -> bool {
        text.split_once('T').is_some_and(|(date, time)| {
            date.len() == "2026-11-25".len() && self.is_date(date) && self.is_time(time)
        })
    }

    /// Whether there is such a date and such a time; without an offset, anywhere.
    fn has_moment(&self, date: &str, time: &str, offset: &str) -> bool {
        let is_offset = ["", "Z"].contains(&offset)
            || offset
                .strip_prefix(['+', '-'])
                .is_some_and(|offset| is_shaped(offset, "00:00") || is_shaped(offset, "00:00:00"));
        is_offset && (self.is_moment)(date, time, offset)
    }
}

/// Whether a text has digits where the shape has zeros, and is the shape elsewhere.
fn is_shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, shape)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape })
}

/// An address as the browsers take it (HTML, `input type=email`), which allows what the standard
/// does not: dots in a row, and a name of any length.
fn is_browsers_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        let is_local = |letter: char| {
            letter.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(letter)
        };
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        };
        !local.is_empty() && local.chars().all(is_local) && domain.split('.').all(is_label)
    })
}

/// Something before an `@` and something behind it, without spaces outside of quotes.
fn is_plausible_email(text: &str) -> bool {
    is_browsers_email(text)
        || text.rsplit_once('@').is_some_and(|(local, domain)| {
            let is_quoted = local.contains(['"', '(']);
            let is_plain = !local.contains(char::is_whitespace) && !local.contains('@');
            !local.is_empty() && !domain.is_empty() && (is_quoted || is_plain)
        })
}

/// A scheme, and something behind it.
fn is_plausible_url(text: &str) -> bool {
    text.trim().split_once(':').is_some_and(|(scheme, rest)| {
        let is_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(is_scheme)
            && (!scheme.to_ascii_lowercase().starts_with("http")
                || rest.chars().any(|it| it != '/'))
    })
}

/// Whether there is such a day in the calendar and such a time on the clock, leap seconds included.
fn is_plausible_moment(date: &str, time: &str, offset: &str) -> bool {
    let number = |text: Option<&str>| text.and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
    let [year, month, day] = [date.get(..4), date.get(5..7), date.get(8..)].map(number);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let below = |text: &str, most: [u32; 3]| {
        let parts = text.split(':').zip(most);
        parts.into_iter().all(|(part, most)| number(Some(part)) <= most)
    };
    (1..=days).contains(&day)
        && below(time, [23, 59, 60])
        && below(offset.trim_start_matches(['Z', '+', '-']), [25, 59, 59])
}

/// Digits with spaces and hyphens between them, behind a `+` or not.
fn is_phone(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    number.starts_with(|first: char| first.is_ascii_digit())
        && number.chars().count() > 1
        && number.chars().all(|each| each.is_ascii_digit() || each == '-' || each.is_whitespace())
}

fn is_ip_address(text: &str) -> bool {
    let (address, suffix) = match text.split_once('/') {
        Some((address, suffix)) => (address, Some(suffix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    suffix.is_none_or(|suffix| {
        let length = suffix.parse::<u8>();
        !suffix.starts_with('+') && length.is_ok_and(|length| length <= longest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scalar: Scalar, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is_plausible(scalar, text), "{text:?} looks like a good {scalar:?}");
            #[cfg(feature = "formats")]
            assert!(fits(scalar, text), "{text:?} is a good {scalar:?}");
        }
        for text in bad {
            // What this is not sure of.
            let passes = ["ann@-a.com"].contains(text);
            assert!(passes || !is_plausible(scalar, text), "{text:?} is no {scalar:?}");
            #[cfg(feature = "formats")]
            assert!(!fits(scalar, text), "{text:?} is no {scalar:?}");
        }
    }

    /// So no client refuses what a server would take.
    #[cfg(feature = "formats")]
    #[test]
    fn what_fits_is_plausible() {
        let mut random = 7_u64;
        let mut below = |limit: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(random >> 33).unwrap_or(0) % limit
        };
        let examples = Scalar::ALL.map(|(scalar, _)| scalar.example().unwrap_or("a\"b@c.d"));
        let alphabet: Vec<char> = "0123456789:-+.TZ@\"( )/ aé".chars().collect();
        let mut fitted = 0;
        for _ in 0..200_000 {
            let mut text: Vec<char> = examples[below(examples.len())].chars().collect();
            for _ in 0..below(4) {
                let (position, letter) = (below(text.len() + 1), alphabet[below(alphabet.len())]);
                match below(3) {
                    0 => text.insert(position, letter),
                    1 if position < text.len() => text[position] = letter,
                    _ if position < text.len() => drop(text.remove(position)),
                    _ => {}
                }
            }
            let text: String = text.into_iter().collect();
            for (scalar, _) in Scalar::ALL {
                let is_fit = fits(scalar, &text);
                fitted += usize::from(is_fit);
                assert!(!is_fit || is_plausible(scalar, &text), "{scalar:?} {text:?}");
            }
        }
        assert!(fitted > 100_000);
    }

    #[test]
    fn dates_and_times() {
        check(
            Scalar::AwsDate,
            &["2026-11-25", "2024-02-29", "2026-11-25Z", "2026-11-25+01:00", "1970-01-01-07:00:30"],
            &["2026-02-29", "2026-13-01", "26-11-25", "20261125", "2026-11-25T", "", "2026-11-25é"],
        );
        check(
            Scalar::AwsTime,
            &[
                "12:30",
                "12:30:45",
                "12:30:45.123",
                "12:30Z",
                "12:30:45.123+05:30",
                "23:59:59.1234567890123",
            ],
            &[
                "24:00",
                "12:60",
                "1:30",
                "12",
                "12:30.5",
                "12:30:45.",
                "12:30:45.1a",
                "12:30+5",
                "T12:30",
                "",
            ],
        );
        check(
            Scalar::AwsDateTime,
            &["2026-11-25T12:30:45.123Z", "2026-11-25T12:30", "2026-11-25T12:30:45+01:00:30"],
            &[
                "2026-11-25 12:30:45Z",
                "2026-11-25",
                "2026-11-25ZT12:30",
                "2026-02-30T00:00:00Z",
                "T",
                "2026-11-25T12:30:45[UTC]",
            ],
        );
    }

    #[test]
    fn addresses_and_numbers() {
        check(
            Scalar::AwsEmail,
            &[
                "ann@example.com",
                "ann@localhost",
                "a..b@example.com",
                "\"a b\"@example.com",
                "ann+x@ex-a.mple",
            ],
            &["ann", "@example.com", "ann@", "ann@-a.com", "a b@example.com", "ann@a@b", ""],
        );
        check(
            Scalar::AwsPhone,
            &["+1 555 123-4567", "555-1234", "0041791234567"],
            &["", "+", "5", "phone", "+1 (555) 1234", "-555", "555.1234"],
        );
        check(
            Scalar::AwsUrl,
            &["https://example.com/a?b#c", "mailto:ann@example.com", "s3://bucket//key"],
            &["example.com", "/a/b", "", "http://"],
        );
        check(
            Scalar::AwsIpAddress,
            &["127.0.0.1", "::1", "10.0.0.0/8", "2001:db8::/32"],
            &[
                "127.0.0",
                "256.0.0.1",
                "10.0.0.0/33",
                "::/129",
                "10.0.0.0/",
                "10.0.0.0/+8",
                "localhost",
                "",
            ],
        );
        check(Scalar::AwsJson, &["anything"], &[]);
        check(Scalar::String, &["", "anything"], &[]);
    }
}
