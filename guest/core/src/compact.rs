//! The first room: the compact serialization (RFC 7515 section 7.1), split and nothing more.

use crate::{Reason, base64url};
use alloc::vec::Vec;

/// A token of exactly three parts within the size limit. The parts are not decoded yet.
#[derive(Clone, Copy)]
pub struct CompactJws<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

impl<'a> CompactJws<'a> {
    /// Splits a token of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Reason::TokenEmpty`], [`Reason::TokenTooLarge`], [`Reason::TokenEncrypted`] for five parts, and
    /// [`Reason::TokenNotThreeParts`] for any other number but three.
    pub fn split(token: &'a str, limit: usize) -> Result<Self, Reason> {
        if token.is_empty() {
            return Err(Reason::TokenEmpty);
        }
        if token.len() > limit {
            return Err(Reason::TokenTooLarge);
        }
        let mut parts = token.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(payload), Some(signature), None, None, None) => {
                let (signing_input, _) = token.rsplit_once('.').ok_or(Reason::TokenNotThreeParts)?;
                Ok(Self { header, payload, signature, signing_input })
            }
            (_, _, _, _, Some(_), None) => Err(Reason::TokenEncrypted),
            _ => Err(Reason::TokenNotThreeParts),
        }
    }

    /// The decoded JOSE header.
    pub fn header(&self) -> Result<Vec<u8>, Reason> {
        decode(self.header)
    }

    /// The decoded payload.
    pub fn payload(&self) -> Result<Vec<u8>, Reason> {
        decode(self.payload)
    }

    /// The decoded signature.
    pub fn signature(&self) -> Result<Vec<u8>, Reason> {
        decode(self.signature)
    }

    /// What was signed: the first two parts with the dot between them (RFC 7515 section 5.2, step 8).
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input.as_bytes()
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    base64url::decode(part).map_err(|fault| match fault {
        base64url::Fault::Invalid => Reason::EncodingInvalid,
        base64url::Fault::Padded => Reason::EncodingPadded,
        base64url::Fault::NotCanonical => Reason::EncodingNotCanonical,
    })
}
