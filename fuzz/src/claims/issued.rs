//! A signed token: of the issuer, or of a load balancer.

use super::{ISSUER, load_balancer, load_balancer::Header, model, origin};
use crate::{
    reference::{
        base64::{encode, padded},
        json::Tree,
    },
    scene,
    text::{Order, plain, respelled},
};
use arbitrary::Unstructured;
use poolgate_core::Pool;
use sha2::{Digest, Sha256, Sha512};

/// The claims of a token, and who signs it.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) members: Vec<(String, Tree)>,
    /// `None` if the issuer signs it.
    pub(super) header: Option<Header>,
}

impl Issued {
    pub(super) fn payload(&self) -> Tree {
        Tree::Object(self.members.clone())
    }

    pub(super) fn header_tree(&self) -> Option<&Tree> {
        self.header.as_ref().map(|header| &header.tree)
    }

    /// Returns the token, with more claims.
    pub(super) fn token_with(&self, more: &[(&str, Tree)]) -> String {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let payload = plain(&Tree::Object(self.members.iter().cloned().chain(more).collect()));
        self.token(&payload, plain)
    }

    /// Returns the token with its JSON encoded in another way.
    pub(super) fn respelled(&self, input: &mut Unstructured<'_>) -> String {
        let payload = respelled(&self.payload(), Order::Changed, input);
        self.token(&payload, |tree| respelled(tree, Order::Changed, input))
    }

    fn token(&self, payload: &str, mut header_text: impl FnMut(&Tree) -> String) -> String {
        let Some(header) = &self.header else { return scene::token(0, payload) };
        let header_text = header_text(&header.tree);
        let [first, second] = [encode(header_text.as_bytes()), encode(payload.as_bytes())];
        let (first, second) = (header.spelled(0, &first), header.spelled(1, &second));
        let token = scene::load_balancer::token_of_parts(header.key, &first, &second);
        let signature = token.rsplit('.').next().unwrap_or_default().trim_end_matches('=');
        format!("{first}.{second}.{}", header.spelled(2, signature))
    }

    /// Returns whether the token is accepted, if its payload was read.
    pub(super) fn is_accepted(&self, payload: &Tree, pool: &Pool, now: u64) -> bool {
        let header = self.header.as_ref();
        let is_written_rightly = header.is_none_or(|header| {
            // Each text that is signed is the one with exactly its padding, and so is that of the signature.
            let parts = [plain(&header.tree), plain(payload)].map(|text| encode(text.as_bytes()));
            // A signature of 64 bytes, whatever they are.
            let signature = encode(&[0; 64]);
            let parts = [&*parts[0], &*parts[1], &*signature];
            (0..).zip(parts).all(|(number, part)| header.spelled(number, part) == padded(part))
        });
        is_written_rightly
            && header.is_none_or(|header| header.allows(payload, pool))
            && model::allows(payload, self.header_tree(), pool, now)
    }

    /// Returns the pools of the verifier, of which the first is that of the token.
    pub(super) fn pools(&self, pool: &Pool) -> Vec<Pool> {
        let is_beside = self.header.as_ref().is_some_and(|header| header.is_beside);
        [pool.clone()].into_iter().chain(is_beside.then(|| scene::pool(ISSUER, origin()))).collect()
    }

    /// Returns the hash of an access token that is issued with the token (OpenID Connect Core 1.0 section 3.1.3.6).
    pub(super) fn hash(&self, access_token: &str) -> String {
        match self.header {
            Some(_) => encode(&Sha256::digest(access_token)[..16]),
            None => encode(&Sha512::digest(access_token)[..32]),
        }
    }

    /// Returns the names and the bodies of the key sets.
    pub(super) fn key_sets(&self, pools: &[Pool]) -> Vec<(&'static str, String)> {
        let set = |jwk: String| format!(r#"{{"keys":[{jwk}]}}"#);
        let of_issuer = (self.header.is_none() || pools.len() > 1).then(|| (ISSUER, set(scene::jwk(0))));
        let arns = [scene::load_balancer::ARN, load_balancer::SECOND_ARN].into_iter().filter(|_| self.header.is_some());
        of_issuer.into_iter().chain(arns.map(|arn| (arn, set(scene::load_balancer::jwk(0))))).collect()
    }
}
