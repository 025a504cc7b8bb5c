use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value as Json};

use crate::failure::{WireError, parse};

/// The WebSocket subprotocol that both sides agree on.
pub const PROTOCOL: &str = "graphql-ws";

/// What the offered subprotocol begins with that carries the credentials.
const HEADER_PREFIX: &str = "header-";

/// Clients write the URL's alphabet without padding; older ones the standard's with it.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, UNPADDED);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, UNPADDED);
const UNPADDED: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The URL of the realtime socket of a GraphQL endpoint (contract 5.1): AWS has a host of its own
/// for it, any other server answers at `<endpoint>/realtime`.
#[must_use]
pub fn realtime_url(endpoint: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    let scheme = if scheme == "http" || scheme == "ws" { "ws" } else { "wss" };
    let host = rest.split('/').next().unwrap_or_default();
    let is_aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    if is_aws && host.contains(".appsync-api.") {
        let rest = rest.replacen(".appsync-api.", ".appsync-realtime-api.", 1);
        return format!("{scheme}://{rest}");
    }
    format!("{scheme}://{}/realtime", rest.trim_end_matches('/'))
}

/// The host of a GraphQL endpoint, with its port, as the handshake names it.
#[must_use]
pub fn host_of(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// The subprotocols a client offers: the protocol, and the credentials as the name of another.
#[must_use]
pub fn offered_protocols(header: &Map<String, Json>) -> [String; 2] {
    let header = Json::Object(header.clone()).to_string();
    [PROTOCOL.to_owned(), format!("{HEADER_PREFIX}{}", URL_SAFE.encode(header))]
}

/// Reads the credentials from `Sec-WebSocket-Protocol`; `None` when it carries none, for older
/// clients put them into the query (see [`read_header`]) and others into HTTP headers.
///
/// # Errors
/// What is not base64 of a JSON object.
pub fn read_offered_protocols(offered: &str) -> Result<Option<Map<String, Json>>, WireError> {
    let mut names = offered.split(',').map(str::trim);
    names.find_map(|name| name.strip_prefix(HEADER_PREFIX)).map(read_header).transpose()
}

/// Reads the credentials from the query's `header`, decoded from its percent form.
///
/// # Errors
/// What is not base64 of a JSON object.
pub fn read_header(encoded: &str) -> Result<Map<String, Json>, WireError> {
    const WHAT: &str = "the handshake's header";
    let bytes = URL_SAFE.decode(encoded).or_else(|_| STANDARD.decode(encoded));
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| WireError::NotBase64 { what: WHAT.to_owned() })?;
    match parse(WHAT, &text)? {
        Json::Object(header) => Ok(header),
        other => Err(WireError::shape(WHAT, "an object", &other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Auth;

    #[test]
    fn the_socket_of_an_endpoint() {
        let check = |endpoint: &str, expected: &str| assert_eq!(realtime_url(endpoint), expected);
        check("http://localhost:4000/graphql", "ws://localhost:4000/graphql/realtime");
        check("https://till.example/graphql/", "wss://till.example/graphql/realtime");
        check(
            "https://abc.appsync-api.eu-west-1.amazonaws.com/graphql",
            "wss://abc.appsync-realtime-api.eu-west-1.amazonaws.com/graphql",
        );
        check(
            "https://abc.appsync-api.cn-north-1.amazonaws.com.cn/graphql",
            "wss://abc.appsync-realtime-api.cn-north-1.amazonaws.com.cn/graphql",
        );
        check(
            "https://x.appsync-api.example.com/graphql",
            "wss://x.appsync-api.example.com/graphql/realtime",
        );
        assert_eq!(host_of("http://localhost:4000/graphql"), "localhost:4000");
        assert_eq!(host_of("https://till.example"), "till.example");
    }

    #[test]
    fn credentials_go_and_come_as_a_subprotocol() {
        let header = Auth::ApiKey("da2-key".into()).realtime_header("till.example");
        let offered = offered_protocols(&header).join(", ");
        assert!(offered.starts_with("graphql-ws, header-eyJ"));
        assert_eq!(read_offered_protocols(&offered).unwrap(), Some(header));
        assert_eq!(read_offered_protocols("graphql-ws").unwrap(), None);
        let error = read_offered_protocols("header-????").unwrap_err();
        assert_eq!(error.to_string(), "the handshake's header is not base64 of UTF-8 text");
        for encoded in ["eyJrIjoi8J-YgD8ifQ", "eyJrIjoi8J+YgD8ifQ==", "eyJrIjoi8J+YgD8ifQ"] {
            assert_eq!(read_header(encoded).unwrap()["k"], "\u{1f600}?");
        }
        let error = read_header("MTI").unwrap_err();
        assert_eq!(error.to_string(), "the handshake's header should be an object, found 12");
    }
}
