//! Converts the results of the core to those of the contract. Both have the same names; the compiler checks that none is missing.

use crate::bindings::{
    exports::poolgate::auth::verifier as wit,
    poolgate::auth::key_source::{FetchError, KeyResponse},
};
use poolgate_core as core;

/// Defines a function that converts between two enums with the same variants. `_` covers variants that a later core may add.
macro_rules! same_names {
    ($name:ident: $from:path => $to:path, else $other:ident: $($variant:ident),+ $(,)?) => {
        pub fn $name(value: $from) -> $to {
            use $from as From;
            use $to as To;
            match value {
                $(From::$variant => To::$variant,)+
                _ => To::$other,
            }
        }
    };
}

// `OtherIssuers` occurs only when a policy is changed, which the contract does not offer.
same_names! { config_error: core::ConfigError => wit::ConfigError, else OutOfRange:
    NoPool, InvalidUserPoolId, UnknownRegion, InvalidIssuer, DuplicateIssuer, UncheckedIssuerNotAlone,
    KeysNotDerivable, NoClient, EmptyList, ResourceOfIdTokens, AlgorithmNotBuilt, OutOfRange, InvalidType,
    ClientClaimMissing, ClientClaimUnused, InvalidScope, ScopeClaimOfUserPool, UnboundWithoutResources, InvalidTemplate,
    AnyClientOfIdentityPool, InvalidIdentityPool, InvalidClaimRule, InvalidLoadBalancer,
}

same_names! { key_set_error: core::KeySetError => wit::KeySetError, else Malformed:
    UnknownIssuer, OlderThanCurrent, TooLarge, Malformed, DuplicateMember, TooManyKeys, NoUsableKey, UnknownUrl, TooOld,
    NotModifiedWithoutKeys,
}

same_names! { fetch_error: core::FetchError => FetchError, else Unreachable:
    Refused, Unreachable, TimedOut, BadStatus, TooLarge,
}

same_names! { key_error: core::KeyError => wit::KeyError, else Malformed:
    Malformed, DuplicateMember, NoKeyId, KeyIdTooLong, DuplicateKeyId, NoKeyType, UnsupportedKeyType, Symmetric,
    PrivateMember, NotForSignatures, AlgorithmMismatch, MissingMember, BadEncoding, ModulusTooSmall, ModulusTooLarge,
    ModulusEven, BadExponent, BadPoint, CertificateOnly,
}

same_names! { reason: core::Reason => wit::Reason, else SandboxFailed:
    TokenEmpty, TokenTooLarge, TokenNotThreeParts, TokenEncrypted, EncodingInvalid, EncodingPadded,
    EncodingNotCanonical, HeaderMalformed, HeaderDuplicateMember, HeaderTooDeep, HeaderTrailingBytes,
    AlgorithmMissing, AlgorithmNone, AlgorithmSymmetric, AlgorithmNotAllowed, AlgorithmMismatch, CriticalHeader,
    UnencodedPayload, TypeNotAllowed, EmbeddedKey, KeyIdMissing, KeyIdInvalid, KeyIdTooLong, PayloadMalformed,
    PayloadDuplicateMember, PayloadTooDeep, PayloadTrailingBytes, IssuerMissing, IssuerInvalid, IssuerUnknown,
    ExpiryMissing, ExpiryInvalid, ExpiryOutOfRange, Expired, NotBeforeInvalid, NotYetValid, IssuedAtMissing,
    IssuedAtInvalid, IssuedInFuture, TooOld, ClaimInvalid, KeyUnknown, KeyRefused, KeysUnavailable, SignatureLength,
    SignatureOutOfRange, SignatureInvalid, TokenUseMissing, TokenUseInvalid, TokenUseMismatch, AudienceMissing,
    AudienceInvalid, AudienceMismatch, ClientMissing, ClientInvalid, ClientMismatch, ResourceMissing,
    ResourceMismatch, GroupsInvalid, GroupMissing, ScopeInvalid, ScopeMissing, NotConfigured, SandboxFailed,
    SandboxTimeout, KeyUnknownCached, KeyUnknownLimited, Overloaded, ShuttingDown,
    Revoked, RevocationUnavailable, SenderConstrained, SubjectMissing, KeyAmbiguous, ClaimMismatch, ClaimForbidden,
    NonceMismatch, AccessTokenMismatch,
    SignerMismatch, HeaderMismatch,
}

pub fn denial(denied: core::Reason) -> wit::Denial {
    let error = match denied.error_code() {
        core::ErrorCode::InvalidToken => wit::ErrorCode::InvalidToken,
        core::ErrorCode::InsufficientScope => wit::ErrorCode::InsufficientScope,
        core::ErrorCode::Unavailable => wit::ErrorCode::Unavailable,
    };
    wit::Denial {
        reason: reason(denied),
        hint: None,
        misfit: None,
        error,
        pending_key_url: None,
        pending_revocation: None,
    }
}

pub fn hint(hint: core::Hint) -> Option<wit::Hint> {
    Some(match hint {
        core::Hint::SubInvalid => wit::Hint::SubInvalid,
        core::Hint::UsernameInvalid => wit::Hint::UsernameInvalid,
        core::Hint::CognitoUsernameInvalid => wit::Hint::CognitoUsernameInvalid,
        core::Hint::AuthTimeInvalid => wit::Hint::AuthTimeInvalid,
        core::Hint::JtiInvalid => wit::Hint::JtiInvalid,
        core::Hint::OriginJtiInvalid => wit::Hint::OriginJtiInvalid,
        core::Hint::IssuerSlash => wit::Hint::IssuerSlash,
        _ => return None,
    })
}

pub fn misfit(misfit: core::Misfit) -> wit::Misfit {
    let core::Misfit { pool, rule, is_absent } = misfit;
    wit::Misfit { pool, rule, is_absent }
}

/// Returns the denial of a token while its keys are being fetched.
pub fn pending_key_url(url: String) -> wit::Denial {
    wit::Denial { pending_key_url: Some(url), ..denial(core::Reason::KeysUnavailable) }
}

/// Returns the denial of a token whose revocation status the host has not supplied yet.
pub fn pending_revocation(claims: core::RevocationClaims) -> wit::Denial {
    wit::Denial { pending_revocation: Some(revocation_claims(claims)), ..denial(core::Reason::RevocationUnavailable) }
}

pub fn revocation_claims(claims: core::RevocationClaims) -> wit::RevocationClaims {
    let core::RevocationClaims { issuer, subject, auth_time, jti, origin_jti } = claims;
    wit::RevocationClaims { issuer, subject, auth_time, jti, origin_jti }
}

pub fn revocation_mode(mode: wit::RevocationMode) -> core::RevocationMode {
    match mode {
        wit::RevocationMode::FailOpen => core::RevocationMode::FailOpen,
        wit::RevocationMode::FailClosed => core::RevocationMode::FailClosed,
    }
}

pub fn revocation_status(status: wit::RevocationStatus) -> core::RevocationStatus {
    match status {
        wit::RevocationStatus::NotRevoked => core::RevocationStatus::NotRevoked,
        wit::RevocationStatus::Revoked => core::RevocationStatus::Revoked,
        wit::RevocationStatus::Unavailable => core::RevocationStatus::Unavailable,
    }
}

pub fn verified(verified: core::Verified) -> wit::Verified {
    wit::Verified {
        subject: verified.subject,
        username: verified.username,
        token_use: verified.token_use.map(|token_use| match token_use {
            core::TokenUse::Access => wit::TokenUse::Access,
            core::TokenUse::Id => wit::TokenUse::Id,
        }),
        issuer: verified.issuer,
        client_id: verified.client_id,
        groups: verified.groups,
        scopes: verified.scopes,
        issued_at: verified.issued_at,
        expires_at: verified.expires_at,
        auth_time: verified.auth_time,
        payload: verified.payload,
        keys_are_stale: verified.keys_are_stale,
        requirements: verified.requirements,
    }
}

pub fn verify_outcome(outcome: core::VerifyOutcome) -> wit::VerifyOutcome {
    match outcome {
        core::VerifyOutcome::Verified(claims, handle) => wit::VerifyOutcome::Verified(newly_verified(claims, handle)),
        core::VerifyOutcome::Cached(hit) => wit::VerifyOutcome::Cached(cache_hit(hit)),
    }
}

pub fn newly_verified(claims: core::Verified, handle: Option<core::CacheHandle>) -> wit::NewlyVerified {
    wit::NewlyVerified { verified: verified(claims), handle: handle.map(cache_handle) }
}

pub fn cache_hit(hit: core::CacheHit) -> wit::CacheHit {
    let core::CacheHit { handle, keys_are_stale } = hit;
    wit::CacheHit { handle: cache_handle(handle), keys_are_stale }
}

fn cache_handle(handle: core::CacheHandle) -> wit::CacheHandle {
    let core::CacheHandle { slot, version } = handle;
    wit::CacheHandle { slot, version }
}

pub fn key_report(report: core::KeyReport) -> wit::KeyReport {
    wit::KeyReport {
        issuers: report.issuers,
        url: report.url,
        is_on_demand: report.is_on_demand,
        state: match report.state {
            core::KeyState::Missing => wit::KeyState::Missing,
            core::KeyState::Fresh => wit::KeyState::Fresh,
            core::KeyState::Stale => wit::KeyState::Stale,
            core::KeyState::Expired => wit::KeyState::Expired,
        },
        fetched_at: report.fetched_at,
        age: report.age,
        refresh_in: report.refresh_in,
        generation: report.generation,
        failures: report.failures,
        last_error: report.last_error.map(|error| match error {
            core::KeyRefreshError::Fetch(error) => wit::KeyRefreshError::Fetch(fetch_error(error)),
            core::KeyRefreshError::KeySet(error) => wit::KeyRefreshError::KeySet(key_set_error(error)),
        }),
        key_ids: report.key_ids.into_iter().map(Into::into).collect(),
        skipped: report.skipped.into_iter().map(skipped_key).collect(),
    }
}

/// Converts the result of a fetch. Returns `None` if the host fetches in the background.
pub fn outcome(outcome: &Result<KeyResponse, FetchError>) -> Option<Result<core::Response<'_>, core::FetchError>> {
    Some(match outcome {
        Ok(KeyResponse { body, max_age, etag }) => {
            Ok(core::Response { body: body.as_deref(), max_age: *max_age, etag: etag.as_deref() })
        }
        Err(FetchError::Deferred) => return None,
        Err(FetchError::Refused) => Err(core::FetchError::Refused),
        Err(FetchError::Unreachable) => Err(core::FetchError::Unreachable),
        Err(FetchError::TimedOut) => Err(core::FetchError::TimedOut),
        Err(FetchError::BadStatus) => Err(core::FetchError::BadStatus),
        Err(FetchError::TooLarge) => Err(core::FetchError::TooLarge),
    })
}

fn skipped_key(skipped: core::SkippedKey) -> wit::SkippedKey {
    let core::SkippedKey { index, key_id, error, member } = skipped;
    wit::SkippedKey { index, key_id: key_id.map(Into::into), error: key_error(error), member: member.map(Into::into) }
}

pub fn algorithm(algorithm: core::Algorithm) -> wit::Algorithm {
    match algorithm {
        core::Algorithm::Rs256 => wit::Algorithm::Rs256,
        core::Algorithm::Rs384 => wit::Algorithm::Rs384,
        core::Algorithm::Rs512 => wit::Algorithm::Rs512,
        core::Algorithm::Ps256 => wit::Algorithm::Ps256,
        core::Algorithm::Ps384 => wit::Algorithm::Ps384,
        core::Algorithm::Ps512 => wit::Algorithm::Ps512,
        core::Algorithm::Es256 => wit::Algorithm::Es256,
        core::Algorithm::Es384 => wit::Algorithm::Es384,
        core::Algorithm::Es512 => wit::Algorithm::Es512,
        core::Algorithm::EdDsa => wit::Algorithm::Eddsa,
    }
}
