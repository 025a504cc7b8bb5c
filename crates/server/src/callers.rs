use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use tower_http::cors::AllowOrigin;

use crate::app::AppState;
use crate::http::refuse;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whose pages may use the API, once they have the key.
///
/// Where the key is a secret it is the whole answer, as it is AppSync's (contract 3.4). Where
/// everybody knows it, or the server hands it out, any web page that a user of this machine opens
/// could come with it; so there the page's origin decides as well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Callers {
    /// Everybody's: what they need is the key, which no browser adds by itself.
    #[default]
    Any,
    /// This server's own, and those of the origins named here.
    Own {
        /// Origins such as `https://shop.example`; `*` stands for all of them.
        allowed: Vec<String>,
        /// Whether the server listens on this machine only: then no other machine's name can be
        /// meant by an honest request, and one that comes was pointed here (DNS rebinding).
        is_local: bool,
    },
}

impl Callers {
    /// Checks where a request for the API comes from and whom it takes this server for.
    fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let Self::Own { allowed, is_local } = self else { return Ok(()) };
        if allowed.iter().any(|origin| origin == "*") {
            return Ok(());
        }
        let host = text(headers, &HOST);
        if *is_local && !is_named(host, allowed) {
            return Err(format!("this server is not {host:?}: it answers this machine only"));
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let is_allowed = allowed.iter().any(|one| one.eq_ignore_ascii_case(origin));
        if is_allowed || is_of_host(origin, host) {
            return Ok(());
        }
        Err(format!("pages of {origin:?} may not use this server; --allow-origin lets them"))
    }

    /// Whether the pages that ask for the shared key may have it.
    pub(crate) fn may_have_key(&self, headers: &HeaderMap) -> bool {
        let Self::Own { allowed, is_local } = self else { return true };
        let host = text(headers, &HOST);
        match is_local {
            true => is_named(host, allowed),
            false => is_own_page(headers, host),
        }
    }

    /// What browsers are told of it (CORS).
    pub(crate) fn cors(&self) -> AllowOrigin {
        match self {
            Self::Own { allowed, .. } if !allowed.iter().any(|origin| origin == "*") => {
                let origins = allowed.iter().map(|origin| HeaderValue::from_str(origin));
                AllowOrigin::list(origins.filter_map(Result::ok))
            }
            Self::Any | Self::Own { .. } => AllowOrigin::any(),
        }
    }
}

/// Refuses what does not come from the callers that the API is for.
pub(crate) async fn guard(
    State(state): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    match state.callers.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(message) => {
            // Not for good: what a till could not send is sent again when the server is set right.
            let error = RemoteError::new(RemoteErrorKind::Unauthenticated, message);
            refuse(StatusCode::UNAUTHORIZED, &error)
        }
    }
}

/// Whether a request takes this server for this machine, as no page of another origin's name does.
pub(crate) fn is_from_this_machine(headers: &HeaderMap) -> bool {
    names_this_machine(text(headers, &HOST))
}

/// Whether a browser says that a page of this very server asks. Over plain HTTP to another machine
/// it says so in the `Referer` alone, which the server's own pages are told to send.
fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    match text(headers, &SEC_FETCH_SITE) {
        "" => [ORIGIN, REFERER].iter().any(|name| is_of_host(text(headers, name), host)),
        site => ["same-origin", "none"].contains(&site),
    }
}

/// Whether a host is this machine, or one that an allowed origin names (behind a proxy).
fn is_named(host: &str, allowed: &[String]) -> bool {
    names_this_machine(host) || allowed.iter().any(|origin| is_of_host(origin, host))
}

/// Whether an origin or address is of this host and port.
fn is_of_host(address: &str, host: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    !host.is_empty() && authority.eq_ignore_ascii_case(host)
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_this_machine() {
        for host in ["localhost:20002", "127.0.0.1", "[::1]:20002", "shop.localhost"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1:20002", ""] {
            assert!(!names_this_machine(host), "{host}");
        }
    }

    #[test]
    fn an_address_is_of_a_host_with_its_port() {
        assert!(is_of_host("http://localhost:8080", "localhost:8080"));
        assert!(is_of_host("https://Shop.example/orders?x=1", "shop.example"));
        for other in ["http://localhost:8081", "null", "", "http://", "localhost:8080"] {
            assert!(!is_of_host(other, "localhost:8080"), "{other}");
        }
        assert!(!is_of_host("http://", ""));
    }
}
