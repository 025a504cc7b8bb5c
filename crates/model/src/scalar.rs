use crate::Value;

/// GraphQL's built-in scalars and AppSync's own (contract 4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are GraphQL's and AppSync's")]
pub enum Scalar {
    Id,
    String,
    Int,
    Float,
    Boolean,
    AwsDate,
    AwsTime,
    AwsDateTime,
    AwsTimestamp,
    AwsEmail,
    AwsJson,
    AwsPhone,
    AwsUrl,
    AwsIpAddress,
}

impl Scalar {
    /// Every scalar with its name in SDL.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Id, "ID"),
        (Self::String, "String"),
        (Self::Int, "Int"),
        (Self::Float, "Float"),
        (Self::Boolean, "Boolean"),
        (Self::AwsDate, "AWSDate"),
        (Self::AwsTime, "AWSTime"),
        (Self::AwsDateTime, "AWSDateTime"),
        (Self::AwsTimestamp, "AWSTimestamp"),
        (Self::AwsEmail, "AWSEmail"),
        (Self::AwsJson, "AWSJSON"),
        (Self::AwsPhone, "AWSPhone"),
        (Self::AwsUrl, "AWSURL"),
        (Self::AwsIpAddress, "AWSIPAddress"),
    ];

    /// The scalar of this SDL name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(scalar, _)| *scalar)
    }

    /// Its name in SDL.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(scalar, _)| *scalar == self).map_or("", |(_, name)| name)
    }

    /// One of its values as an example, for those that are texts of a format.
    #[must_use]
    pub fn example(self) -> Option<&'static str> {
        match self {
            Self::AwsDate => Some("2026-11-25"),
            Self::AwsTime => Some("12:30:45.000"),
            Self::AwsDateTime => Some("2026-11-25T12:30:45.000Z"),
            Self::AwsEmail => Some("ann@example.com"),
            Self::AwsJson => Some("{\"a\": 1}"),
            Self::AwsPhone => Some("+1 555 123-4567"),
            Self::AwsUrl => Some("https://example.com/"),
            Self::AwsIpAddress => Some("127.0.0.1"),
            Self::Id
            | Self::String
            | Self::Int
            | Self::Float
            | Self::Boolean
            | Self::AwsTimestamp => None,
        }
    }

    /// Whether a value other than null is of this scalar's type. The textual AWS scalars are
    /// checked for being text here. Their formats are checked by the server (`check_formats`), and
    /// by a client whose schema [says so](crate::Schema::checking).
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Int => matches!(value, Value::Int(number) if i32::try_from(*number).is_ok()),
            Self::AwsTimestamp => matches!(value, Value::Int(_)),
            Self::Float => matches!(value, Value::Float(number) if number.is_finite()),
            Self::Boolean => matches!(value, Value::Bool(_)),
            Self::Id
            | Self::String
            | Self::AwsDate
            | Self::AwsTime
            | Self::AwsDateTime
            | Self::AwsEmail
            | Self::AwsJson
            | Self::AwsPhone
            | Self::AwsUrl
            | Self::AwsIpAddress => matches!(value, Value::Text(_)),
        }
    }
}
