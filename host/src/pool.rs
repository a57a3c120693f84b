//! What the operator states about a pool. Skipping a check has to be written down; forgetting one does not build.

use crate::{BuildError, bindings::exports::poolgate::auth::verifier as wit, key_source::KeyUrl, verdict::Algorithm};
use std::time::Duration;

pub use wit::TokenUseRule;

/// How far `iat` and `nbf` may lie in the future unless stated, for clocks that differ.
const ISSUED_AT_SKEW: Duration = Duration::from_secs(60);

/// The rules for the tokens of one issuer.
///
/// ```
/// use poolgate::{Pool, TokenUseRule};
///
/// let pool = Pool::user_pool("eu-west-1_EXAMPLE01")
///     .token_use(TokenUseRule::Access)
///     .client_ids(["1example23456789"])
///     .any_of_groups(["admins", "operators"]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Pool {
    issuer: wit::IssuerRule,
    keys: wit::KeyOrigin,
    algorithms: Vec<Algorithm>,
    token_use: Option<TokenUseRule>,
    client: Option<wit::ClientRule>,
    groups: wit::Membership,
    scopes: wit::Membership,
    resource: wit::ResourceRule,
    subject: wit::SubjectRule,
    confirmation: wit::ConfirmationRule,
    /// A list that was stated a second time.
    stated_twice: Option<&'static str>,
    max_age: Option<Duration>,
    leeway: Duration,
    issued_at_skew: Duration,
}

impl Pool {
    /// The tokens of an Amazon Cognito user pool, in both of its issuer forms. The region is the one in the ID.
    pub fn user_pool(id: impl Into<String>) -> Self {
        Self::of(wit::IssuerRule::UserPool(wit::UserPool { id: id.into(), region: None }))
    }

    /// The tokens of exactly this `iss`, for emulators and other OpenID providers.
    pub fn issuer(issuer: impl Into<String>) -> Self {
        Self::of(wit::IssuerRule::Exactly(issuer.into()))
    }

    /// **Skips the check of `iss`.** The verifier must have no other pool, and the URL of the keys must be stated.
    pub fn any_issuer() -> Self {
        Self::of(wit::IssuerRule::Unchecked)
    }

    fn of(issuer: wit::IssuerRule) -> Self {
        Self {
            issuer,
            keys: wit::KeyOrigin::Derived,
            algorithms: Vec::new(),
            token_use: None,
            client: None,
            groups: wit::Membership { any_of: None, all_of: None },
            scopes: wit::Membership { any_of: None, all_of: None },
            resource: wit::ResourceRule::Unbound,
            subject: wit::SubjectRule::Required,
            confirmation: wit::ConfirmationRule::Refuse,
            stated_twice: None,
            max_age: None,
            leeway: Duration::ZERO,
            issued_at_skew: ISSUED_AT_SKEW,
        }
    }

    /// The region whose issuer a user pool's tokens carry, where it is not the one in the ID.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        if let wit::IssuerRule::UserPool(pool) = &mut self.issuer {
            pool.region = Some(region.into());
        }
        self
    }

    /// Fetches the keys from this URL, not from `<issuer>/.well-known/jwks.json`.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.keys = wit::KeyOrigin::Url(url.into());
        self
    }

    /// Never fetches: only [`Verifier::load_key_set`](crate::Verifier::load_key_set) brings keys.
    pub fn local_keys_only(mut self) -> Self {
        self.keys = wit::KeyOrigin::Local;
        self
    }

    /// Accepts these algorithms. Without it RS256 alone, the one that Cognito signs with.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts access or ID tokens. It must be stated.
    pub fn token_use(mut self, rule: TokenUseRule) -> Self {
        self.token_use = Some(rule);
        self
    }

    /// Accepts tokens of these app clients. This or [`Pool::any_client`] must be stated.
    pub fn client_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.client = Some(wit::ClientRule::OneOf(strings(ids)));
        self
    }

    /// **Skips the check of the app client**: any client of the pool is accepted.
    pub fn any_client(mut self) -> Self {
        self.client = Some(wit::ClientRule::Unchecked);
        self
    }

    /// Asks for at least one of these `cognito:groups`; with [`Pool::all_of_groups`], for both. [`VerifierBuilder::build`] refuses an empty
    /// list, an empty name, and a list that is stated twice; so it is with the three below.
    ///
    /// [`VerifierBuilder::build`]: crate::VerifierBuilder::build
    pub fn any_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.groups.any_of.replace(strings(groups));
        self.stated_twice = self.stated_twice.or(earlier.map(|_| "any_of_groups"));
        self
    }

    /// Asks for every one of these `cognito:groups`.
    pub fn all_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.groups.all_of.replace(strings(groups));
        self.stated_twice = self.stated_twice.or(earlier.map(|_| "all_of_groups"));
        self
    }

    /// Asks for at least one of these scopes. ID tokens have none.
    pub fn any_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.scopes.any_of.replace(strings(scopes));
        self.stated_twice = self.stated_twice.or(earlier.map(|_| "any_of_scopes"));
        self
    }

    /// Asks for every one of these scopes. ID tokens have none.
    pub fn all_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.scopes.all_of.replace(strings(scopes));
        self.stated_twice = self.stated_twice.or(earlier.map(|_| "all_of_scopes"));
        self
    }

    /// Asks that an access token is bound to one of these resource servers (`aud`; RFC 8707), and with [`TokenUseRule::Unchecked`] any
    /// token. With [`TokenUseRule::AccessOrId`], ID tokens pass by their app client; with [`TokenUseRule::Id`], which has nothing to
    /// compare them with, the pool is refused.
    pub fn resources(mut self, resources: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.resource = wit::ResourceRule::OneOf(strings(resources));
        self
    }

    /// **Skips the check of `aud` on access tokens**: one that is bound to another resource server is accepted.
    pub fn any_resource(mut self) -> Self {
        self.resource = wit::ResourceRule::Unchecked;
        self
    }

    /// **Skips the check of `sub`**: a token of nobody is accepted, which no sign-out of a user revokes.
    pub fn any_subject(mut self) -> Self {
        self.subject = wit::SubjectRule::Unchecked;
        self
    }

    /// **Skips the check of `cnf`**: a token that is bound to a key, by mutual TLS (RFC 8705) or DPoP (RFC 9449), is accepted without a
    /// proof of that key, as if it were a bearer token. For a service behind something that asks for the proof.
    pub fn ignore_confirmation(mut self) -> Self {
        self.confirmation = wit::ConfirmationRule::Ignore;
        self
    }

    /// Refuses tokens that were issued longer ago than this, in whole seconds.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Stretches `exp` and the maximum age by this, in whole seconds, at most 900. Without it, by nothing.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Accepts an `iat` and an `nbf` that lie in the future by this, in whole seconds, at most 900. Without it, by a minute; where the
    /// leeway is more, by that.
    pub fn issued_at_skew(mut self, skew: Duration) -> Self {
        self.issued_at_skew = skew;
        self
    }

    /// The contract's record, if everything that must be stated is.
    pub(crate) fn into_wit(self, allow_http_loopback: bool) -> Result<wit::Pool, BuildError> {
        if let Some(list) = self.stated_twice {
            return Err(BuildError::DuplicateSetting(list));
        }
        match (&self.keys, &self.issuer) {
            (wit::KeyOrigin::Url(url), _) => Some(KeyUrl::parse(url, allow_http_loopback)?),
            // The keys' URL begins with the issuer.
            (wit::KeyOrigin::Derived, wit::IssuerRule::Exactly(issuer)) => {
                Some(KeyUrl::parse(issuer, allow_http_loopback)?)
            }
            _ => None,
        };
        Ok(wit::Pool {
            issuer: self.issuer,
            keys: self.keys,
            algorithms: self.algorithms,
            token_use: self.token_use.ok_or(BuildError::MissingSetting("token use"))?,
            client: self.client.ok_or(BuildError::MissingSetting("app client"))?,
            groups: self.groups,
            scopes: self.scopes,
            resource: self.resource,
            subject: self.subject,
            confirmation: self.confirmation,
            max_age: self.max_age.map(seconds),
            leeway: seconds(self.leeway),
            issued_at_skew: seconds(self.issued_at_skew),
        })
    }
}

fn strings(items: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}

/// Whole seconds; what does not fit is out of range for the sandbox too.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
