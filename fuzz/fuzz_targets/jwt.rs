//! A token of any text, and one that is signed as it should be over any header and claims, is
//! taken or refused with a reason.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use espressync_server::auth::{JwtConfig, TokenProvider, Tokens};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

const SECRET: &str = "a secret of this target, long enough to be taken";

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

struct Gate {
    runtime: Runtime,
    tokens: Tokens,
}

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let config = JwtConfig {
        secret: Some(SECRET.to_owned()),
        jwks: None,
        issuer: Some("https://issuer.example".to_owned()),
        audience: vec!["till".to_owned()],
        provider: TokenProvider::Oidc,
        leeway: Duration::from_secs(60),
    };
    let tokens = Tokens::new(config).expect("good settings");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    Gate { runtime, tokens }
});

fuzz_target!(|input: &str| {
    let (header, claims) = input.split_once('\0').unwrap_or((HEADER, input));
    for token in [input.to_owned(), signed(header, claims)] {
        if let Err(error) = GATE.runtime.block_on(GATE.tokens.check(&token)) {
            assert!(!error.message.is_empty());
        }
    }
});

fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature");
    format!("{message}.{signature}")
}
