//! The result of verifying a token.

use crate::{
    cache::{CacheEntry, CacheHandle, TokenCache},
    claims::TokenUse,
    keys::Fetch,
    reason::Reason,
    revocation::RevocationClaims,
};
use alloc::{boxed::Box, string::String, vec::Vec};

/// The result of a call: a verdict, or what the caller must do first.
#[derive(Debug)]
#[must_use]
pub enum Step<T = Verified> {
    /// The verdict.
    Done(Result<T, Reason>),
    /// The keys must be fetched. Report the result to [`Verifier::fetched`](crate::Verifier::fetched), and then call
    /// [`Verifier::verify_after_fetch`](crate::Verifier::verify_after_fetch).
    NeedsKeys(Fetch),
    /// The keys are being fetched from this URL, because an earlier step required it. When that fetch has ended, call
    /// [`Verifier::verify_after_fetch`](crate::Verifier::verify_after_fetch).
    PendingFetch(String),
    /// The token is valid so far. Query whether it was revoked, and call
    /// [`Verifier::verify_with_revocation_status`](crate::Verifier::verify_with_revocation_status). This step occurs only after
    /// [`Verifier::enable_revocation_check`](crate::Verifier::enable_revocation_check).
    PendingRevocation(Box<RevocationClaims>),
}

impl<T> Step<T> {
    /// Returns the verdict for a caller that does not fetch keys or query revocation.
    ///
    /// # Errors
    /// The reason for the rejection. [`Reason::KeysUnavailable`] and [`Reason::RevocationUnavailable`] for a step without a verdict.
    pub fn verdict(self) -> Result<T, Reason> {
        match self {
            Step::Done(verdict) => verdict,
            Step::NeedsKeys(_) | Step::PendingFetch(_) => Err(Reason::KeysUnavailable),
            Step::PendingRevocation(_) => Err(Reason::RevocationUnavailable),
        }
    }

    pub(super) fn map<U>(self, verdict: impl FnOnce(T) -> Result<U, Reason>) -> Step<U> {
        match self {
            Step::Done(done) => Step::Done(done.and_then(verdict)),
            Step::NeedsKeys(fetch) => Step::NeedsKeys(fetch),
            Step::PendingFetch(url) => Step::PendingFetch(url),
            Step::PendingRevocation(claims) => Step::PendingRevocation(claims),
        }
    }
}

/// The verdict on a valid token, for a caller that stores the claims of cached tokens itself.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once, and a box would cost an allocation for each token"
)]
pub enum VerifyOutcome {
    /// The token was verified in this call. The handle identifies it in the cache; it is `None` if the token was not cached.
    Verified(Verified, Option<CacheHandle>),
    /// The token is in the cache, and its claims are those returned with this handle before. Its key and its time claims have been checked again.
    Cached(CacheHit),
}

impl VerifyOutcome {
    /// Returns the claims, copied from the cache on a cache hit. `cache` is the one that the outcome came from.
    pub(super) fn into_verified(self, cache: &TokenCache) -> Result<Verified, Reason> {
        match self {
            Self::Verified(verified, _) => Ok(verified),
            Self::Cached(CacheHit { handle, keys_are_stale }) => {
                // The lookup found the entry in the same call, so it is present.
                let entry = cache.get(handle).ok_or(Reason::NotConfigured)?;
                Ok(Verified::copy_of(entry, keys_are_stale))
            }
        }
    }
}

/// A claim rule of a pool that a token does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The number of the pool, from 0.
    pub pool: u32,
    /// The number of the rule in the pool, from 0. The rule about guests of an identity pool comes after all others.
    pub rule: u32,
    /// Whether the claim is absent. If it is absent from many tokens, the rule may name the wrong claim.
    pub is_absent: bool,
}

/// A token that was found in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheHit {
    /// Identifies the token in the cache.
    pub handle: CacheHandle,
    /// Whether the keys are past their soft lifetime now.
    pub keys_are_stale: bool,
}

/// The claims of a verified token. Only the [`Verifier`](crate::Verifier) creates it.
// The host does not link the core, so this type also exists in host/src/verdict.rs.
#[derive(Clone)]
#[non_exhaustive]
pub struct Verified {
    /// `sub`.
    pub subject: Option<String>,
    /// `username` of an access token, `cognito:username` of an ID token.
    pub username: Option<String>,
    /// `token_use`. `None` if it is not checked.
    pub token_use: Option<TokenUse>,
    /// `iss`.
    pub issuer: Option<String>,
    /// The accepted app client: `client_id`, or the matching entry of `aud`.
    pub client_id: Option<String>,
    /// `cognito:groups`.
    pub groups: Vec<String>,
    /// The scopes: `scope`, or the claim that the pool configures.
    pub scopes: Vec<String>,
    /// `iat`, in whole seconds since the Unix epoch.
    pub issued_at: Option<u64>,
    /// `exp`, in whole seconds since the Unix epoch.
    pub expires_at: u64,
    /// `auth_time`, in whole seconds since the Unix epoch.
    pub auth_time: Option<u64>,
    /// The payload as JSON text, byte for byte as it was signed.
    pub payload: String,
    /// Whether the keys are past their soft lifetime, because they could not be refreshed yet.
    pub keys_are_stale: bool,
    /// The number of the pool in [`Config::pools`](crate::Config::pools).
    pub pool: usize,
    /// The lists of [`Config::requirements`](crate::Config::requirements) that the token fits: bit n is set for list n.
    pub requirements: u64,
}

impl Verified {
    /// Copies the claims of a cached token.
    pub(super) fn copy_of(entry: &CacheEntry, keys_are_stale: bool) -> Self {
        let CacheEntry { claims, token_use, client_id, payload, policy, requirements, .. } = entry;
        Self {
            subject: claims.subject.clone(),
            username: claims.username.clone(),
            token_use: *token_use,
            issuer: claims.issuer.clone(),
            client_id: client_id.clone(),
            groups: claims.groups.clone(),
            scopes: claims.scopes.clone(),
            issued_at: claims.issued_at.map(|date| date.floor()),
            expires_at: claims.expires_at.floor(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            payload: payload.clone(),
            keys_are_stale,
            pool: *policy,
            requirements: *requirements,
        }
    }

    /// Moves the claims of a token that is not cached.
    pub(super) fn from_entry(entry: CacheEntry, keys_are_stale: bool) -> Self {
        let CacheEntry { claims, token_use, client_id, payload, policy, requirements, .. } = entry;
        Self {
            subject: claims.subject,
            username: claims.username,
            token_use,
            issuer: claims.issuer,
            client_id,
            groups: claims.groups,
            scopes: claims.scopes,
            issued_at: claims.issued_at.map(|date| date.floor()),
            expires_at: claims.expires_at.floor(),
            auth_time: claims.auth_time.map(|date| date.floor()),
            payload,
            keys_are_stale,
            pool: policy,
            requirements,
        }
    }
}

impl core::fmt::Debug for Verified {
    /// Omits the payload and what identifies a person.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Verified")
            .field("issuer", &self.issuer)
            .field("token_use", &self.token_use)
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
