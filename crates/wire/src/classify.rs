//! Whose turn it is after an error: AppSync's names and HTTP's numbers as [`RemoteErrorKind`].
//!
//! What is not known for a definite refusal is taken for a failure of the moment, because a
//! mutation that is sent once too often can be told from its first sending, and one that is given
//! up cannot be brought back.

use espressync_model::remote::RemoteErrorKind;

/// With this message, to the letter, an `aws-amplify` client keeps the mutation and tries again
/// (contract 6.4).
pub(crate) const NETWORK_ERROR: &str = "Network Error";

const BAD_REQUEST: u16 = 400;
/// For a batch it says nothing of what is in it.
pub(crate) const TOO_LARGE: u16 = 413;

const THROTTLING: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededError",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const UNAUTHENTICATED: [&str; 9] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorizedException",
    "RequestExpired",
    "UnauthorizedException",
    "UnrecognizedClientException",
];

const INVALID: [&str; 7] = [
    "BadRequest",
    "BadRequestException",
    "MalformedHttpRequestException",
    "OperationDisabled",
    "UnsupportedOperation",
    "ValidationError",
    "ValidationException",
];

/// How AppSync's messages about a document or its variables begin: they come without a type.
const VALIDATION_MESSAGES: [&str; 7] = [
    "Validation error of type",
    "The variables input contains a field",
    "Variable '",
    "Variable \"",
    "Invalid Syntax",
    "Unable to parse GraphQL query",
    "When creating/updating any part of the composite sort key",
];

/// The kind of a GraphQL error by its type, or by its message where it has none.
pub(crate) fn graphql_error(error_type: &str, message: &str) -> RemoteErrorKind {
    if message == NETWORK_ERROR {
        return RemoteErrorKind::Unavailable;
    }
    let name = plain_name(error_type);
    if let Some(kind) = by_name(name) {
        return kind;
    }
    let begins = |start: &&str| message.starts_with(*start);
    if message.starts_with("Not Authorized to access") {
        RemoteErrorKind::Unauthorized
    } else if name.is_empty() && VALIDATION_MESSAGES.iter().any(begins) {
        RemoteErrorKind::Invalid
    } else if message.starts_with("Cannot return null for non-nullable type") {
        RemoteErrorKind::Malformed
    } else {
        RemoteErrorKind::Unavailable
    }
}

fn by_name(name: &str) -> Option<RemoteErrorKind> {
    match name {
        "Unauthorized" => Some(RemoteErrorKind::Unauthorized),
        "ConflictUnhandled" => Some(RemoteErrorKind::Conflict),
        "ConditionalCheckFailedException" => Some(RemoteErrorKind::ConditionFailed),
        name if THROTTLING.contains(&name) => Some(RemoteErrorKind::Throttled),
        name if UNAUTHENTICATED.contains(&name) => Some(RemoteErrorKind::Unauthenticated),
        name if INVALID.contains(&name) => Some(RemoteErrorKind::Invalid),
        _ => None,
    }
}

/// The kind of an HTTP answer that is no success. Only what a GraphQL server says with a status
/// that it refuses a request with is taken for a definite refusal: a proxy, a gateway with no
/// server behind it and a café's sign-in page answer 4xx too.
pub(crate) fn http_error(status: u16, error_type: &str, is_graphql: bool) -> RemoteErrorKind {
    let name = plain_name(error_type);
    match status {
        401 | 403 => RemoteErrorKind::Unauthenticated,
        429 => RemoteErrorKind::Throttled,
        500.. => match by_name(name) {
            Some(RemoteErrorKind::Throttled) => RemoteErrorKind::Throttled,
            Some(_) | None => RemoteErrorKind::Unavailable,
        },
        BAD_REQUEST | TOO_LARGE | 422 if is_graphql => {
            by_name(name).unwrap_or(RemoteErrorKind::Invalid)
        }
        _ => match by_name(name) {
            Some(kind @ (RemoteErrorKind::Throttled | RemoteErrorKind::Unauthenticated)) => kind,
            Some(_) | None if status == 408 => RemoteErrorKind::Unavailable,
            Some(_) | None => RemoteErrorKind::Malformed,
        },
    }
}

/// `DynamoDB:ConditionalCheckFailedException`, `UnauthorizedException:http://…` and
/// `com.amazonaws#ThrottlingException` without what is around the name.
fn plain_name(error_type: &str) -> &str {
    let name = error_type.rsplit_once('#').map_or(error_type, |(_, name)| name);
    let name = name.strip_prefix("DynamoDB:").unwrap_or(name);
    name.split_once(':').map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use RemoteErrorKind::{
        ConditionFailed, Conflict, Invalid, Malformed, Throttled, Unauthenticated, Unauthorized,
        Unavailable,
    };

    #[test]
    fn graphql_errors() {
        let check = |error_type: &str, message: &str, expected| {
            assert_eq!(graphql_error(error_type, message), expected, "{error_type} {message}");
        };
        check("Unauthorized", "Not Authorized to access createX on type Mutation", Unauthorized);
        check("", "Not Authorized to access createX on type Mutation", Unauthorized);
        check("UnauthorizedException", "Token has expired.", Unauthenticated);
        check("ConflictUnhandled", "Conflict resolver rejects mutation.", Conflict);
        check("ConditionalCheckFailedException", "The conditional..", ConditionFailed);
        check("DynamoDB:ConditionalCheckFailedException", "The conditional..", ConditionFailed);
        check("DynamoDB:ProvisionedThroughputExceededException", "..", Throttled);
        check("ValidationError", "..", Invalid);
        check("", "Validation error of type UnknownArgument: ..", Invalid);
        check("", "Variable 'input' has coerced Null value for NonNull type", Invalid);
        check("", "Cannot return null for non-nullable type: 'Int'", Malformed);
        check("", "something new", Unavailable);
        check("InternalFailure", "..", Unavailable);
        check("DeltaSyncWriteError", "..", Unavailable);
        check("Lambda:Unhandled", "..", Unavailable);
        check("MaxConflicts", "..", Unavailable);
        check("ConflictError", "..", Unavailable);
        // The resolver is at fault, and is mended on the server.
        check("MappingTemplate", "..", Unavailable);
        check("BadRequest", "Network Error", Unavailable);
    }

    #[test]
    fn http_errors() {
        let check = |status, error_type: &str, is_graphql, expected| {
            assert_eq!(http_error(status, error_type, is_graphql), expected, "{status}");
        };
        check(401, "UnauthorizedException", true, Unauthenticated);
        check(403, "", false, Unauthenticated);
        check(400, "UnauthorizedException:http://x/", false, Unauthenticated);
        check(429, "", false, Throttled);
        check(400, "com.amazonaws#ThrottlingException", false, Throttled);
        check(503, "", false, Unavailable);
        check(503, "ThrottlingException", false, Throttled);
        check(408, "", true, Unavailable);
        check(400, "MalformedHttpRequestException", true, Invalid);
        check(413, "", true, Invalid);
        check(422, "", true, Invalid);
        check(400, "ConflictUnhandled", true, Conflict);
        for status in [404, 405, 409, 410, 415, 421, 451] {
            check(status, "", true, Malformed);
            check(status, "ValidationError", true, Malformed);
        }
        check(408, "BadRequestException", true, Unavailable);
        check(404, "", false, Malformed);
        check(302, "", false, Malformed);
    }
}
