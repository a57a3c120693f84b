//! Checks a token against the rules of its pool.

use crate::{
    claims::{Claims, NumericDate, TokenUse, TokenUseClaim},
    config::{
        ClientRule, ConfigError, ConfirmationRule, IssuerRule, LEEWAY_LIMIT, Membership, Pool, ResourceRule,
        SubjectRule, TokenUseRule,
    },
    issuer,
    jwa::{Algorithm, Algorithms},
    reason::Reason,
};
use alloc::string::String;
use core::iter::once;

/// The rules of a pool, which are complete and consistent.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) algorithms: Algorithms,
    token_use: TokenUseRule,
    client: ClientRule,
    groups: Membership,
    scopes: Membership,
    resource: ResourceRule,
    subject: SubjectRule,
    confirmation: ConfirmationRule,
    max_age: Option<u32>,
    leeway: u64,
    skew: u64,
    /// The first of the two issuer URLs, if the pool is a user pool.
    pub(crate) first_issuer: Option<String>,
}

/// What the policy derived from the claims of an accepted token.
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
        if let ResourceRule::OneOf(resources) = &pool.resource {
            if !is_list(resources) {
                return Err(ConfigError::EmptyList);
            }
            if pool.token_use == TokenUseRule::Id {
                return Err(ConfigError::ResourceOfIdTokens);
            }
        }
        let Membership { any_of: any_group, all_of: all_groups } = &pool.groups;
        let Membership { any_of: any_scope, all_of: all_scopes } = &pool.scopes;
        if ![any_group, all_groups, any_scope, all_scopes].into_iter().flatten().all(|names| is_list(names)) {
            return Err(ConfigError::EmptyList);
        }
        if pool.leeway > LEEWAY_LIMIT || pool.issued_at_skew > LEEWAY_LIMIT {
            return Err(ConfigError::OutOfRange);
        }
        if !pool.algorithms.iter().all(|algorithm| algorithm.is_built()) {
            return Err(ConfigError::AlgorithmNotBuilt);
        }
        let algorithms = match pool.algorithms.as_slice() {
            [] => once(Algorithm::Rs256).collect(),
            configured => configured.iter().copied().collect(),
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
            subject: pool.subject,
            confirmation: pool.confirmation,
            max_age: pool.max_age,
            leeway: pool.leeway.into(),
            skew: pool.issued_at_skew.max(pool.leeway).into(),
            first_issuer,
        })
    }

    /// Checks `exp`, `nbf`, `iat` and the maximum age, in whole seconds (RFC 7519 sections 4.1.4 to 4.1.6). This costs little, so it comes
    /// before the signature.
    pub(crate) fn check_times(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        // "on or after which the JWT MUST NOT be accepted"
        if now >= claims.expires_at.floor().saturating_add(self.leeway) {
            return Err(Reason::Expired);
        }
        // The same clock set `nbf` and `iat`, so the same tolerance applies to both.
        let is_ahead = |date: NumericDate| now.saturating_add(self.skew) < date.ceil();
        if claims.not_before.is_some_and(is_ahead) {
            return Err(Reason::NotYetValid);
        }
        if claims.issued_at.is_some_and(is_ahead) {
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

    /// Checks `token_use`, `cnf`, `sub`, the client, the resource server, groups and scopes, in this order.
    pub(crate) fn check<'c>(&self, claims: &'c Claims) -> Result<Accepted<'c>, Reason> {
        let token_use = self.check_token_use(claims)?;
        if claims.is_sender_constrained && self.confirmation == ConfirmationRule::Refuse {
            return Err(Reason::SenderConstrained);
        }
        if self.subject == SubjectRule::Required
            && claims.subject.as_ref().is_none_or(|subject| subject.trim().is_empty())
        {
            return Err(Reason::SubjectMissing);
        }
        let client_id = match token_use {
            Some(TokenUse::Access) => {
                let client_id = self.check_client_id(claims)?;
                self.check_resource(claims)?;
                client_id
            }
            Some(TokenUse::Id) => self.check_audience(claims)?,
            None => self.check_audience_of_any_use(claims)?,
        };
        if !self.groups.fits(&claims.groups) {
            return Err(Reason::GroupMissing);
        }
        if !self.scopes.fits(&claims.scopes) {
            return Err(Reason::ScopeMissing);
        }
        Ok(Accepted { token_use, client_id })
    }

    fn check_token_use(&self, claims: &Claims) -> Result<Option<TokenUse>, Reason> {
        if self.token_use == TokenUseRule::Unchecked {
            return Ok(None);
        }
        let token_use = match claims.token_use {
            None => return Err(Reason::TokenUseMissing),
            Some(TokenUseClaim::Known(token_use)) => token_use,
            Some(TokenUseClaim::Other) => return Err(Reason::TokenUseMismatch),
        };
        match (self.token_use, token_use) {
            (TokenUseRule::Access, TokenUse::Id) | (TokenUseRule::Id, TokenUse::Access) => {
                Err(Reason::TokenUseMismatch)
            }
            _ => Ok(Some(token_use)),
        }
    }

    /// Checks `client_id` of an access token.
    fn check_client_id<'c>(&self, claims: &'c Claims) -> Result<Option<&'c str>, Reason> {
        match (&self.client, &claims.client_id) {
            (ClientRule::Unchecked, client_id) => Ok(client_id.as_deref()),
            (ClientRule::OneOf(_), None) => Err(Reason::ClientMissing),
            (ClientRule::OneOf(clients), Some(client_id)) if clients.contains(client_id) => Ok(Some(client_id)),
            (ClientRule::OneOf(_), Some(_)) => Err(Reason::ClientMismatch),
        }
    }

    /// Checks `aud` of a token whose `token_use` is not checked. If resource servers and clients are configured, `aud` must satisfy both.
    fn check_audience_of_any_use<'c>(&self, claims: &'c Claims) -> Result<Option<&'c str>, Reason> {
        let ResourceRule::OneOf(_) = &self.resource else {
            return self.check_audience(claims);
        };
        self.check_resource(claims)?;
        match self.client {
            // `aud` names resource servers, so the client is not known.
            ClientRule::Unchecked => Ok(None),
            ClientRule::OneOf(_) => self.check_audience(claims),
        }
    }

    /// Checks `aud` of an ID token, or of a token of another provider.
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

    /// Checks `aud` of an access token, or of a token of another provider. RFC 7519 section 4.1.3: a token whose `aud` does not identify the
    /// recipient must be rejected.
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

fn is_list(names: &[String]) -> bool {
    !names.is_empty() && names.iter().all(|name| !name.is_empty())
}
