//! Claims that are forwarded to the application.

use poolgate_core::{CacheHandle, CacheHit, Verified};
use poolgate_path::encode_claim;
use serde_json::Value;
use std::{cell::Cell, fmt};

/// The claims of a verified token that are forwarded.
pub(crate) struct ForwardedClaims {
    /// Without its payload.
    pub(crate) verified: Verified,
    /// The payload, until the adapter takes it. `None` if the adapter needs none.
    pub(crate) payload: Cell<Option<String>>,
    /// The token's entry in the cache, if it has one.
    pub(crate) handle: Option<CacheHandle>,
    /// Whether the keys were past their soft lifetime at the last hit.
    pub(crate) keys_are_stale: Cell<bool>,
    /// The values of the configured headers, in their order.
    pub(crate) headers: Vec<Option<String>>,
    /// The values of the configured entries of the filter state, in their order.
    pub(crate) state: Vec<Option<String>>,
}

/// The claims of an admitted request, for an adapter that stores those of cached tokens itself.
pub enum AdmittedClaims {
    /// They were not returned before. The handle is absent if the token was not cached.
    New(Box<Verified>, Option<CacheHandle>),
    /// They were returned before with this handle.
    Cached(CacheHit),
}

impl fmt::Debug for AdmittedClaims {
    /// Omits the claims.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(..) => formatter.write_str("New"),
            Self::Cached(hit) => formatter.debug_tuple("Cached").field(hit).finish(),
        }
    }
}

impl ForwardedClaims {
    /// Returns the claims, the first time with the payload.
    pub(crate) fn returned(&self) -> Option<AdmittedClaims> {
        match (self.payload.take(), self.handle) {
            (Some(payload), handle) => {
                let mut verified = Box::new(self.verified.clone());
                verified.payload = payload;
                Some(AdmittedClaims::New(verified, handle))
            }
            (None, Some(handle)) => {
                Some(AdmittedClaims::Cached(CacheHit { handle, keys_are_stale: self.keys_are_stale.get() }))
            }
            (None, None) => None,
        }
    }
}

impl fmt::Debug for ForwardedClaims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ForwardedClaims").finish_non_exhaustive()
    }
}

/// The position of a claim in the payload.
#[derive(Debug)]
pub(crate) struct ClaimMapping {
    claim: String,
    path: Vec<String>,
}

impl ClaimMapping {
    pub(crate) fn new(claim: &str, path: &[String]) -> Self {
        Self { claim: claim.to_owned(), path: path.to_vec() }
    }

    /// Returns the claim as the value of a header, or `None` if the token does not have it.
    pub(crate) fn text_in(&self, payload: &Value) -> Option<String> {
        let value = self.path.iter().try_fold(payload.get(&self.claim)?, |value, name| value.get(name))?;
        match value {
            Value::Null => None,
            Value::String(text) => Some(encode_claim(text, false)),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let texts: Vec<String> =
                    items.iter().filter_map(Value::as_str).map(|text| encode_claim(text, true)).collect();
                Some(texts.join(","))
            }
            value => Some(encode_claim(&value.to_string(), false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_of_any_type_becomes_one_text() {
        let payload = json!({
            "sub": "a b", "groups": ["x,y", "50%", "ü"], "none": [], "number": 7, "yes": true, "nothing": null,
            "address": {"country": "DE", "lines": [1, "a"]}, "line": "a\r\nx-admin: 1", "space": " a ",
        });
        for (claim, path, text) in [
            ("sub", &[][..], Some("a b")),
            ("groups", &[], Some("x%2Cy,50%25,%C3%BC")),
            ("none", &[], Some("")),
            ("number", &[], Some("7")),
            ("yes", &[], Some("true")),
            ("nothing", &[], None),
            ("absent", &[], None),
            ("address", &["country"], Some("DE")),
            ("address", &["country", "deeper"], None),
            ("address", &["lines"], Some("[1,\"a\"]")),
            ("line", &[], Some("a%0D%0Ax-admin: 1")),
            ("space", &[], Some("%20a%20")),
        ] {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(ClaimMapping::new(claim, &path).text_in(&payload).as_deref(), text, "{claim}");
        }
    }
}
