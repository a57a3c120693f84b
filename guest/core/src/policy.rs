//! The last room: what the operator asks of a token, once its signature stands.

use crate::{
    Algorithm, ClientRule, ConfigError, IssuerRule, Membership, Pool, Reason, ResourceRule, TokenUseRule,
    claims::{Claims, StatedUse, TokenUse},
    config::LEEWAY_LIMIT,
    issuer,
    jwa::Algorithms,
};
use alloc::string::String;
use core::iter::once;

/// A pool's rules, checked to be complete and consistent.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) algorithms: Algorithms,
    token_use: TokenUseRule,
    client: ClientRule,
    groups: Membership,
    scopes: Membership,
    resource: ResourceRule,
    max_age: Option<u32>,
    leeway: u64,
    issued_at_skew: u64,
    /// Of a user pool: the first of its issuers.
    pub(crate) first_issuer: Option<String>,
}

/// What the policy found out about a token on the way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accepted<'c> {
    pub(crate) token_use: Option<TokenUse>,
    pub(crate) client_id: Option<&'c str>,
}

impl Policy {
    pub(crate) fn new(pool: &Pool) -> Result<Self, ConfigError> {
        if let ClientRule::OneOf(clients) = &pool.client
            && !is_list(clients)
        {
            return Err(ConfigError::NoClient);
        }
        if let ResourceRule::OneOf(resources) = &pool.resource
            && !is_list(resources)
        {
            return Err(ConfigError::EmptyList);
        }
        for membership in [&pool.groups, &pool.scopes] {
            if let Membership::AnyOf(names) | Membership::AllOf(names) = membership
                && !is_list(names)
            {
                return Err(ConfigError::EmptyList);
            }
        }
        if pool.leeway > LEEWAY_LIMIT || pool.issued_at_skew > LEEWAY_LIMIT {
            return Err(ConfigError::OutOfRange);
        }
        if !pool.algorithms.iter().all(|algorithm| algorithm.is_built()) {
            return Err(ConfigError::AlgorithmNotBuilt);
        }
        let algorithms = match pool.algorithms.as_slice() {
            [] => once(Algorithm::Rs256).collect(),
            stated => stated.iter().copied().collect(),
        };
        let first_issuer = match &pool.issuer {
            IssuerRule::UserPool { id, region } => issuer::of_user_pool(id, region.as_deref())?.into_iter().next(),
            IssuerRule::Exactly(_) | IssuerRule::Unchecked => None,
        };
        Ok(Self {
            algorithms,
            token_use: pool.token_use,
            client: pool.client.clone(),
            groups: pool.groups.clone(),
            scopes: pool.scopes.clone(),
            resource: pool.resource.clone(),
            max_age: pool.max_age,
            leeway: pool.leeway.into(),
            issued_at_skew: pool.issued_at_skew.max(pool.leeway).into(),
            first_issuer,
        })
    }

    /// The times, in whole seconds (RFC 7519 sections 4.1.4 to 4.1.6). Cheap, so it comes before the signature.
    pub(crate) fn check_times(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        // "on or after which the JWT MUST NOT be accepted"
        if now >= claims.expires_at.floor().saturating_add(self.leeway) {
            return Err(Reason::Expired);
        }
        if claims.not_before.is_some_and(|date| now.saturating_add(self.leeway) < date.ceil()) {
            return Err(Reason::NotYetValid);
        }
        if claims.issued_at.is_some_and(|date| now.saturating_add(self.issued_at_skew) < date.ceil()) {
            return Err(Reason::IssuedInFuture);
        }
        if let Some(max_age) = self.max_age {
            let issued_at = claims.issued_at.ok_or(Reason::IssuedAtMissing)?;
            let last = issued_at.floor().saturating_add(max_age.into()).saturating_add(self.leeway);
            if now > last {
                return Err(Reason::TooOld);
            }
        }
        Ok(())
    }

    /// Use, client, resource, groups and scopes, in this order.
    pub(crate) fn check<'c>(&self, claims: &'c Claims) -> Result<Accepted<'c>, Reason> {
        let token_use = self.check_token_use(claims)?;
        let client_id = match token_use {
            Some(TokenUse::Access) => {
                let client_id = self.check_client_id(claims)?;
                self.check_resource(claims)?;
                client_id
            }
            Some(TokenUse::Id) | None => self.check_audience(claims)?,
        };
        self.groups.check(&claims.groups, Reason::GroupMissing)?;
        self.scopes.check(&claims.scopes, Reason::ScopeMissing)?;
        Ok(Accepted { token_use, client_id })
    }

    fn check_token_use(&self, claims: &Claims) -> Result<Option<TokenUse>, Reason> {
        if self.token_use == TokenUseRule::Unchecked {
            return Ok(None);
        }
        let token_use = match claims.token_use {
            None => return Err(Reason::TokenUseMissing),
            Some(StatedUse::Known(token_use)) => token_use,
            Some(StatedUse::Other) => return Err(Reason::TokenUseMismatch),
        };
        match (self.token_use, token_use) {
            (TokenUseRule::Access, TokenUse::Id) | (TokenUseRule::Id, TokenUse::Access) => {
                Err(Reason::TokenUseMismatch)
            }
            _ => Ok(Some(token_use)),
        }
    }

    /// `client_id` of an access token.
    fn check_client_id<'c>(&self, claims: &'c Claims) -> Result<Option<&'c str>, Reason> {
        match (&self.client, &claims.client_id) {
            (ClientRule::Unchecked, client_id) => Ok(client_id.as_deref()),
            (ClientRule::OneOf(_), None) => Err(Reason::ClientMissing),
            (ClientRule::OneOf(clients), Some(client_id)) if clients.contains(client_id) => Ok(Some(client_id)),
            (ClientRule::OneOf(_), Some(_)) => Err(Reason::ClientMismatch),
        }
    }

    /// `aud` of an ID token, or of a token of another provider.
    fn check_audience<'c>(&self, claims: &'c Claims) -> Result<Option<&'c str>, Reason> {
        match (&self.client, &claims.audience) {
            (ClientRule::Unchecked, audience) => Ok(audience.iter().flatten().next().map(String::as_str)),
            (ClientRule::OneOf(_), None) => Err(Reason::AudienceMissing),
            (ClientRule::OneOf(clients), Some(audience)) => match audience.iter().find(|name| clients.contains(name)) {
                Some(client_id) => Ok(Some(client_id)),
                None => Err(Reason::AudienceMismatch),
            },
        }
    }

    /// `aud` of an access token (RFC 7519 section 4.1.3: one that does not name us must be refused).
    fn check_resource(&self, claims: &Claims) -> Result<(), Reason> {
        let names_one_of =
            |audience: &[String], accepted: &[String]| audience.iter().any(|name| accepted.contains(name));
        match (&self.resource, &claims.audience) {
            (ResourceRule::Unchecked, _) | (ResourceRule::Unbound, None) => Ok(()),
            (ResourceRule::OneOf(_), None) => Err(Reason::ResourceMissing),
            (ResourceRule::OneOf(resources), Some(audience)) if names_one_of(audience, resources) => Ok(()),
            (ResourceRule::Unbound, Some(audience)) => match &self.client {
                ClientRule::OneOf(clients) if names_one_of(audience, clients) => Ok(()),
                _ => Err(Reason::ResourceMismatch),
            },
            (ResourceRule::OneOf(_), Some(_)) => Err(Reason::ResourceMismatch),
        }
    }
}

impl Membership {
    fn check(&self, held: &[String], missing: Reason) -> Result<(), Reason> {
        let fits = match self {
            Membership::Unchecked => true,
            Membership::AnyOf(names) => names.iter().any(|name| held.contains(name)),
            Membership::AllOf(names) => names.iter().all(|name| held.contains(name)),
        };
        if fits { Ok(()) } else { Err(missing) }
    }
}

fn is_list(names: &[String]) -> bool {
    !names.is_empty() && names.iter().all(|name| !name.is_empty())
}
