//! The explanation of a verdict.

use crate::reason::Reason;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// Why a token is accepted or rejected. It contains the content of the token: show it only to who holds the token.
// The host does not link the core, so these types also exist in host/src/explanation.rs.
#[derive(Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why the token is rejected, as [`Verifier::verify`](crate::Verifier::verify) says it if no fetch follows. `None` if it is accepted, or
    /// if only the revocation check is left.
    pub reason: Option<Reason>,
    /// The decoded header. `None` if it is not base64url of UTF-8. It may be no JSON.
    pub header: Option<String>,
    /// The decoded payload, likewise.
    pub payload: Option<String>,
    /// Whether the signature was verified with a key of the issuer. If not, anyone may have written the header and the payload.
    pub is_signature_valid: bool,
    /// The number of the pool by whose rules the token is judged: the pool of its issuer, or the only pool. `None` if there is no such pool.
    pub pool: Option<usize>,
    /// All checks, in their order. For a load balancer's token, those of the recipient come before the key. The first that failed is the
    /// reason. The later ones show what else is wrong.
    pub checks: Vec<Check>,
}

/// One check of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub stage: Stage,
    /// The result.
    pub result: CheckResult,
    /// The member of the header or the claim that is checked. `None` if it is not a single one.
    pub member: Option<String>,
    /// The value that the token has, as JSON. If it has more than 1,024 bytes, it is cut off and ends with `…`. `None` if there is none, or if
    /// `member` is `None`.
    pub found: Option<String>,
    /// What is accepted: values as JSON, or words. Empty if that is not a list.
    pub accepted: Vec<String>,
    /// More about what was compared, in sentences.
    pub detail: Option<String>,
    /// What to change, if the check has failed.
    pub advice: Option<&'static str>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// The token has passed the check.
    Passed,
    /// The check has failed with this reason.
    Failed(Reason),
    /// The policy does not ask for the check, or an earlier failure left nothing to check.
    NotChecked,
}

macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What is checked, in this order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Stage {
            $($(#[$doc])* $name,)+
        }

        impl Stage {
            /// All stages.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the name, as in the WIT contract.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

stages! {
    /// The size and the three parts.
    Form = "form",
    /// The header: base64url, JSON, and no member that must be refused.
    Header = "header",
    /// The base64url of the payload and of the signature.
    Encoding = "encoding",
    /// The JSON of the payload.
    Payload = "payload",
    /// `iss`.
    Issuer = "issuer",
    /// `signer` in the header of a load balancer's token. Only such tokens have this check.
    Signer = "signer",
    /// `typ`.
    Type = "type",
    /// Whether `kid` is present.
    KeyId = "key-id",
    /// The types of the claims.
    ClaimTypes = "claim-types",
    /// `alg`.
    Algorithm = "algorithm",
    /// `iss` and `exp` in the header of a load balancer's token. Only such tokens have this check.
    HeaderCopies = "header-copies",
    /// `exp`.
    Expiry = "expiry",
    /// `nbf`.
    NotBefore = "not-before",
    /// `iat`.
    IssuedAt = "issued-at",
    /// The maximum age since `iat`.
    Age = "age",
    /// The key: `kid` and `alg` against the key set of the issuer.
    Key = "key",
    /// The signature.
    Signature = "signature",
    /// `token_use`.
    TokenUse = "token-use",
    /// `cnf`.
    Confirmation = "confirmation",
    /// `sub`.
    Subject = "subject",
    /// The client.
    Client = "client",
    /// `aud`, the resource server.
    Resource = "resource",
    /// A claim rule of the pool. There is one check for each rule.
    ClaimRule = "claim-rule",
    /// `cognito:groups`.
    Groups = "groups",
    /// The scopes.
    Scopes = "scopes",
    /// Whether the token was revoked. An explanation does not ask the revocation store.
    Revocation = "revocation",
}

impl Check {
    #[cold]
    pub(crate) fn new(stage: Stage, result: CheckResult) -> Self {
        let advice = match result {
            CheckResult::Failed(reason) => super::advice::advice(reason),
            CheckResult::Passed | CheckResult::NotChecked => None,
        };
        Self { stage, result, member: None, found: None, accepted: Vec::new(), detail: None, advice }
    }
}

impl From<Result<(), Reason>> for CheckResult {
    fn from(result: Result<(), Reason>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(reason) => Self::Failed(reason),
        }
    }
}

impl fmt::Debug for Explanation {
    /// Omits the content of the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Explanation")
            .field("reason", &self.reason)
            .field("is_signature_valid", &self.is_signature_valid)
            .field("pool", &self.pool)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Check {
    /// Omits the content of the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Check")
            .field("stage", &self.stage)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}
