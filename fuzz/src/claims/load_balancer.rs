//! The header of a load balancer's token, and the expected result for it. It is written from docs/alb.md and from Elastic Load Balancing,
//! "Authenticate users using an Application Load Balancer": `signer` is the load balancer, `client` is the app client, and `iss` and `exp` are
//! those of the payload. Each part has exactly the padding that it needs.

use super::{
    DEPTH, ISSUER,
    change::{Change, change},
};
use crate::drawing as arbitrary;
use crate::{
    reference::{base64::padded, json::Tree},
    scene::load_balancer::{ARN, key_id},
    text::plain,
};
use derive_arbitrary::Arbitrary;
use poolgate_core::{ClientRule, IssuerRule, LoadBalancers, Pool, ResourceRule, TokenUseRule};

/// The second load balancer of the pool.
pub(super) const SECOND_ARN: &str =
    "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:loadbalancer/app/api/1234567890abcdef";
const OTHER_ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:444455556666:loadbalancer/app/web/50dc6c495c0c9188";

#[derive(Arbitrary, Debug)]
pub(super) struct HeaderPlan {
    changes: Vec<Change>,
    /// Otherwise, `iss` and `exp` are copied from the payload.
    has_own_copies: bool,
    spelling: u8,
    key: u8,
    /// The issuer has a pool of its own too.
    pub(super) is_beside: bool,
}

/// A header, and how the token is signed and written.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) tree: Tree,
    pub(super) spelling: u8,
    pub(super) key: u8,
    pub(super) is_beside: bool,
}

const MEMBERS: [&str; 11] = ["alg", "kid", "typ", "iss", "exp", "client", "signer", "crit", "jwk", "cty", "Signer"];

/// Likely values. The first two IDs of keys follow.
const TEXTS: [&str; 16] = [
    ISSUER,
    ARN,
    SECOND_ARN,
    OTHER_ARN,
    "app",
    "other app",
    "ES256",
    "RS256",
    "EdDSA",
    "none",
    "JWT",
    "Application/AT+JWT",
    "logout+jwt",
    "0000000A-aaaa-4bbb-8ccc-dddddddddddd",
    "",
    "application/",
];

impl HeaderPlan {
    /// Returns the header of a valid token with these claims, with changes.
    pub(super) fn header(&self, claims: &[(String, Tree)]) -> Header {
        let text = |text: &str| Tree::String(text.to_owned());
        let mut members = vec![
            ("typ".to_owned(), text("JWT")),
            ("kid".to_owned(), text(&key_id(0))),
            ("alg".to_owned(), text("ES256")),
            ("client".to_owned(), text("app")),
            ("signer".to_owned(), text(ARN)),
        ];
        for name in ["iss", "exp"] {
            let copied = claims.iter().find(|(own, _)| own == name).filter(|_| !self.has_own_copies);
            let own = if name == "iss" { text(ISSUER) } else { Tree::Number((super::NOW + 600).to_string()) };
            members.push((name.to_owned(), copied.map_or(own, |(_, value)| value.clone())));
        }
        let key_ids: Vec<String> = (0..2).map(key_id).collect();
        let texts: Vec<&str> = TEXTS.into_iter().chain(key_ids.iter().map(String::as_str)).collect();
        change(&mut members, &self.changes, &MEMBERS, &texts);
        let (spelling, key) = (self.spelling % 16, u8::from(self.key > 200));
        Header { tree: Tree::Object(members), spelling, key, is_beside: self.is_beside }
    }
}

/// Returns the pool for the tokens of load balancers.
pub(super) fn pool(pool: Pool) -> Pool {
    let arns = [ARN, SECOND_ARN].map(str::to_owned).into();
    let resource = match (&pool.client, &pool.resource) {
        // A configuration error: `aud` could be either.
        (ClientRule::OneOf(_), ResourceRule::OneOf(_)) => ResourceRule::Unbound,
        (_, resource) => resource.clone(),
    };
    Pool {
        issuer: IssuerRule::LoadBalancers(LoadBalancers { issuer: ISSUER.to_owned(), arns }),
        algorithms: vec![],
        token_use: TokenUseRule::Unchecked,
        client_claim: None,
        resource,
        ..pool
    }
}

impl Header {
    /// Returns whether each part is padded as it must be, whatever it contains.
    pub(super) fn is_spelled_rightly(&self) -> bool {
        !(1..=10).contains(&self.spelling)
    }

    /// Returns a part of the token in the spelling of the plan. The parts are the header, the payload and the
    /// signature.
    pub(super) fn spelled(&self, part: u8, unpadded: &str) -> String {
        let right = padded(unpadded);
        match (self.spelling, self.spelling % 3 == part) {
            (1..=3, true) => unpadded.to_owned(),
            (4..=6, true) => right + "=",
            (7..=9, true) => padded(&with_unused_bit(unpadded)),
            (10, _) => unpadded.to_owned(),
            _ => right,
        }
    }

    /// Returns whether a token with this header may be accepted by a pool of load balancers, if its payload fits.
    pub(super) fn allows(&self, payload: &Tree, pool: &Pool) -> bool {
        let header = &self.tree;
        let text = |name: &str| header.get(name).and_then(Tree::as_str);
        let copied =
            |name: &str| header.get(name).zip(payload.get(name)).is_some_and(|(own, other)| is_same(own, other));
        let fits_client = match (&pool.client, header.get("client")) {
            (ClientRule::Unchecked, None) => true,
            (ClientRule::Unchecked, Some(client)) => client.as_str().is_some(),
            (ClientRule::OneOf(clients), _) => clients.iter().any(|client| text("client") == Some(client)),
        };
        let is_text = |name: &str| header.get(name).is_none_or(|value| value.as_str().is_some());
        self.is_read()
            && text("alg") == Some("ES256")
            && (self.key == 0 && text("kid") == Some(&key_id(0)))
            && is_type(header.get("typ"))
            && ["crit", "jwk"].iter().all(|name| header.get(name).is_none())
            && is_text("cty")
            && [ARN, SECOND_ARN].contains(&text("signer").unwrap_or_default())
            && fits_client
            && copied("iss")
            && copied("exp")
    }

    /// Returns whether the header is JSON without duplicates, within the limits.
    fn is_read(&self) -> bool {
        Tree::read(plain(&self.tree).as_bytes(), DEPTH).is_ok() && !self.tree.has_duplicates()
    }
}

/// Returns the client of a token that was accepted.
pub(super) fn client(header: &Tree) -> Option<String> {
    header.get("client").and_then(Tree::as_str).map(str::to_owned)
}

/// RFC 7515 section 4.1.9: a media type, without case, whose `application/` may be omitted.
fn is_type(value: Option<&Tree>) -> bool {
    let Some(value) = value else { return true };
    let name = value.as_str().unwrap_or_default().to_ascii_lowercase();
    ["jwt", "at+jwt", "application/jwt", "application/at+jwt"].contains(&&*name)
}

/// Compares a member of the header with that of the payload. An integer is not the same as a number with a fraction or an exponent.
fn is_same(one: &Tree, other: &Tree) -> bool {
    match (one, other) {
        (Tree::Number(_), Tree::Number(_)) => match (one.as_u64(), other.as_u64()) {
            (None, None) => one.as_f64() == other.as_f64(),
            (one, other) => one == other,
        },
        (one, other) => one == other,
    }
}

/// Sets an unused bit of the last character, if there is one.
fn with_unused_bit(part: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = part.as_bytes().to_vec();
    if !part.len().is_multiple_of(4)
        && let Some(last) = bytes.last_mut()
    {
        let value = ALPHABET.iter().position(|letter| letter == last).unwrap_or_default();
        *last = ALPHABET[value | 1];
    }
    String::from_utf8(bytes).unwrap_or_default()
}
