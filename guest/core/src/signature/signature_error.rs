//! Why a signature is rejected.

use crate::reason::Reason;

/// Why a signature is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// Its length is not that of the modulus or the curve (RFC 8017 section 8.2.2 step 1, RFC 7518 section 3.4).
    Length,
    /// As a number, it is not less than the RSA modulus (RFC 8017 section 5.2.2 step 1).
    OutOfRange,
    /// It does not match.
    Mismatch,
}

impl From<SignatureError> for Reason {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Length => Reason::SignatureLength,
            SignatureError::OutOfRange => Reason::SignatureOutOfRange,
            SignatureError::Mismatch => Reason::SignatureInvalid,
        }
    }
}
