//! What an OpenID Connect client compares with an ID token beyond the policy: the nonce of its request, and the access token that came with it.

use super::{interrupt::Interrupt, token_verifier::Verifier};
use crate::{
    base64url,
    claims::parse_payload,
    header::Header,
    json::{Object, Value},
    jwa::Algorithm,
    reason::Reason,
};
use alloc::{string::String, vec::Vec};
use sha2::{Digest, Sha256, Sha384, Sha512};

impl Verifier {
    /// Verifies an ID token, and compares it with the request of the client (OpenID Connect Core 1.0 sections 3.1.3.7 and 3.1.3.8). What is
    /// `None` is not compared. It never requires a fetch, and it does not ask whether the token was revoked: call it after
    /// [`Verifier::verify`] has accepted the token.
    ///
    /// # Errors
    /// [`Reason::NonceMismatch`], [`Reason::AccessTokenMismatch`], and the reasons of [`Verifier::verify`].
    #[cold]
    pub fn check_id_token(
        &mut self,
        now: u64,
        token: &str,
        nonce: Option<&str>,
        access_token: Option<&str>,
    ) -> Result<(), Reason> {
        match self.verification(now).lookup_or_verify(token) {
            Ok(_) | Err(Interrupt::PendingRevocation(_)) => {}
            Err(interrupt) => return Err(self.reason(&interrupt)),
        }
        let jws = self.split(token)?;
        let Header { algorithm, .. } = Header::parse(&jws.header()?, self.limits.json_depth)?;
        let payload = String::from_utf8(jws.payload()?).map_err(|_| Reason::PayloadMalformed)?;
        let object = parse_payload(&payload, self.limits.json_depth)?;
        match nonce {
            // An empty nonce is one that the client has lost.
            Some(nonce) if nonce.is_empty() || text(&object, "nonce") != Some(nonce) => Err(Reason::NonceMismatch),
            _ => Ok(()),
        }?;
        match access_token {
            Some(access_token) if text(&object, "at_hash") != Some(&half_hash(algorithm, access_token)) => {
                Err(Reason::AccessTokenMismatch)
            }
            _ => Ok(()),
        }
    }
}

#[cold]
fn text<'o>(object: &'o Object<'_>, claim: &str) -> Option<&'o str> {
    object.get(claim).and_then(Value::as_str)
}

/// Returns the left half of the hash of an access token as base64url. The hash is the one of `alg`, and SHA-512 for Ed25519 (RFC 8032 section
/// 5.1), for which OpenID Connect names none.
#[cold]
fn half_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash: Vec<u8> = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => Sha256::digest(access_token).as_slice().into(),
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => Sha384::digest(access_token).as_slice().into(),
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 | Algorithm::EdDsa => {
            Sha512::digest(access_token).as_slice().into()
        }
    };
    base64url::encode(hash.get(..hash.len() / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::half_hash;
    use crate::jwa::Algorithm;

    #[test]
    fn the_hash_is_the_one_of_the_specification() {
        // OpenID Connect Core 1.0, appendix A.3.
        assert_eq!(
            half_hash(Algorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
        for (algorithm, length) in [(Algorithm::Es384, 32), (Algorithm::Ps512, 43), (Algorithm::EdDsa, 43)] {
            assert_eq!(half_hash(algorithm, "token").len(), length, "{algorithm:?}");
        }
    }
}
