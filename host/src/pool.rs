//! The policy for the tokens of one issuer. A check is skipped only if it is disabled explicitly; a missing setting is an error.

use crate::{
    BuildError, ClaimRule, Discovery, DiscoveryConfigError,
    bindings::exports::poolgate::auth::verifier as wit,
    key_source::{KeyUrl, derived_url},
    verdict::Algorithm,
};
use std::time::Duration;

pub use wit::{ClientClaim, GuestRule, TokenUseRule};

/// The default for how far `iat` and `nbf` may be in the future, because clocks differ.
const ISSUED_AT_SKEW: Duration = Duration::from_secs(60);

/// The policy for the tokens of one issuer.
///
/// Pass it to [`VerifierBuilder::pool`](crate::VerifierBuilder::pool). A token must pass all checks.
///
/// # Required settings
///
/// * The issuer: [`user_pool`](Self::user_pool), [`issuer`](Self::issuer), [`issuers`](Self::issuers), [`tenants`](Self::tenants),
///   [`any_tenant`](Self::any_tenant), [`identity_pool`](Self::identity_pool),
///   [`application_load_balancers`](Self::application_load_balancers) or [`any_issuer`](Self::any_issuer).
/// * The token use: [`token_use`](Self::token_use).
/// * The app client: [`client_ids`](Self::client_ids) or [`any_client`](Self::any_client).
///
/// [`VerifierBuilder::build`] returns [`BuildError::MissingSetting`] if the token use or the app client is missing.
///
/// # Defaults
///
/// * [`jwks_url`](Self::jwks_url): `<issuer>/.well-known/jwks.json`. [`discover_keys`](Self::discover_keys) reads it from the issuer's
///   discovery document.
/// * [`algorithms`](Self::algorithms): RS256, the algorithm that Cognito uses; RS512 for identity pools, and ES256 for load balancers.
/// * [`types`](Self::types): `JWT`, `at+jwt` and tokens without `typ`.
/// * [`client_claim`](Self::client_claim): `aud`, if `token_use` is not checked.
/// * [`scope_claim`](Self::scope_claim): `scope` for user pools; `scope`, or else `scp`, for others.
/// * [`claim`](Self::claim): no rules.
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
    keys: Keys,
    /// The hosts of `jwks_uri` beside that of the issuer.
    key_hosts: Vec<String>,
    algorithms: Vec<Algorithm>,
    types: Vec<String>,
    token_use: Option<TokenUseRule>,
    client: Option<wit::ClientRule>,
    client_claim: Option<ClientClaim>,
    groups: wit::Membership,
    scopes: wit::Membership,
    scope_claim: Option<String>,
    resource: wit::ResourceRule,
    unbound_clients: Vec<String>,
    claims: Vec<ClaimRule>,
    subject: wit::SubjectRule,
    confirmation: wit::ConfirmationRule,
    /// The first list that was set a second time.
    duplicate: Option<&'static str>,
    max_age: Option<Duration>,
    leeway: Duration,
    issued_at_skew: Duration,
}

/// Where the keys come from.
#[derive(Clone, Debug)]
enum Keys {
    Configured(wit::KeyOrigin),
    /// From where the discovery document says, at this URL or at the one that follows from the issuer.
    Discovered(Option<String>),
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

    /// Creates a policy for tokens with one of these `iss`, exactly: an issuer that spells its name in several ways.
    ///
    /// The first names the issuer in metrics and for revocation. All have the same keys, so [`jwks_url`](Self::jwks_url) or local keys are
    /// required.
    pub fn issuers(issuers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::of(wit::IssuerRule::OneOf(strings(issuers)))
    }

    /// Creates a policy for tokens of several tenants of Microsoft Entra ID.
    ///
    /// `template` is `iss` with `{tid}` where the tenant ID stands: `https://login.microsoftonline.com/{tid}/v2.0`. `tenants` are UUIDs in lower
    /// case. A token must have the UUID in `tid` and in `iss`, and its key must be published for that issuer (Microsoft identity platform,
    /// "Access tokens"). [`jwks_url`](Self::jwks_url) or local keys are required.
    pub fn tenants(template: impl Into<String>, tenants: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let (template, tenants) = (template.into(), Some(strings(tenants)));
        Self::of(wit::IssuerRule::Tenants(wit::IssuerTemplate { template, tenants }))
    }

    /// Creates a policy for tokens of every tenant of Microsoft Entra ID: **the check of the tenant is disabled.** See [`tenants`](Self::tenants).
    pub fn any_tenant(template: impl Into<String>) -> Self {
        Self::of(wit::IssuerRule::Tenants(wit::IssuerTemplate { template: template.into(), tenants: None }))
    }

    /// Creates a policy for tokens of an Amazon Cognito identity pool, `<region>:<UUID>`. It needs no token use and no client.
    ///
    /// `aud` must be the identity pool: all identity pools of all AWS accounts have the same issuer. The algorithm is RS512, and `typ` may also
    /// be `JWS`. The tokens have no `token_use` and no client.
    pub fn identity_pool(id: impl Into<String>, guests: GuestRule) -> Self {
        Self::of(wit::IssuerRule::IdentityPool(guests)).token_use(TokenUseRule::Unchecked).client_ids([id])
    }

    /// Creates a policy for the tokens that Application Load Balancers sign for users who signed in at `issuer`: the header `x-amzn-oidc-data`
    /// (Elastic Load Balancing, "Authenticate users using an Application Load Balancer"). It needs no token use.
    ///
    /// `arns` are the accepted values of `signer`, for example
    /// `arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188`. The client is `client` in the header; the
    /// algorithm is ES256. Each key is fetched when a token needs it, from the URL that AWS documents for the region of the ARN. With
    /// [`jwks_url`](Self::jwks_url), it is fetched from `<URL>/<kid>`. At most 64 keys are held for each such prefix.
    ///
    /// For a user pool, `issuer` is `https://cognito-idp.<region>.amazonaws.com/<id>`. A [`user_pool`](Self::user_pool) with the same issuer may
    /// be in the same verifier.
    ///
    /// ```
    /// use poolgate::Pool;
    ///
    /// let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01";
    /// let arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188";
    /// let pool = Pool::application_load_balancers(issuer, [arn]).client_ids(["1example23456789"]);
    /// ```
    pub fn application_load_balancers(
        issuer: impl Into<String>,
        arns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let load_balancers = wit::LoadBalancers { issuer: issuer.into(), arns: strings(arns) };
        Self::of(wit::IssuerRule::LoadBalancers(load_balancers)).token_use(TokenUseRule::Unchecked)
    }

    fn of(issuer: wit::IssuerRule) -> Self {
        Self {
            issuer,
            keys: Keys::Configured(wit::KeyOrigin::Derived),
            key_hosts: Vec::new(),
            algorithms: Vec::new(),
            types: Vec::new(),
            token_use: None,
            client: None,
            client_claim: None,
            groups: wit::Membership { any_of: None, all_of: None },
            scopes: wit::Membership { any_of: None, all_of: None },
            scope_claim: None,
            resource: wit::ResourceRule::Unbound,
            unbound_clients: Vec::new(),
            claims: Vec::new(),
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

    /// Sets the URL from which the keys are fetched. The default is `<issuer>/.well-known/jwks.json`. For load balancers, it is the prefix of the
    /// URLs of their keys.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.keys = Keys::Configured(wit::KeyOrigin::Url(url.into()));
        self
    }

    /// Reads the URL of the keys from the issuer's discovery document (OpenID Connect Discovery 1.0 section 4).
    ///
    /// The document is at the issuer without a `/` at its end, followed by `/.well-known/openid-configuration`. It must be one JSON object of
    /// at most 64 KiB without duplicate members, its `issuer` must be equal to that of the pool byte for byte, and its `jwks_uri` must be an
    /// `https` URL on the host of the issuer or one of [`key_hosts`](Self::key_hosts). Redirects are not followed. The document never changes
    /// the accepted algorithms.
    ///
    /// It is fetched with the first key set, and again after 24 hours, or after the `max-age` of its response if that is shorter, but at least
    /// after `soft_ttl_min` of the [`KeyPolicy`](crate::KeyPolicy). If it can't be fetched or used later, the last `jwks_uri` stays in use. A
    /// changed `jwks_uri` takes effect only with a key set that has a usable key. If the key set is not found (404 or 410), the document is
    /// fetched again, at most once in 5 minutes. See [`Verifier::discovery_reports`](crate::Verifier::discovery_reports).
    ///
    /// It is for [`issuer`](Self::issuer) and [`issuers`](Self::issuers), where the first one determines the URL and the document may name any
    /// of them. The last call of this method, [`discovery_url`](Self::discovery_url), [`jwks_url`](Self::jwks_url) and
    /// [`local_keys_only`](Self::local_keys_only) counts.
    ///
    /// ```
    /// use poolgate::{Pool, TokenUseRule};
    ///
    /// let google = Pool::issuer("https://accounts.google.com")
    ///     .discover_keys()
    ///     .key_hosts(["www.googleapis.com"])
    ///     .token_use(TokenUseRule::Unchecked)
    ///     .client_ids(["407408718192-example.apps.googleusercontent.com"]);
    /// ```
    pub fn discover_keys(mut self) -> Self {
        self.keys = Keys::Discovered(None);
        self
    }

    /// Like [`discover_keys`](Self::discover_keys), with a document at another URL.
    ///
    /// Use it for [`tenants`](Self::tenants), whose document names the template; for Entra v1; for RFC 8414; and for an issuer with an
    /// internal address. The rules are the same. In particular, `jwks_uri` must be on the host of the issuer or one of
    /// [`key_hosts`](Self::key_hosts), and the host of this URL is not among them.
    pub fn discovery_url(mut self, url: impl Into<String>) -> Self {
        self.keys = Keys::Discovered(Some(url.into()));
        self
    }

    /// Allows these hosts in the `jwks_uri` of the discovery document, beside the host of the issuer. Each is a name or an address without
    /// scheme, port and path.
    ///
    /// The port of `jwks_uri` is not restricted. [`VerifierBuilder::build`](crate::VerifierBuilder::build) rejects hosts without discovery.
    pub fn key_hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.key_hosts.extend(strings(hosts));
        self
    }

    /// Disables key fetches for this pool. Load the keys with [`Verifier::load_key_set`](crate::Verifier::load_key_set).
    pub fn local_keys_only(mut self) -> Self {
        self.keys = Keys::Configured(wit::KeyOrigin::Local);
        self
    }

    /// Sets the accepted signature algorithms. The default is RS256, the algorithm that Cognito uses. An empty list means the default.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets the accepted types of token (`typ`, RFC 7515 section 4.1.9), which are compared without case and without `application/`.
    ///
    /// `["at+jwt"]` accepts only access tokens of RFC 9068. An empty string accepts tokens without `typ`. The default is `JWT`, `at+jwt` and
    /// tokens without `typ`. [`VerifierBuilder::build`](crate::VerifierBuilder::build) rejects types with a protocol of their own, such as
    /// `dpop+jwt` and `logout+jwt` (RFC 8725 section 2.8).
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = strings(types);
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

    /// Sets the claim that names the client, for tokens whose `token_use` is not checked. The default is `aud`.
    ///
    /// It is required if both [`client_ids`](Self::client_ids) and [`resources`](Self::resources) are set for such tokens, because `aud` then
    /// names the resource server.
    pub fn client_claim(mut self, claim: ClientClaim) -> Self {
        self.client_claim = Some(claim);
        self
    }

    /// Adds a rule for any claim. All rules must fit; otherwise the token is rejected with `claim-mismatch` (401). At most 32.
    pub fn claim(mut self, rule: ClaimRule) -> Self {
        self.claims.push(rule);
        self
    }

    /// Sets the claim with the scopes, for other issuers than user pools. It is a text of names separated by spaces, or an array.
    ///
    /// The default is `scope`, or `scp` if a token has no `scope`.
    pub fn scope_claim(mut self, claim: impl Into<String>) -> Self {
        self.scope_claim = Some(claim.into());
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

    /// Accepts tokens of these clients without `aud`, if [`resources`](Self::resources) are set.
    ///
    /// Cognito does not bind tokens of the client credentials grant to a resource server. If such a token has `aud`, it must name a resource
    /// server like any other.
    pub fn unbound_clients(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.unbound_clients = strings(ids);
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

    /// Returns the names of the claim rules, for logs and metrics.
    pub(crate) fn claim_rule_names(&self) -> Vec<Option<String>> {
        self.claims.iter().map(|rule| rule.0.name.clone()).collect()
    }

    /// Returns the discovery document that the pool needs, if it needs one.
    pub(crate) fn discovery(&self) -> Result<Option<Discovery>, DiscoveryConfigError> {
        let Keys::Discovered(url) = &self.keys else {
            let is_unused = !self.key_hosts.is_empty();
            return if is_unused { Err(DiscoveryConfigError::HostsWithoutDiscovery) } else { Ok(None) };
        };
        let at = |issuers: &[String]| {
            let derived = || derived_url(issuers.first().map_or("", String::as_str));
            Ok(Discovery::at(url.clone().map_or_else(derived, Ok)?, issuers))
        };
        let discovery = match (&self.issuer, url) {
            (wit::IssuerRule::Exactly(issuer), _) => at(std::slice::from_ref(issuer))?,
            (wit::IssuerRule::OneOf(issuers), _) => at(issuers)?,
            (wit::IssuerRule::Tenants(issuer), Some(url)) => Discovery::of_template(url, &issuer.template),
            (wit::IssuerRule::Tenants(_), None) => return Err(DiscoveryConfigError::UrlRequired),
            // A load balancer's keys are not those of its issuer.
            (
                wit::IssuerRule::UserPool(_)
                | wit::IssuerRule::IdentityPool(_)
                | wit::IssuerRule::LoadBalancers(_)
                | wit::IssuerRule::Unchecked,
                _,
            ) => return Err(DiscoveryConfigError::NoIssuer),
        };
        discovery.key_hosts(&self.key_hosts).map(Some)
    }

    /// Converts the policy to the record of the WIT contract. Keys that are discovered are fetched at the URL of the document: the key source
    /// knows that it is one.
    pub(crate) fn into_wit(self, allow_http_loopback: bool) -> Result<wit::Pool, BuildError> {
        if let Some(list) = self.duplicate {
            return Err(BuildError::DuplicateSetting(list));
        }
        let discovered = self.discovery()?.map(|discovery| wit::KeyOrigin::Url(discovery.url().to_owned()));
        let keys = match (discovered, self.keys) {
            (Some(origin), _) | (None, Keys::Configured(origin)) => origin,
            (None, Keys::Discovered(_)) => return Err(DiscoveryConfigError::NoIssuer.into()),
        };
        match (&keys, &self.issuer) {
            (wit::KeyOrigin::Url(url), _) => Some(KeyUrl::parse(url, allow_http_loopback)?),
            // The URL of the keys starts with the issuer.
            (wit::KeyOrigin::Derived, wit::IssuerRule::Exactly(issuer)) => {
                Some(KeyUrl::parse(issuer, allow_http_loopback)?)
            }
            _ => None,
        };
        Ok(wit::Pool {
            issuer: self.issuer,
            keys,
            algorithms: self.algorithms,
            types: self.types,
            token_use: self.token_use.ok_or(BuildError::MissingSetting("token use"))?,
            client: self.client.ok_or(BuildError::MissingSetting("app client"))?,
            client_claim: self.client_claim,
            groups: self.groups,
            scopes: self.scopes,
            scope_claim: self.scope_claim,
            resource: self.resource,
            unbound_clients: self.unbound_clients,
            claims: self.claims.into_iter().map(|rule| rule.0).collect(),
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
