//! Tokens: which are taken, which are refused and with which words, over HTTP and over sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use espressync_model::remote::RemoteErrorKind;
use espressync_model::{Provider, Timestamp};
use espressync_resolver::Claim;
use espressync_server::app::app;
use espressync_server::auth::{Gate, JwtConfig, Keys, TokenProvider, Tokens};
use espressync_server::clock::system_time;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::program::Spoken;
use crate::support::{Server, text_of};

pub(crate) const SECRET: &str = "an-espresso-a-day-keeps-the-bugs-away";

const ISSUER: &str = "https://id.example/pool";

/// Now, moved by some seconds, as tokens say it.
pub(crate) fn seconds(by: i64) -> i64 {
    let Timestamp(now) = system_time();
    now / 1000 + by
}

/// A token by the shared secret.
pub(crate) fn token(claims: &Json) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), claims, &key).expect("a token")
}

fn claims() -> Json {
    json!({ "sub": "s1", "iss": ISSUER, "aud": "till", "exp": seconds(60) })
}

fn with(mut claims: Json, name: &str, value: Json) -> Json {
    claims[name] = value;
    claims
}

fn without(mut claims: Json, name: &str) -> Json {
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn config() -> JwtConfig {
    JwtConfig {
        issuer: Some(ISSUER.to_owned()),
        audience: vec!["till".to_owned(), "office".to_owned()],
        ..JwtConfig::default()
    }
}

pub(crate) fn by_secret() -> JwtConfig {
    JwtConfig { secret: Some(SECRET.to_owned()), ..JwtConfig::default() }
}

/// A key that signs, and what is published of it.
struct Signer {
    algorithm: Algorithm,
    id: &'static str,
    key: EncodingKey,
}

impl Signer {
    fn rsa(id: &'static str) -> Self {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
        let der = key.to_pkcs1_der().expect("DER");
        Self { algorithm: Algorithm::RS256, id, key: EncodingKey::from_rsa_der(der.as_bytes()) }
    }

    fn elliptic(id: &'static str) -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let key = EncodingKey::from_ec_der(&key.serialize_der());
        Self { algorithm: Algorithm::ES256, id, key }
    }

    fn published(&self) -> Jwk {
        let mut key = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a public key");
        key.common.key_id = Some(self.id.to_owned());
        key
    }

    fn token(&self, claims: &Json) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).expect("a token")
    }
}

fn set(signers: &[&Signer]) -> String {
    let keys = signers.iter().map(|signer| signer.published()).collect();
    serde_json::to_string(&JwkSet { keys }).expect("JSON")
}

async fn check(tokens: &Tokens, token: &str, expected: Result<&str, &str>) {
    match (tokens.check(token).await, expected) {
        (Ok(identity), Ok(sub)) => {
            assert_eq!(identity.claims["sub"], Claim::One(sub.to_owned()));
        }
        (Err(error), Err(words)) => {
            assert_eq!(error.kind, RemoteErrorKind::Unauthenticated, "{error}");
            assert!(error.message.starts_with(words), "{error}: {words}");
        }
        (found, expected) => panic!("{found:?}: {expected:?}"),
    }
}

const NOT_OURS: &str = "Token is not signed by a key that is known here.";

#[tokio::test]
async fn a_shared_secret_signs_by_hs256_alone() {
    let tokens = Tokens::new(JwtConfig { secret: Some(SECRET.to_owned()), ..config() }).unwrap();
    let signed = |algorithm, secret: &str, claims: &Json| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        encode(&Header::new(algorithm), claims, &key).unwrap()
    };
    check(&tokens, &token(&claims()), Ok("s1")).await;
    check(&tokens, &signed(Algorithm::HS256, "another", &claims()), Err(NOT_OURS)).await;
    check(&tokens, &signed(Algorithm::HS384, SECRET, &claims()), Err(NOT_OURS)).await;
    check(&tokens, &signed(Algorithm::HS512, SECRET, &claims()), Err(NOT_OURS)).await;
    let elliptic = Signer::elliptic("e").token(&claims());
    check(&tokens, &elliptic, Err(NOT_OURS)).await;
    for no_token in ["", ".", "..", "a.b.c", "Basic Zm9v", "é.é.é", "eyJhbGciOiJub25lIn0.e30."] {
        check(&tokens, no_token, Err("Unable to parse JWT token.")).await;
    }
    let good = token(&claims());
    check(&tokens, &good[..good.len() - 2], Err("")).await;
    let huge = token(&with(claims(), "cognito:groups", json!(vec!["admins"; 3_000])));
    check(&tokens, &huge, Err("Token is longer than 16384 bytes.")).await;
    check(&tokens, &"a".repeat(1 << 20), Err("Token is longer than")).await;
}

#[tokio::test]
async fn a_token_is_good_for_a_time_an_issuer_and_an_audience() {
    let tokens = Tokens::new(JwtConfig { secret: Some(SECRET.to_owned()), ..config() }).unwrap();
    let leeway = Duration::from_secs(60);
    let lenient = JwtConfig { secret: Some(SECRET.to_owned()), leeway, ..config() };
    let lenient = Tokens::new(lenient).unwrap();
    let cases = [
        (with(claims(), "exp", json!(seconds(-30))), Err("Token has expired."), Ok("s1")),
        (with(claims(), "exp", json!(seconds(-90))), Err("Token has expired."), Err("Token has ")),
        (with(claims(), "nbf", json!(seconds(30))), Err("Token is not good yet."), Ok("s1")),
        (with(claims(), "nbf", json!(seconds(-1))), Ok("s1"), Ok("s1")),
        (without(claims(), "exp"), Err("Token has no expiry."), Err("Token has no expiry.")),
        (with(claims(), "exp", json!("soon")), Err(""), Err("")),
        (with(claims(), "iss", json!("https://evil.example")), Err("Token is of another"), Err("")),
        (without(claims(), "iss"), Err("Token lacks a claim"), Err("")),
        (with(claims(), "aud", json!(["desk", "office"])), Ok("s1"), Ok("s1")),
        (with(claims(), "aud", json!("desk")), Err("Token is for another audience."), Err("")),
        (with(claims(), "aud", json!([])), Err("Token is for another audience."), Err("")),
        (without(claims(), "aud"), Err("Token is for another audience."), Err("")),
        (with(without(claims(), "aud"), "client_id", json!("till")), Ok("s1"), Ok("s1")),
        (with(without(claims(), "aud"), "azp", json!("desk")), Err("Token is for"), Err("")),
    ];
    for (claims, strict, with_leeway) in cases {
        check(&tokens, &token(&claims), strict).await;
        check(&lenient, &token(&claims), with_leeway).await;
    }
    let any = Tokens::new(by_secret()).unwrap();
    check(&any, &token(&json!({ "sub": "s2", "exp": seconds(9), "aud": "x" })), Ok("s2")).await;
}

#[tokio::test]
async fn claims_become_an_identity() {
    let config = JwtConfig { provider: TokenProvider::Oidc, ..by_secret() };
    let claims = json!({
        "sub": "s", "exp": seconds(60), "cognito:groups": ["a", 7, null], "level": 3,
        "is_barista": true, "address": { "city": "x" }, "nothing": null,
    });
    let identity = Tokens::new(config).unwrap().check(&token(&claims)).await.unwrap();
    assert_eq!(identity.provider, Provider::Oidc);
    let claim = |name: &str| identity.claims.get(name).cloned();
    assert_eq!(claim("cognito:groups"), Some(Claim::Several(vec!["a".into(), "7".into()])));
    assert_eq!(claim("level"), Some(Claim::One("3".into())));
    assert_eq!(claim("is_barista"), Some(Claim::One("true".into())));
    assert_eq!((claim("address"), claim("nothing")), (None, None));
}

#[tokio::test]
async fn a_key_of_a_set_decides_over_the_algorithm() {
    let (rsa, elliptic, stranger) =
        (Signer::rsa("r"), Signer::elliptic("e"), Signer::elliptic("e"));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("jwks.json");
    let text = set(&[&rsa, &elliptic]);
    std::fs::write(&file, &text).unwrap();
    let jwks = Some(file.display().to_string());
    let tokens = Tokens::new(JwtConfig { jwks, ..config() }).unwrap();
    check(&tokens, &rsa.token(&claims()), Ok("s1")).await;
    check(&tokens, &elliptic.token(&claims()), Ok("s1")).await;
    check(&tokens, &stranger.token(&claims()), Err(NOT_OURS)).await;
    check(&tokens, &Signer::elliptic("x").token(&claims()), Err(NOT_OURS)).await;
    // A public key is no secret: whoever takes it for one is refused.
    let modulus = serde_json::to_value(rsa.published()).unwrap()["n"].as_str().unwrap().to_owned();
    for (id, secret) in [("r", &modulus), ("r", &text), ("e", &text)] {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::HS256) };
        let key = EncodingKey::from_secret(secret.as_bytes());
        check(&tokens, &encode(&header, &claims(), &key).unwrap(), Err(NOT_OURS)).await;
    }
    let confused = Header { kid: Some("r".into()), ..Header::new(Algorithm::ES256) };
    let confused = encode(&confused, &claims(), &elliptic.key).unwrap();
    check(&tokens, &confused, Err(NOT_OURS)).await;
    let other = Header { kid: Some("r".into()), ..Header::new(Algorithm::RS512) };
    let other = encode(&other, &claims(), &rsa.key).unwrap();
    check(&tokens, &other, Err(NOT_OURS)).await;
    let nameless = encode(&Header::new(Algorithm::ES256), &claims(), &elliptic.key).unwrap();
    check(&tokens, &nameless, Err(NOT_OURS)).await;
}

#[tokio::test]
async fn secrets_and_other_uses_do_not_count_in_a_set() {
    let elliptic = Signer::elliptic("e");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("jwks.json");
    let tokens = |key: Json| {
        std::fs::write(&file, json!({ "keys": [key] }).to_string()).unwrap();
        let jwks = Some(file.display().to_string());
        Tokens::new(JwtConfig { jwks, ..config() }).unwrap()
    };
    let published = serde_json::to_value(elliptic.published()).unwrap();
    let token = elliptic.token(&claims());
    check(&tokens(published.clone()), &token, Ok("s1")).await;
    check(&tokens(without(published.clone(), "alg")), &token, Ok("s1")).await;
    check(&tokens(with(published.clone(), "use", json!("sig"))), &token, Ok("s1")).await;
    check(&tokens(with(published.clone(), "use", json!("enc"))), &token, Err(NOT_OURS)).await;
    check(&tokens(with(published.clone(), "alg", json!("ES384"))), &token, Err(NOT_OURS)).await;
    let nameless = encode(&Header::new(Algorithm::ES256), &claims(), &elliptic.key).unwrap();
    check(&tokens(published), &nameless, Ok("s1")).await;
    let secret = json!({ "kty": "oct", "kid": "e", "alg": "HS256", "k": "c2VjcmV0" });
    let header = Header { kid: Some("e".into()), ..Header::default() };
    let signed = encode(&header, &claims(), &EncodingKey::from_secret(b"secret")).unwrap();
    check(&tokens(secret), &signed, Err(NOT_OURS)).await;
}

#[tokio::test]
async fn settings_that_cannot_hold_are_refused() {
    let check = |config: JwtConfig, expected: &str| {
        let error = Tokens::new(config).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains(SECRET));
    };
    let jwks = || Some("https://id.example/jwks".to_owned());
    check(config(), "tokens need to be told from made-up ones: give --jwks or --jwt-secret");
    check(
        JwtConfig { jwks: jwks(), ..by_secret() },
        "--jwks and --jwt-secret cannot be given both",
    );
    let short = JwtConfig { secret: Some("secret".into()), ..config() };
    check(short, "the --jwt-secret is too short: it needs 32 bytes");
    let insecure = JwtConfig { jwks: Some("http://id.example/jwks".into()), ..config() };
    check(insecure, "--jwks http://id.example/jwks: give an https address");
}

/// An identity provider that counts how often it is asked.
async fn provider(set: String) -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let answer = move || {
        asked.fetch_add(1, Ordering::SeqCst);
        std::future::ready(set.clone())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
    let router = Router::new().route("/jwks", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, count)
}

#[tokio::test]
async fn a_published_set_is_asked_for_once_and_not_for_every_stranger() {
    let elliptic = Signer::elliptic("e");
    let (url, count) = provider(set(&[&elliptic])).await;
    let tokens = Arc::new(Tokens::new(JwtConfig { jwks: Some(url), ..config() }).unwrap());
    assert_eq!(count.load(Ordering::SeqCst), 0, "a server starts before its provider");
    let good = elliptic.token(&claims());
    let many = (0..20).map(|_| {
        let (tokens, good) = (Arc::clone(&tokens), good.clone());
        tokio::spawn(async move { check(&tokens, &good, Ok("s1")).await })
    });
    for each in many.collect::<Vec<_>>() {
        each.await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    // A new key of the provider's would look like this, so nobody is to lose a mutation by it.
    let stranger = Signer::elliptic("stranger").token(&claims());
    for _ in 0..5 {
        let error = tokens.check(&stranger).await.unwrap_err();
        assert_eq!(error.kind, RemoteErrorKind::Unavailable, "{error}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1, "asked again within seconds");
}

#[tokio::test]
async fn a_stranger_is_refused_for_good_once_the_published_set_was_asked_for_their_key() {
    let elliptic = Signer::elliptic("e");
    let (url, count) = provider(set(&[&elliptic])).await;
    let tokens = Tokens::new(JwtConfig { jwks: Some(url), ..config() }).unwrap();
    let stranger = Signer::elliptic("stranger").token(&claims());
    for _ in 0..5 {
        check(&tokens, &stranger, Err(NOT_OURS)).await;
    }
    check(&tokens, &elliptic.token(&claims()), Ok("s1")).await;
    assert_eq!(count.load(Ordering::SeqCst), 1, "asked for every stranger");
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_a_passing_reason() {
    let jwks = Some("http://127.0.0.1:1/jwks".to_owned());
    let tokens = Tokens::new(JwtConfig { jwks, ..config() }).unwrap();
    let token = Signer::elliptic("e").token(&claims());
    for _ in 0..2 {
        let error = tokens.check(&token).await.unwrap_err();
        assert_eq!(error.kind, RemoteErrorKind::Unavailable);
        assert!(error.message.starts_with("the keys that sign tokens cannot be read"), "{error}");
    }
}

/// A server that takes tokens by the shared secret, beside the usual key.
pub(crate) fn server(source: &str) -> Server {
    with_tokens(Server::of(source))
}

/// This server, with the same.
pub(crate) fn with_tokens(mut server: Server) -> Server {
    let state = Arc::get_mut(&mut server.state).expect("nobody else has the state");
    let keys = Keys::new(vec![crate::support::KEY.to_owned()]);
    let tokens = Tokens::new(by_secret()).expect("tokens");
    state.gate = Arc::new(Gate::new(keys).with_tokens(Some(tokens)));
    server
}

#[tokio::test]
async fn http_takes_a_token_with_or_without_bearer_and_says_what_is_wrong() {
    let server = server(crate::support::POS);
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = Request::post("/graphql");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({ "query": "{ __typename }" }).to_string();
        let request = request.body(Body::from(body)).unwrap();
        let response = app(Arc::clone(&server.state)).oneshot(request).await.unwrap();
        let kind = response.headers().get("x-amzn-errortype").cloned();
        (response.status(), kind.map(|kind| kind.to_str().unwrap().to_owned()), response)
    };
    let good = token(&json!({ "sub": "s", "exp": seconds(60) }));
    let late = token(&json!({ "sub": "s", "exp": seconds(-1) }));
    for value in [good.clone(), format!("Bearer {good}"), format!("bearer {good}")] {
        assert_eq!(ask(&[("authorization", &value)]).await.0, StatusCode::OK);
    }
    assert_eq!(ask(&[("x-api-key", crate::support::KEY)]).await.0, StatusCode::OK);
    let both = [("authorization", late.as_str()), ("x-api-key", crate::support::KEY)];
    for headers in [&[("authorization", late.as_str())][..], &both] {
        let (status, kind, response) = ask(headers).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(kind.as_deref(), Some("UnauthorizedException"));
        let expected = json!({ "errors": [
            { "errorType": "UnauthorizedException", "message": "Token has expired." }
        ] });
        let body: Json = serde_json::from_str(&text_of(response).await).unwrap();
        assert_eq!(body, expected);
    }
}

#[test]
fn a_server_that_takes_more_tokens_than_its_own_says_so_at_its_start() {
    let check = |flags: &[&str], expected: &[&str]| {
        let folder = TempDir::new().unwrap();
        let flags = [&["--jwt-secret", SECRET], flags].concat();
        let (_program, log, _) = Spoken::start(folder.path(), &flags);
        let warnings: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings.len(), expected.len(), "{log}");
        for (warning, flag) in warnings.iter().zip(expected) {
            assert!(warning.contains(&format!("without {flag}: a token ")), "{warning}");
            assert!(!warning.contains(SECRET));
        }
    };
    check(&[], &["--jwt-issuer", "--jwt-audience"]);
    check(&["--jwt-issuer", ISSUER, "--jwt-audience", "till"], &[]);
}

/// `aws-amplify` gives a mutation up that is answered with a 401, and other clients get another
/// token by that.
#[tokio::test]
async fn a_data_store_keeps_the_mutation_whose_token_has_expired() {
    let server = server(crate::support::POS);
    let data_store = "aws-amplify/6.15.1 datastore/2 framework/1";
    let check = async |agent: &str, token: &str, query: &str, is_kept: bool| {
        let body = json!({ "query": query }).to_string();
        let request = Request::post("/graphql").header("authorization", token);
        let request = request.header("x-amz-user-agent", agent).body(Body::from(body)).unwrap();
        let answer = server.router().oneshot(request).await.unwrap();
        let expected = if is_kept { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(answer.status(), expected, "{agent} {query}");
        let answer: Json = serde_json::from_str(&text_of(answer).await).unwrap();
        let error = &answer["errors"][0];
        let words = if is_kept { &error["errorInfo"] } else { &error["message"] };
        assert!(words.is_string(), "{answer}");
        assert_eq!(error["message"] == "Network Error", is_kept, "{answer}");
        if is_kept {
            assert_eq!(words, "Token has expired.");
        }
    };
    let late = token(&json!({ "sub": "s", "exp": seconds(-60) }));
    let mutation = r#"mutation m { createProduct(input: { name: "x", price: 1 }) { id } }"#;
    let query = "{ listProducts { nextToken } }";
    check(data_store, &late, mutation, true).await;
    check(data_store, &late, query, false).await;
    check("aws-amplify/6.15.1 api/1 framework/1", &late, mutation, false).await;
    let key = EncodingKey::from_secret(b"another secret of more than 32 bytes");
    let claims = json!({ "sub": "s", "exp": seconds(-60) });
    let forged = encode(&Header::default(), &claims, &key).unwrap();
    for wrong in [forged.as_str(), "a.b.c", "", &token(&json!({ "sub": "s" }))] {
        check(data_store, wrong, mutation, false).await;
    }
}
