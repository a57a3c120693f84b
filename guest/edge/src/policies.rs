//! Evaluates what a route requires of a verified token.

use crate::config::{self, Config, TokenUse};
use poolgate_core::{Membership, Reason, Verified};

/// A named policy. Pools are indices of the configured pools.
#[derive(Debug)]
pub(crate) struct Policy {
    pools: Option<Vec<usize>>,
    token_use: Option<TokenUse>,
    client_ids: Option<Vec<String>>,
    groups: Membership,
    scopes: Membership,
    /// The number of its list of claim rules in the core's configuration.
    claims: Option<u32>,
}

/// What a route requires. Policies are indices of the configured policies.
#[derive(Debug, PartialEq)]
pub(crate) enum RouteRequirement {
    Nothing,
    AnyToken,
    AnyOf(Vec<usize>),
    AllOf(Vec<usize>),
}

impl Policy {
    /// Converts all policies of a configuration.
    pub(crate) fn all(config: &Config) -> Vec<Self> {
        // The core has a list of claim rules for each policy that has some, in the same order.
        let mut lists = 0..;
        let policies = config.policies.iter();
        policies
            .map(|policy| Self::new(policy, &config.pools, policy.claims.as_ref().and_then(|_| lists.next())))
            .collect()
    }

    fn new(policy: &config::Policy, pools: &[config::Pool], claims: Option<u32>) -> Self {
        let number = |name: &String| pools.iter().position(|pool| pool.name == *name);
        Self {
            pools: policy.pools.as_ref().map(|names| names.iter().filter_map(number).collect()),
            token_use: policy.token_use,
            client_ids: policy.client_ids.clone(),
            groups: membership(policy.groups.as_ref()),
            scopes: membership(policy.scopes.as_ref()),
            claims,
        }
    }

    fn check(&self, verified: &Verified) -> Result<(), Reason> {
        if !self.pools.as_ref().is_none_or(|pools| pools.contains(&verified.pool)) {
            return Err(Reason::IssuerUnknown);
        }
        match (self.token_use, verified.token_use) {
            (Some(TokenUse::Access), Some(poolgate_core::TokenUse::Access))
            | (Some(TokenUse::Id), Some(poolgate_core::TokenUse::Id))
            | (Some(TokenUse::AccessOrId), Some(_))
            | (Some(TokenUse::Unchecked) | None, _) => (),
            (Some(_), None) => return Err(Reason::TokenUseMissing),
            (Some(_), Some(_)) => return Err(Reason::TokenUseMismatch),
        }
        let is_client =
            |clients: &Vec<String>| verified.client_id.as_ref().is_some_and(|client| clients.contains(client));
        if !self.client_ids.as_ref().is_none_or(is_client) {
            return Err(Reason::ClientMismatch);
        }
        if !self.groups.fits(&verified.groups) {
            return Err(Reason::GroupMissing);
        }
        if !self.scopes.fits(&verified.scopes) {
            return Err(Reason::ScopeMissing);
        }
        let fits = |list: u32| verified.requirements & 1u64.checked_shl(list).unwrap_or(0) != 0;
        if self.claims.is_none_or(fits) { Ok(()) } else { Err(Reason::ClaimForbidden) }
    }
}

fn membership(membership: Option<&config::Membership>) -> Membership {
    match membership {
        Some(config::Membership { any_of, all_of }) => Membership { any_of: any_of.clone(), all_of: all_of.clone() },
        None => Membership::UNCHECKED,
    }
}

impl RouteRequirement {
    /// Checks a verified token. If it satisfies none of several policies, the reason is that of the nearest policy: a missing group or scope, or
    /// a claim that does not fit (403), takes precedence over any other reason.
    pub(crate) fn check(&self, policies: &[Policy], verified: &Verified) -> Result<(), Reason> {
        let check = |number: &usize| match policies.get(*number) {
            Some(policy) => policy.check(verified),
            None => Err(Reason::NotConfigured),
        };
        match self {
            RouteRequirement::Nothing | RouteRequirement::AnyToken => Ok(()),
            RouteRequirement::AllOf(numbers) => numbers.iter().try_for_each(check),
            RouteRequirement::AnyOf(numbers) => {
                let mut nearest = Reason::NotConfigured;
                for number in numbers {
                    match check(number) {
                        Ok(()) => return Ok(()),
                        Err(reason @ (Reason::GroupMissing | Reason::ScopeMissing | Reason::ClaimForbidden)) => {
                            nearest = reason
                        }
                        Err(reason) if nearest == Reason::NotConfigured => nearest = reason,
                        Err(_) => (),
                    }
                }
                Err(nearest)
            }
        }
    }
}
