//! The policy for the tokens of one issuer. A check is skipped only if it is disabled explicitly; a missing setting is an error.

use crate::{BuildError, bindings::exports::poolgate::auth::verifier as wit, key_source::KeyUrl, verdict::Algorithm};
use std::time::Duration;

pub use wit::TokenUseRule;

/// The default for how far `iat` and `nbf` may be in the future, because clocks differ.
const ISSUED_AT_SKEW: Duration = Duration::from_secs(60);

/// The policy for the tokens of one issuer.
///
/// Pass it to [`VerifierBuilder::pool`](crate::VerifierBuilder::pool). A token must pass all checks.
///
/// # Required settings
///
/// * The issuer: [`user_pool`](Self::user_pool), [`issuer`](Self::issuer) or [`any_issuer`](Self::any_issuer).
/// * The token use: [`token_use`](Self::token_use).
/// * The app client: [`client_ids`](Self::client_ids) or [`any_client`](Self::any_client).
///
/// [`VerifierBuilder::build`] returns [`BuildError::MissingSetting`] if the token use or the app client is missing.
///
/// # Defaults
///
/// * [`jwks_url`](Self::jwks_url): `<issuer>/.well-known/jwks.json`.
/// * [`algorithms`](Self::algorithms): RS256, the algorithm that Cognito uses.
/// * [`any_of_groups`](Self::any_of_groups), [`all_of_groups`](Self::all_of_groups), [`any_of_scopes`](Self::any_of_scopes),
///   [`all_of_scopes`](Self::all_of_scopes): no group and no scope is required.
/// * [`resources`](Self::resources): an access token needs no `aud`. If it has one, that must be an accepted app client.
/// * [`any_subject`](Self::any_subject): disabled -- `sub` is required.
/// * [`ignore_confirmation`](Self::ignore_confirmation): disabled -- a token with `cnf` is rejected.
/// * [`max_age`](Self::max_age): none.
/// * [`leeway`](Self::leeway): 0 seconds.
/// * [`issued_at_skew`](Self::issued_at_skew): 60 seconds.
///
/// # Example
///
/// ```
/// use poolgate::{Pool, TokenUseRule};
///
/// let pool = Pool::user_pool("eu-west-1_EXAMPLE01")
///     .token_use(TokenUseRule::Access)
///     .client_ids(["1example23456789"])
///     .any_of_groups(["admins", "operators"]);
/// ```
///
/// [`VerifierBuilder::build`]: crate::VerifierBuilder::build
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
    /// The first list that was set a second time.
    duplicate: Option<&'static str>,
    max_age: Option<Duration>,
    leeway: Duration,
    issued_at_skew: Duration,
}

impl Pool {
    /// Creates a policy for the tokens of an Amazon Cognito user pool.
    ///
    /// `id` is the user pool ID, for example `eu-west-1_EXAMPLE01`. Both issuer forms of the user pool are accepted:
    /// `https://cognito-idp.<region>.amazonaws.com/<id>` and `https://issuer-cognito-idp.<region>.amazonaws.com/<id>`,
    /// with the domain of the region's AWS partition. The region is the one in the ID, unless [`region`](Self::region)
    /// is set.
    pub fn user_pool(id: impl Into<String>) -> Self {
        Self::of(wit::IssuerRule::UserPool(wit::UserPool { id: id.into(), region: None }))
    }

    /// Creates a policy for tokens with exactly this `iss`. Use it for emulators and other OpenID providers.
    pub fn issuer(issuer: impl Into<String>) -> Self {
        Self::of(wit::IssuerRule::Exactly(issuer.into()))
    }

    /// Creates a policy for tokens of any issuer: **the check of `iss` is disabled.**
    ///
    /// The verifier must have no other pool, and [`jwks_url`](Self::jwks_url) or local keys must be configured; otherwise
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) fails.
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
            duplicate: None,
            max_age: None,
            leeway: Duration::ZERO,
            issued_at_skew: ISSUED_AT_SKEW,
        }
    }

    /// Sets the region in the issuer of a user pool's tokens. The default is the region in the user pool ID.
    ///
    /// It has no effect on a pool that was not created with [`user_pool`](Self::user_pool).
    pub fn region(mut self, region: impl Into<String>) -> Self {
        if let wit::IssuerRule::UserPool(pool) = &mut self.issuer {
            pool.region = Some(region.into());
        }
        self
    }

    /// Sets the URL from which the keys are fetched. The default is `<issuer>/.well-known/jwks.json`.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.keys = wit::KeyOrigin::Url(url.into());
        self
    }

    /// Disables key fetches for this pool. Load the keys with [`Verifier::load_key_set`](crate::Verifier::load_key_set).
    pub fn local_keys_only(mut self) -> Self {
        self.keys = wit::KeyOrigin::Local;
        self
    }

    /// Sets the accepted signature algorithms. The default is RS256, the algorithm that Cognito uses. An empty list means the default.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets whether access tokens, ID tokens or both are accepted (`token_use`). Required.
    pub fn token_use(mut self, rule: TokenUseRule) -> Self {
        self.token_use = Some(rule);
        self
    }

    /// Accepts tokens of these app clients. This or [`any_client`](Self::any_client) is required.
    ///
    /// The client is `client_id` in an access token and `aud` in an ID token.
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) rejects an empty list and an empty ID.
    pub fn client_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.client = Some(wit::ClientRule::OneOf(strings(ids)));
        self
    }

    /// Accepts tokens of every app client of the pool: **the check of the app client is disabled.**
    pub fn any_client(mut self) -> Self {
        self.client = Some(wit::ClientRule::Unchecked);
        self
    }

    /// Requires at least one of these groups in `cognito:groups`. If [`all_of_groups`](Self::all_of_groups) is set too, both must be met.
    ///
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) rejects an empty list, an empty name, and a list that
    /// is set twice. This also holds for the next three methods.
    pub fn any_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.groups.any_of.replace(strings(groups));
        self.duplicate = self.duplicate.or(earlier.map(|_| "any_of_groups"));
        self
    }

    /// Requires all of these groups in `cognito:groups`.
    pub fn all_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.groups.all_of.replace(strings(groups));
        self.duplicate = self.duplicate.or(earlier.map(|_| "all_of_groups"));
        self
    }

    /// Requires at least one of these scopes in `scope`. ID tokens have no scopes and never meet this.
    pub fn any_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.scopes.any_of.replace(strings(scopes));
        self.duplicate = self.duplicate.or(earlier.map(|_| "any_of_scopes"));
        self
    }

    /// Requires all of these scopes in `scope`. ID tokens have no scopes and never meet this.
    pub fn all_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let earlier = self.scopes.all_of.replace(strings(scopes));
        self.duplicate = self.duplicate.or(earlier.map(|_| "all_of_scopes"));
        self
    }

    /// Requires that access tokens are bound to one of these resource servers (`aud`, RFC 8707).
    ///
    /// With [`TokenUseRule::Unchecked`], this applies to all tokens. With [`TokenUseRule::AccessOrId`], it applies to
    /// access tokens only: `aud` of an ID token is its app client. With [`TokenUseRule::Id`],
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) fails.
    ///
    /// By default, an access token needs no `aud`. If it has one, that must be an accepted app client.
    pub fn resources(mut self, resources: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.resource = wit::ResourceRule::OneOf(strings(resources));
        self
    }

    /// Accepts access tokens that are bound to any resource server: **the check of `aud` on access tokens is disabled.**
    pub fn any_resource(mut self) -> Self {
        self.resource = wit::ResourceRule::Unchecked;
        self
    }

    /// Accepts tokens without a subject: **the check of `sub` is disabled.** A token without `sub` is not revoked when a user signs out.
    pub fn any_subject(mut self) -> Self {
        self.subject = wit::SubjectRule::Unchecked;
        self
    }

    /// Accepts tokens that are bound to a key, by mutual TLS (RFC 8705) or DPoP (RFC 9449): **the check of `cnf` is disabled.**
    ///
    /// Such a token is then accepted without a proof of possession of the key, like a bearer token. Use this only
    /// behind a proxy that checks the proof. By default, tokens with `cnf` are rejected.
    pub fn ignore_confirmation(mut self) -> Self {
        self.confirmation = wit::ConfirmationRule::Ignore;
        self
    }

    /// Rejects tokens that were issued longer ago than this, even if they have not expired. `iat` is then required.
    ///
    /// The resolution is 1 second; fractions are dropped. By default, there is no maximum age.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Extends `exp` and the maximum age by this time.
    ///
    /// The default is 0. The resolution is 1 second. Values above 900 seconds make
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) fail.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets how far `iat` and `nbf` may be in the future. If the leeway is longer, the leeway is used.
    ///
    /// The default is 60 seconds. The resolution is 1 second. Values above 900 seconds make
    /// [`VerifierBuilder::build`](crate::VerifierBuilder::build) fail.
    pub fn issued_at_skew(mut self, skew: Duration) -> Self {
        self.issued_at_skew = skew;
        self
    }

    /// Converts the policy to the record of the WIT contract.
    pub(crate) fn into_wit(self, allow_http_loopback: bool) -> Result<wit::Pool, BuildError> {
        if let Some(list) = self.duplicate {
            return Err(BuildError::DuplicateSetting(list));
        }
        match (&self.keys, &self.issuer) {
            (wit::KeyOrigin::Url(url), _) => Some(KeyUrl::parse(url, allow_http_loopback)?),
            // The URL of the keys starts with the issuer.
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

/// Converts a duration to whole seconds. The component rejects the maximum as out of range, so it is used for every longer duration.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
