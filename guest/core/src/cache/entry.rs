//! What the cache stores for a token.

use crate::{
    claims::{Claims, TokenUse},
    keys::JwksEndpointId,
};
use alloc::string::String;
use core::mem::size_of;

/// A token whose signature was verified, and the contents of its payload.
pub(crate) struct CacheEntry {
    /// The index of its policy.
    pub(crate) policy: usize,
    pub(crate) endpoint: JwksEndpointId,
    /// The generation of the key set that verified it.
    pub(crate) generation: u64,
    pub(crate) claims: Claims,
    pub(crate) token_use: Option<TokenUse>,
    pub(crate) client_id: Option<String>,
    pub(crate) payload: String,
    /// The lists of claim rules that the token fits: bit n is set for list n.
    pub(crate) requirements: u64,
}

impl CacheEntry {
    /// Returns the heap memory of the entry, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let Claims {
            issuer,
            subject,
            username,
            audience,
            client_id,
            authorized_party,
            groups,
            scopes,
            jti,
            origin_jti,
            ..
        } = &self.claims;
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let list = |list: &[String]| {
            list.iter().map(|text| text.len().saturating_add(size_of::<String>())).fold(0, usize::saturating_add)
        };
        let texts =
            [issuer, subject, username, client_id, authorized_party, jti, origin_jti, &self.client_id].map(text);
        let lists = [groups.as_slice(), scopes, audience.as_deref().unwrap_or_default()].map(list);
        texts.into_iter().chain(lists).fold(self.payload.len(), usize::saturating_add)
    }
}
