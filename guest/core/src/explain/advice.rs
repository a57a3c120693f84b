//! What to change about a rejection.

use crate::reason::Reason;

/// Returns what the operator, or who sends the token, can do. `None` if nothing general can be said.
#[cold]
pub(super) fn advice(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::TokenEmpty => "Send a token. The variable or the header that should contain it is empty.",
        Reason::TokenTooLarge => {
            "Send a smaller token: fewer groups, or fewer claims from a trigger. Or raise the limit of the token's length."
        }
        Reason::TokenNotThreeParts => {
            "A signed token has three parts with dots between them. Check that it was copied whole, and that it is neither an opaque token nor a refresh token."
        }
        Reason::TokenEncrypted => {
            "This is an encrypted token. Refresh tokens of Cognito are encrypted, and are never sent to an API. Ask the issuer for signed access tokens."
        }
        Reason::EncodingInvalid => {
            "Send only the token, without `Bearer`, quotation marks, white space or line breaks, and copy it whole."
        }
        Reason::EncodingPadded => {
            "A JWT has no `=` (RFC 7515 section 2). An Application Load Balancer pads its `x-amzn-oidc-data`: use a pool of that kind, or the token in `x-amzn-oidc-accesstoken`."
        }
        Reason::EncodingNotCanonical => {
            "The last character of a part was changed. Copy the token again from where it was issued."
        }
        Reason::HeaderMalformed
        | Reason::HeaderDuplicateMember
        | Reason::HeaderTrailingBytes
        | Reason::HeaderTooDeep => "The issuer must write the header as one plain JSON object.",
        Reason::AlgorithmMissing => "The issuer must name its algorithm in `alg`.",
        Reason::AlgorithmNone => "The token is not signed. Anyone can write such a token.",
        Reason::AlgorithmSymmetric => {
            "HMAC needs a shared secret, which poolgate does not support. Configure the issuer to sign with RS256 or ES256."
        }
        Reason::AlgorithmNotAllowed => "If the issuer documents this algorithm, add it to the algorithms of the pool.",
        Reason::AlgorithmMismatch => {
            "The key with this `kid` is for another algorithm than `alg`. The token was altered, or the issuer's key set is wrong."
        }
        Reason::CriticalHeader => "The token requires an extension (`crit`) that poolgate does not have.",
        Reason::UnencodedPayload => "RFC 7797 forbids an unencoded payload in a JWT.",
        Reason::EmbeddedKey => {
            "A token must not bring its own key. Configure the issuer to name its key with `kid` only."
        }
        Reason::TypeNotAllowed => {
            "Check that this is the right kind of token. If the issuer documents this `typ` for its access tokens, add it to the types of the pool."
        }
        Reason::KeyIdMissing => "The issuer must name its key in `kid`, or publish exactly one key that fits `alg`.",
        Reason::KeyIdInvalid | Reason::KeyIdTooLong => "`kid` must be a text of 1 to 256 bytes.",
        Reason::PayloadMalformed
        | Reason::PayloadDuplicateMember
        | Reason::PayloadTrailingBytes
        | Reason::PayloadTooDeep => {
            "The issuer must write the payload as one plain JSON object. If it is nested deeper than the limit, raise the limit."
        }
        Reason::IssuerMissing | Reason::IssuerInvalid => "The issuer must name itself in `iss`, as one text.",
        Reason::IssuerUnknown => {
            "If this issuer is yours, configure it exactly as `iss` has it, with or without the slash at the end. If not, the token is for another environment or region."
        }
        Reason::ExpiryMissing => "A token without `exp` would be valid for ever. Configure the issuer to set it.",
        Reason::ExpiryInvalid | Reason::ExpiryOutOfRange | Reason::NotBeforeInvalid | Reason::IssuedAtInvalid => {
            "A time is a number of seconds since 1970, not milliseconds and not a text (RFC 7519 section 2)."
        }
        Reason::Expired => "Refresh the token, or sign in again. If it is fresh, check the clock of this host.",
        Reason::NotYetValid | Reason::IssuedInFuture => {
            "Check the clocks of this host and of the issuer. A small difference is accepted by the skew of the pool."
        }
        Reason::IssuedAtMissing => "The pool has a maximum age, which needs `iat`.",
        Reason::TooOld => "Sign in again, or raise the maximum age of the pool.",
        Reason::ClaimInvalid => "A trigger or a mapper of the issuer may have overwritten the claim.",
        Reason::KeyUnknown | Reason::KeyUnknownCached | Reason::KeyUnknownLimited => {
            "The token may be of another user pool or environment, or so old that its key was withdrawn. If the key is new, it is fetched soon."
        }
        Reason::KeyRefused => "The issuer must publish a key that can be used; see why its key is skipped.",
        Reason::KeyAmbiguous => "The issuer publishes different keys with this `kid`. It must give each its own.",
        Reason::KeysUnavailable => {
            "Fetch the keys first. If the fetch fails, check the URL, the network and the proxy."
        }
        Reason::SignatureLength | Reason::SignatureOutOfRange | Reason::SignatureInvalid => {
            "The token was altered or cut off, or another key signed it. Copy it again from where it was issued. If all tokens fail, compare the key set with the issuer's."
        }
        Reason::TokenUseMissing | Reason::TokenUseInvalid => {
            "Only Cognito user pools write `token_use`. For another issuer, configure the pool not to check it."
        }
        Reason::TokenUseMismatch => {
            "Cognito issues an access token and an ID token together. Send the one that the pool accepts: for an API, the access token."
        }
        Reason::AudienceMissing | Reason::AudienceInvalid | Reason::AudienceMismatch => {
            "Add the client to the accepted clients of the pool, if it may call this service. If `aud` names an API instead, configure it as a resource server."
        }
        Reason::ClientMissing | Reason::ClientInvalid => {
            "If the issuer names the client in another claim (`azp`, `cid`, `appid`), configure that claim."
        }
        Reason::ClientMismatch => "Add the client to the accepted clients of the pool, if it may call this service.",
        Reason::ResourceMissing => {
            "Ask for the token with the resource server (`resource` of RFC 8707). Tokens of the client credentials grant of Cognito have no `aud`: list the client as unbound."
        }
        Reason::ResourceMismatch => {
            "The token is for another API. Ask for one for this API, or configure the API's identifier as a resource server."
        }
        Reason::GroupsInvalid => "`cognito:groups` must be an array of texts.",
        Reason::GroupMissing => {
            "Add the user to the group and refresh the token, because groups are written when a token is issued."
        }
        Reason::ScopeInvalid => {
            "Scopes must be one text with spaces, or an array of texts for other issuers than user pools."
        }
        Reason::ScopeMissing => {
            "The client must ask for the scope, and the issuer must allow it. Tokens of Cognito's own API (InitiateAuth) have only `aws.cognito.signin.user.admin`."
        }
        Reason::SenderConstrained => {
            "The token is bound to a key (DPoP or mutual TLS), and poolgate checks no proof. Ask for a bearer token, or ignore `cnf` if something else checks the proof."
        }
        Reason::SubjectMissing => {
            "If the issuer's machine tokens have no `sub`, configure the pool to accept any subject."
        }
        Reason::ClaimMismatch => {
            "Compare the claim with the rule: its name, its type (`\"1\"` is not `1`), upper and lower case, and the namespace."
        }
        Reason::SignerMismatch => {
            "If this load balancer is yours, add its ARN to those of the pool. Otherwise somebody else's load balancer signed the token."
        }
        Reason::HeaderMismatch => "The token was not written by a load balancer, or it was altered.",
        Reason::NonceMismatch => {
            "Compare with the nonce of this very request, from the session of the user. If it is another one, the ID token was replayed."
        }
        Reason::AccessTokenMismatch => {
            "Compare with the access token of the same response. An issuer that writes no `at_hash` can't be checked this way."
        }
        Reason::NotConfigured
        | Reason::SandboxFailed
        | Reason::SandboxTimeout
        | Reason::Overloaded
        | Reason::ShuttingDown
        | Reason::Revoked
        | Reason::RevocationUnavailable
        | Reason::ClaimForbidden => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advice_is_a_complete_sentence() {
        let advices: alloc::vec::Vec<_> = Reason::ALL.iter().filter_map(|reason| advice(*reason)).collect();
        assert!(advices.len() >= Reason::ALL.len() - 8);
        for advice in advices {
            assert!(advice.ends_with('.') && !advice.starts_with(char::is_lowercase), "{advice}");
        }
    }
}
