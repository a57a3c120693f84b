//! Checks a token against the rules of its pool.

use crate::{
    claims::{ClaimNames, Claims, NumericDate, RuleResult, ScopeClaim, TokenUse, TokenUseClaim},
    config::{
        ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientClaim, ClientRule, ConfigError, ConfirmationRule,
        GuestRule, IssuerRule, LEEWAY_LIMIT, Membership, Pool, ResourceRule, SubjectRule, TokenUseRule,
    },
    header::{TokenType, media_type},
    issuer,
    json::{Object, Value},
    jwa::{Algorithm, Algorithms},
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
use core::iter::once;

/// Types of token that have a protocol of their own, so that none is an access token or an ID token (RFC 8725 section 2.8).
const OTHER_TYPES: [&str; 5] = ["dpop+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt", "kb+jwt"];

/// The rules of a pool, which are complete and consistent.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) algorithms: Algorithms,
    /// In lower case, without `application/`. The empty string is no `typ`.
    pub(crate) types: Vec<String>,
    pub(crate) claim_names: ClaimNames,
    /// Whether every token needs a `kid`.
    pub(crate) requires_key_id: bool,
    /// If `iss` depends on the tenant: the template, which keys name as their issuer.
    pub(crate) template: Option<String>,
    pub(crate) token_use: TokenUseRule,
    pub(crate) client: ClientRule,
    pub(crate) client_claim: Option<ClientClaim>,
    pub(crate) claims: Vec<ClaimRule>,
    pub(crate) groups: Membership,
    pub(crate) scopes: Membership,
    pub(crate) resource: ResourceRule,
    pub(crate) unbound_clients: Vec<String>,
    pub(crate) subject: SubjectRule,
    pub(crate) confirmation: ConfirmationRule,
    pub(crate) max_age: Option<u32>,
    pub(crate) leeway: u64,
    pub(crate) skew: u64,
    /// The first of the issuers, if there are several.
    pub(crate) first_issuer: Option<String>,
}

/// What the policy derived from the claims of an accepted token.
#[derive(Debug)]
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
        if [any_scope, all_scopes].into_iter().flatten().flatten().any(|scope| scope.contains(' ')) {
            return Err(ConfigError::InvalidScope);
        }
        check_client_claim(pool)?;
        if !pool.unbound_clients.is_empty() && !matches!(pool.resource, ResourceRule::OneOf(_)) {
            return Err(ConfigError::UnboundWithoutResources);
        }
        if pool.unbound_clients.iter().any(String::is_empty) {
            return Err(ConfigError::EmptyList);
        }
        let is_user_pool = matches!(pool.issuer, IssuerRule::UserPool { .. });
        if is_user_pool && pool.scope_claim.is_some() {
            return Err(ConfigError::ScopeClaimOfUserPool);
        }
        check_load_balancers(pool)?;
        ClaimRule::check_list(&pool.claims)?;
        let mut claims = pool.claims.clone();
        claims.extend(identity_pool_rule(pool)?);
        if pool.leeway > LEEWAY_LIMIT || pool.issued_at_skew > LEEWAY_LIMIT {
            return Err(ConfigError::OutOfRange);
        }
        if !pool.algorithms.iter().all(|algorithm| algorithm.is_built()) {
            return Err(ConfigError::AlgorithmNotBuilt);
        }
        let algorithms = match pool.algorithms.as_slice() {
            [] if is_identity_pool(pool) => once(Algorithm::Rs512).collect(),
            [] if has_load_balancers(pool) => once(Algorithm::Es256).collect(),
            [] => once(Algorithm::Rs256).collect(),
            configured => configured.iter().copied().collect(),
        };
        let first_issuer = match &pool.issuer {
            IssuerRule::UserPool { id, region } => issuer::of_user_pool(id, region.as_deref())?.into_iter().next(),
            IssuerRule::OneOf(issuers) => issuers.first().cloned(),
            _ => None,
        };
        let template = match &pool.issuer {
            IssuerRule::Tenants(tenants) => Some(tenants.template.clone()),
            _ => None,
        };
        let scopes = match &pool.scope_claim {
            Some(name) => ScopeClaim::Named(name.clone()),
            None if is_user_pool => ScopeClaim::Scope,
            None => ScopeClaim::ScopeOrScp,
        };
        let client_claim = pool.client_claim.unwrap_or(match pool.token_use {
            TokenUseRule::Unchecked => ClientClaim::Aud,
            TokenUseRule::Access | TokenUseRule::Id | TokenUseRule::AccessOrId => ClientClaim::ClientId,
        });
        Ok(Self {
            algorithms,
            types: types(pool)?,
            claim_names: ClaimNames { client: client_claim.name(), scopes },
            requires_key_id: is_user_pool,
            template,
            token_use: pool.token_use,
            client: pool.client.clone(),
            // A load balancer writes the client into the header, from where it comes into the claims.
            client_claim: if has_load_balancers(pool) { Some(ClientClaim::ClientId) } else { pool.client_claim },
            claims,
            groups: pool.groups.clone(),
            scopes: pool.scopes.clone(),
            resource: pool.resource.clone(),
            unbound_clients: pool.unbound_clients.clone(),
            subject: pool.subject,
            confirmation: pool.confirmation,
            max_age: pool.max_age,
            leeway: pool.leeway.into(),
            skew: pool.issued_at_skew.max(pool.leeway).into(),
            first_issuer,
        })
    }

    /// Checks `typ`.
    pub(crate) fn check_type(&self, token_type: &TokenType) -> Result<(), Reason> {
        let is_accepted = match token_type {
            TokenType::Absent => self.types.iter().any(String::is_empty),
            TokenType::Named(name) => self.types.iter().any(|accepted| **accepted == **name),
            TokenType::Invalid => false,
        };
        if is_accepted { Ok(()) } else { Err(Reason::TypeNotAllowed) }
    }

    /// Checks `exp`, `nbf`, `iat` and the maximum age, in whole seconds (RFC 7519 sections 4.1.4 to 4.1.6). This costs little, so it comes
    /// before the signature.
    pub(crate) fn check_times(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        self.check_expiry(claims, now)?;
        self.check_not_before(claims, now)?;
        self.check_issued_at(claims, now)?;
        self.check_age(claims, now)
    }

    /// "on or after which the JWT MUST NOT be accepted"
    pub(crate) fn check_expiry(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        let is_expired = now >= claims.expires_at.floor().saturating_add(self.leeway);
        if is_expired { Err(Reason::Expired) } else { Ok(()) }
    }

    pub(crate) fn check_not_before(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        if claims.not_before.is_some_and(|date| self.is_ahead(date, now)) { Err(Reason::NotYetValid) } else { Ok(()) }
    }

    pub(crate) fn check_issued_at(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        if claims.issued_at.is_some_and(|date| self.is_ahead(date, now)) { Err(Reason::IssuedInFuture) } else { Ok(()) }
    }

    pub(crate) fn check_age(&self, claims: &Claims, now: u64) -> Result<(), Reason> {
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let issued_at = claims.issued_at.ok_or(Reason::IssuedAtMissing)?;
        let last = issued_at.floor().saturating_add(max_age.into()).saturating_add(self.leeway);
        if now > last { Err(Reason::TooOld) } else { Ok(()) }
    }

    /// The same clock set `nbf` and `iat`, so the same tolerance applies to both.
    fn is_ahead(&self, date: NumericDate, now: u64) -> bool {
        now.saturating_add(self.skew) < date.ceil()
    }

    /// Checks `token_use`, `cnf`, `sub`, the client and the resource server, in this order.
    pub(crate) fn check<'c>(&self, claims: &'c Claims) -> Result<Accepted<'c>, Reason> {
        let token_use = self.check_token_use(claims)?;
        self.check_confirmation(claims)?;
        self.check_subject(claims)?;
        let client_id = self.check_recipient(claims, token_use)?;
        Ok(Accepted { token_use, client_id })
    }

    pub(crate) fn check_confirmation(&self, claims: &Claims) -> Result<(), Reason> {
        let is_refused = claims.is_sender_constrained && self.confirmation == ConfirmationRule::Refuse;
        if is_refused { Err(Reason::SenderConstrained) } else { Ok(()) }
    }

    pub(crate) fn check_subject(&self, claims: &Claims) -> Result<(), Reason> {
        let is_missing = claims.subject.as_ref().is_none_or(|subject| subject.trim().is_empty());
        if self.subject == SubjectRule::Required && is_missing { Err(Reason::SubjectMissing) } else { Ok(()) }
    }

    /// Checks the client and the resource server of a token of this use, and returns the client.
    pub(crate) fn check_recipient<'c>(
        &self,
        claims: &'c Claims,
        token_use: Option<TokenUse>,
    ) -> Result<Option<&'c str>, Reason> {
        match token_use {
            Some(TokenUse::Access) => {
                let client_id = self.check_client_id(claims)?;
                self.check_resource(claims)?;
                Ok(client_id)
            }
            Some(TokenUse::Id) => self.check_audience(claims, true),
            None => self.check_client_of_any_use(claims),
        }
    }

    /// Checks the claim rules. Returns the number of the first rule that does not fit, and how.
    pub(crate) fn first_misfit(&self, payload: &Object<'_>) -> Option<(usize, RuleResult)> {
        let results = self.claims.iter().map(|rule| rule.judge(payload)).enumerate();
        results.into_iter().find(|(_, result)| *result != RuleResult::Fits)
    }

    /// Returns the name of the claim with the scopes, in this payload.
    pub(crate) fn scope_claim(&self, payload: &Object<'_>) -> &str {
        let has = |name: &str| payload.get(name).is_some_and(|value| !matches!(value, Value::Null));
        match &self.claim_names.scopes {
            ScopeClaim::Named(name) => name,
            ScopeClaim::ScopeOrScp if has("scp") && !has("scope") => "scp",
            ScopeClaim::ScopeOrScp | ScopeClaim::Scope => "scope",
        }
    }

    /// Checks groups and scopes.
    pub(crate) fn check_membership(&self, claims: &Claims) -> Result<(), Reason> {
        if !self.groups.fits(&claims.groups) {
            return Err(Reason::GroupMissing);
        }
        if !self.scopes.fits(&claims.scopes) {
            return Err(Reason::ScopeMissing);
        }
        Ok(())
    }

    pub(crate) fn check_token_use(&self, claims: &Claims) -> Result<Option<TokenUse>, Reason> {
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

    /// Checks the claim that names the client: `client_id` of an access token.
    fn check_client_id<'c>(&self, claims: &'c Claims) -> Result<Option<&'c str>, Reason> {
        match (&self.client, &claims.client_id) {
            (ClientRule::Unchecked, client_id) => Ok(client_id.as_deref()),
            (ClientRule::OneOf(_), None) => Err(Reason::ClientMissing),
            (ClientRule::OneOf(clients), Some(client_id)) if clients.contains(client_id) => Ok(Some(client_id)),
            (ClientRule::OneOf(_), Some(_)) => Err(Reason::ClientMismatch),
        }
    }

    /// Checks the client and the resource server of a token whose `token_use` is not checked. The client is in the configured claim, or in
    /// `aud`. If `aud` names the client and resource servers are configured too, it must name both.
    fn check_client_of_any_use<'c>(&self, claims: &'c Claims) -> Result<Option<&'c str>, Reason> {
        let client_id = match (self.client_claim, &self.resource, &self.client) {
            (None | Some(ClientClaim::Aud), ResourceRule::OneOf(_), ClientRule::Unchecked) => None,
            (None | Some(ClientClaim::Aud), ..) => self.check_audience(claims, false)?,
            (Some(_), ..) => self.check_client_id(claims)?,
        };
        match (&self.resource, self.client_claim) {
            // `aud` is the client, so it is not a resource server.
            (ResourceRule::Unbound, None | Some(ClientClaim::Aud)) => Ok(()),
            _ => self.check_resource(claims),
        }?;
        Ok(client_id)
    }

    /// Checks `aud` of an ID token, or of a token of another provider. OpenID Connect Core 1.0 section 3.1.3.7: an ID token with several
    /// audiences names the one that it was issued to in `azp`.
    fn check_audience<'c>(&self, claims: &'c Claims, is_id_token: bool) -> Result<Option<&'c str>, Reason> {
        match (&self.client, &claims.audience) {
            // An ID token with several audiences was issued to the one in `azp`.
            (ClientRule::Unchecked, audience) => {
                let first = audience.iter().flatten().next();
                let is_ambiguous = is_id_token && audience.as_ref().is_some_and(|audience| audience.len() > 1);
                Ok(if is_ambiguous { claims.authorized_party.as_deref() } else { first.map(String::as_str) })
            }
            (ClientRule::OneOf(_), None) => Err(Reason::AudienceMissing),
            (ClientRule::OneOf(clients), Some(audience)) => match audience.iter().find(|name| clients.contains(name)) {
                Some(client_id) if audience.len() == 1 || !is_id_token => Ok(Some(client_id)),
                Some(_) => match claims.authorized_party.as_ref().filter(|party| clients.contains(party)) {
                    Some(client_id) => Ok(Some(client_id)),
                    None => Err(Reason::AudienceMismatch),
                },
                None => Err(Reason::AudienceMismatch),
            },
        }
    }

    /// Returns whether a token may lack `aud`.
    fn may_be_unbound(&self, claims: &Claims) -> bool {
        claims.client_id.as_ref().is_some_and(|client_id| self.unbound_clients.contains(client_id))
    }

    /// Checks `aud` of an access token, or of a token of another provider. RFC 7519 section 4.1.3: a token whose `aud` does not identify the
    /// recipient must be rejected.
    fn check_resource(&self, claims: &Claims) -> Result<(), Reason> {
        let names_one_of =
            |audience: &[String], accepted: &[String]| audience.iter().any(|name| accepted.contains(name));
        match (&self.resource, &claims.audience) {
            (ResourceRule::Unchecked, _) | (ResourceRule::Unbound, None) => Ok(()),
            (ResourceRule::OneOf(_), None) if self.may_be_unbound(claims) => Ok(()),
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

fn check_client_claim(pool: &Pool) -> Result<(), ConfigError> {
    let is_unchecked = pool.token_use == TokenUseRule::Unchecked;
    let names_both = matches!((&pool.client, &pool.resource), (ClientRule::OneOf(_), ResourceRule::OneOf(_)));
    match pool.client_claim {
        Some(_) if !is_unchecked => Err(ConfigError::ClientClaimUnused),
        // `aud` names either the client or the resource server, depending on the issuer.
        None if is_unchecked && names_both => Err(ConfigError::ClientClaimMissing),
        _ => Ok(()),
    }
}

/// Returns the accepted types of token.
fn types(pool: &Pool) -> Result<Vec<String>, ConfigError> {
    let types: Vec<String> = match pool.types.as_slice() {
        [] if is_identity_pool(pool) => ["jws", "jwt", "at+jwt", ""].map(ToOwned::to_owned).into(),
        [] => ["jwt", "at+jwt", ""].map(ToOwned::to_owned).into(),
        configured => configured.iter().map(|name| media_type(name)).collect(),
    };
    let is_token = |name: &String| !OTHER_TYPES.contains(&name.as_str());
    // `application/` alone is no media type, and must not become "no `typ`".
    let is_named = pool.types.iter().zip(&types).all(|(configured, name)| configured.is_empty() == name.is_empty());
    if is_named && types.iter().all(is_token) { Ok(types) } else { Err(ConfigError::InvalidType) }
}

fn has_load_balancers(pool: &Pool) -> bool {
    matches!(pool.issuer, IssuerRule::LoadBalancers(_))
}

/// Checks the rules for load balancers. Their ARNs are checked with their key URLs.
fn check_load_balancers(pool: &Pool) -> Result<(), ConfigError> {
    if !has_load_balancers(pool) {
        return Ok(());
    }
    if !Algorithm::Es256.is_built() {
        return Err(ConfigError::AlgorithmNotBuilt);
    }
    let is_es256 = matches!(pool.algorithms.as_slice(), [] | [Algorithm::Es256]);
    let is_right = pool.token_use == TokenUseRule::Unchecked && pool.client_claim.is_none() && is_es256;
    if is_right { Ok(()) } else { Err(ConfigError::InvalidLoadBalancer) }
}

fn is_identity_pool(pool: &Pool) -> bool {
    match &pool.issuer {
        IssuerRule::IdentityPool { .. } => true,
        IssuerRule::Exactly(issuer) => issuer::is_of_identity_pools(issuer),
        IssuerRule::OneOf(issuers) => issuers.iter().any(|issuer| issuer::is_of_identity_pools(issuer)),
        _ => false,
    }
}

/// Checks the rules for identity pools, and returns the claim rule about guests.
fn identity_pool_rule(pool: &Pool) -> Result<Option<ClaimRule>, ConfigError> {
    if is_identity_pool(pool) && matches!(pool.client, ClientRule::Unchecked) {
        return Err(ConfigError::AnyClientOfIdentityPool);
    }
    let IssuerRule::IdentityPool { guests } = pool.issuer else {
        return Ok(None);
    };
    let is_id = |clients: &ClientRule| match clients {
        ClientRule::OneOf(clients) => matches!(clients.as_slice(), [id] if issuer::is_identity_pool_id(id)),
        ClientRule::Unchecked => false,
    };
    let names_aud = matches!(pool.client_claim, None | Some(ClientClaim::Aud));
    if pool.token_use != TokenUseRule::Unchecked || !names_aud || !is_id(&pool.client) {
        return Err(ConfigError::InvalidIdentityPool);
    }
    let accepted = match guests {
        GuestRule::Refuse => vec!["authenticated"],
        GuestRule::Accept => vec!["authenticated", "unauthenticated"],
    };
    Ok(Some(ClaimRule {
        name: Some("guests".to_owned()),
        claim: "amr".to_owned(),
        path: Vec::new(),
        selector: ClaimSelector::Value,
        test: ClaimTest::AnyOf(accepted.into_iter().map(|name| ClaimValue::Text(name.to_owned())).collect()),
        fits_if_absent: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY_POOL: &str = "eu-west-1:aaaabbbb-0000-cccc-1111-dddd2222eeee";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The rules for tokens of another issuer, with this change.
    fn pool(change: impl FnOnce(&mut Pool)) -> Pool {
        let mut pool = Pool::for_tests(IssuerRule::Exactly("https://id.example.com".to_owned()));
        change(&mut pool);
        pool
    }

    fn error(change: impl FnOnce(&mut Pool)) -> Option<ConfigError> {
        Policy::new(&pool(change)).err()
    }

    fn user_pool(pool: &mut Pool) {
        pool.issuer = IssuerRule::UserPool { id: "eu-west-1_EXAMPLE01".to_owned(), region: None };
    }

    fn identity_pool(pool: &mut Pool) {
        pool.issuer = IssuerRule::IdentityPool { guests: GuestRule::Refuse };
        pool.client = ClientRule::OneOf(names(&[IDENTITY_POOL]));
    }

    #[test]
    fn an_id_token_with_several_audiences_is_that_of_its_authorized_party() {
        let policy = Policy::new(&pool(|pool| {
            user_pool(pool);
            pool.token_use = TokenUseRule::Id;
            pool.client = ClientRule::Unchecked;
        }))
        .unwrap();
        for (claims, client_id) in [
            (r#""aud":"web""#, Some("web")),
            (r#""aud":["web"],"azp":"other""#, Some("web")),
            (r#""aud":["web","other"],"azp":"other""#, Some("other")),
            (r#""aud":["web","other"]"#, None),
            (r#""aud":[]"#, None),
        ] {
            let payload = alloc::format!(r#"{{"exp":9,"sub":"ada","token_use":"id",{claims}}}"#);
            let claims = Claims::parse(&payload, 4).unwrap();
            assert_eq!(policy.check(&claims).unwrap().client_id, client_id, "{payload}");
        }
    }

    #[test]
    fn scopes_have_no_spaces() {
        let scopes =
            |scope: &'static str| move |pool: &mut Pool| pool.scopes = Membership::any_of(names(&["a", scope]));
        assert_eq!(error(scopes("orders/read")), None);
        for scope in ["openid orders/read", " a", "a "] {
            assert_eq!(error(scopes(scope)), Some(ConfigError::InvalidScope), "{scope}");
            let all = |pool: &mut Pool| pool.scopes = Membership::all_of(names(&[scope]));
            assert_eq!(error(all), Some(ConfigError::InvalidScope), "{scope}");
        }
    }

    #[test]
    fn the_claim_with_the_scopes_is_fixed_for_a_user_pool() {
        let claim = |pool: &mut Pool| pool.scope_claim = Some("scp".to_owned());
        assert_eq!(error(claim), None);
        let of_user_pool = |pool: &mut Pool| {
            user_pool(pool);
            claim(pool);
        };
        assert_eq!(error(of_user_pool), Some(ConfigError::ScopeClaimOfUserPool));
    }

    #[test]
    fn the_claim_with_the_client_must_be_clear() {
        let both = |pool: &mut Pool| pool.resource = ResourceRule::OneOf(names(&["api"]));
        assert_eq!(error(both), Some(ConfigError::ClientClaimMissing));
        for claim in ClientClaim::ALL {
            let named = |pool: &mut Pool| {
                both(pool);
                pool.client_claim = Some(claim);
            };
            assert_eq!(error(named), None, "{claim:?}");
            for token_use in [TokenUseRule::Access, TokenUseRule::Id, TokenUseRule::AccessOrId] {
                let checked = |pool: &mut Pool| {
                    pool.client_claim = Some(claim);
                    pool.token_use = token_use;
                };
                assert_eq!(error(checked), Some(ConfigError::ClientClaimUnused), "{claim:?} {token_use:?}");
            }
        }
    }

    #[test]
    fn unbound_clients_and_resources_belong_together() {
        let unbound = |pool: &mut Pool| pool.unbound_clients = names(&["machine"]);
        assert_eq!(error(unbound), Some(ConfigError::UnboundWithoutResources));
        let with_resources = |pool: &mut Pool| {
            unbound(pool);
            pool.resource = ResourceRule::OneOf(names(&["api"]));
            pool.client_claim = Some(ClientClaim::Azp);
        };
        assert_eq!(error(with_resources), None);
        let of_id_tokens = |pool: &mut Pool| {
            pool.resource = ResourceRule::OneOf(names(&["api"]));
            pool.token_use = TokenUseRule::Id;
        };
        assert_eq!(error(of_id_tokens), Some(ConfigError::ResourceOfIdTokens));
        let with_an_empty_name = |pool: &mut Pool| {
            with_resources(pool);
            pool.unbound_clients = names(&["machine", ""]);
        };
        assert_eq!(error(with_an_empty_name), Some(ConfigError::EmptyList));
    }

    #[test]
    fn types_with_a_protocol_of_their_own_are_never_accepted() {
        for name in OTHER_TYPES.into_iter().chain(["DPoP+JWT", "application/logout+jwt", "Application/KB+JWT"]) {
            assert_eq!(error(|pool| pool.types = names(&["JWT", name])), Some(ConfigError::InvalidType), "{name}");
        }
        assert_eq!(error(|pool| pool.types = names(&["at+jwt", "JOSE", ""])), None);
        for name in ["application/", "Application/"] {
            assert_eq!(error(|pool| pool.types = names(&["JWT", name])), Some(ConfigError::InvalidType), "{name}");
        }
    }

    #[test]
    fn the_default_types_and_algorithms_depend_on_the_issuer() {
        let accepts =
            |pool: &Pool, name: &str| Policy::new(pool).unwrap().check_type(&TokenType::Named(name.into())).is_ok();
        let algorithms = |pool: &Pool| Policy::new(pool).unwrap().algorithms;
        let of_identity_pools = |pool: &mut Pool| pool.issuer = IssuerRule::Exactly(issuer::IDENTITY_POOLS.to_owned());
        for change in [identity_pool as fn(&mut Pool), of_identity_pools] {
            let pool = pool(change);
            assert!(accepts(&pool, "jws") && accepts(&pool, "jwt"));
            assert_eq!(algorithms(&pool), once(Algorithm::Rs512).collect());
        }
        let pool = pool(|_| ());
        assert!(!accepts(&pool, "jws") && accepts(&pool, "jwt") && accepts(&pool, "at+jwt"));
        assert_eq!(algorithms(&pool), once(Algorithm::Rs256).collect());
    }

    #[test]
    fn an_identity_pool_is_its_only_client() {
        assert_eq!(error(identity_pool), None);
        for clients in [&["web"][..], &[IDENTITY_POOL, IDENTITY_POOL], &["eu-west-1:x"], &["eu-west-1_EXAMPLE01"]] {
            let change = |pool: &mut Pool| {
                identity_pool(pool);
                pool.client = ClientRule::OneOf(names(clients));
            };
            assert_eq!(error(change), Some(ConfigError::InvalidIdentityPool), "{clients:?}");
        }
        let in_azp = |pool: &mut Pool| {
            identity_pool(pool);
            pool.client_claim = Some(ClientClaim::Azp);
        };
        assert_eq!(error(in_azp), Some(ConfigError::InvalidIdentityPool));
        let of_access_tokens = |pool: &mut Pool| {
            identity_pool(pool);
            pool.token_use = TokenUseRule::Access;
        };
        assert_eq!(error(of_access_tokens), Some(ConfigError::InvalidIdentityPool));
    }

    #[test]
    fn any_client_is_never_accepted_of_identity_pools() {
        let issuers = names(&["https://id.example.com", issuer::IDENTITY_POOLS]);
        for rule in [
            IssuerRule::IdentityPool { guests: GuestRule::Accept },
            IssuerRule::Exactly(issuer::IDENTITY_POOLS.to_owned()),
            IssuerRule::Exactly("https://cognito-identity-us-gov.amazonaws.com".to_owned()),
            IssuerRule::Exactly("https://cognito-identity.cn-north-1.amazonaws.com.cn".to_owned()),
            IssuerRule::OneOf(issuers),
        ] {
            let change = |pool: &mut Pool| {
                pool.issuer = rule;
                pool.client = ClientRule::Unchecked;
            };
            assert_eq!(error(change), Some(ConfigError::AnyClientOfIdentityPool));
        }
        assert_eq!(error(|pool| pool.client = ClientRule::Unchecked), None);
    }
}
