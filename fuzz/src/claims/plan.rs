//! A policy, a payload and some times, close enough to one another that every verdict occurs.

use super::{
    ISSUER, NOW,
    change::{Change, change, near},
    issued::Issued,
    load_balancer::{self, HeaderPlan},
    origin,
};
use crate::drawing as arbitrary;
use crate::{reference::json::Tree, scene};
use derive_arbitrary::Arbitrary;
use poolgate_core::{
    ClientClaim, ClientRule, ConfirmationRule, Membership, Pool, ResourceRule, SubjectRule, TokenUseRule,
};

#[derive(Arbitrary, Debug)]
pub(super) struct Plan {
    token_use: u8,
    client: u8,
    groups: u8,
    scopes: u8,
    resource: u8,
    max_age: Option<u16>,
    leeway: u16,
    skew: u16,
    is_access: bool,
    changes: Vec<Change>,
    times: [Time; 2],
    any_subject: bool,
    ignores_confirmation: bool,
    /// A load balancer signs the token, and not the issuer.
    load_balancer: Option<HeaderPlan>,
}

#[derive(Arbitrary, Debug)]
enum Time {
    Near(i16),
    Any(u64),
}

const CLAIMS: [&str; 18] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "origin_jti",
    "username",
    "cognito:username",
    "token_use",
    "client_id",
    "auth_time",
    "cognito:groups",
    "scope",
    "Exp",
    "",
    "cnf",
];

const NAMES: [&str; 10] =
    [ISSUER, "access", "id", "app", "other app", "admins", "readers", "orders/read orders/write", " app  x ", ""];

impl Plan {
    pub(super) fn pool(&self) -> Pool {
        let one = |text: &str| vec![text.to_owned()];
        let membership = |choice: u8, first: &str, second: &str| {
            let both = || vec![first.to_owned(), second.to_owned()];
            match choice % 4 {
                0 | 1 => Membership::UNCHECKED,
                2 if choice > 127 => Membership { any_of: Some(both()), all_of: Some(one(first)) },
                2 => Membership::any_of(both()),
                _ => Membership::all_of(both()),
            }
        };
        let token_use = [TokenUseRule::Unchecked, TokenUseRule::Access, TokenUseRule::Id, TokenUseRule::AccessOrId]
            [usize::from(self.token_use % 4)];
        let names_resources = self.resource % 3 == 2 && token_use != TokenUseRule::Id;
        let pool = Pool {
            token_use,
            // Otherwise a configuration error.
            client_claim: (token_use == TokenUseRule::Unchecked && names_resources).then_some(ClientClaim::Aud),
            client: if self.client.is_multiple_of(2) { ClientRule::Unchecked } else { ClientRule::OneOf(one("app")) },
            groups: membership(self.groups, "admins", "readers"),
            scopes: membership(self.scopes, "orders/read", "orders/write"),
            resource: match self.resource % 3 {
                0 => ResourceRule::Unchecked,
                1 => ResourceRule::Unbound,
                _ if names_resources => ResourceRule::OneOf(one("other app")),
                // A configuration error for ID tokens.
                _ => ResourceRule::Unbound,
            },
            subject: if self.any_subject { SubjectRule::Unchecked } else { SubjectRule::Required },
            confirmation: match self.ignores_confirmation {
                true => ConfirmationRule::Ignore,
                false => ConfirmationRule::Refuse,
            },
            max_age: self.max_age.map(u32::from),
            leeway: u32::from(self.leeway) % 901,
            issued_at_skew: u32::from(self.skew) % 901,
            ..scene::pool(ISSUER, origin())
        };
        match self.load_balancer {
            None => pool,
            Some(_) => load_balancer::pool(pool),
        }
    }

    /// Returns the claims, and how the token is made of them.
    pub(super) fn issued(&self) -> Issued {
        let members = self.members();
        let header = self.load_balancer.as_ref().map(|plan| plan.header(&members));
        Issued { members, header }
    }

    /// Returns the claims of a valid token, with changes.
    fn members(&self) -> Vec<(String, Tree)> {
        let text = |text: &str| Tree::String(text.to_owned());
        let list = |texts: &[&str]| Tree::Array(texts.iter().map(|one| text(one)).collect());
        let mut members = vec![
            ("iss".to_owned(), text(ISSUER)),
            ("sub".to_owned(), text("user")),
            ("exp".to_owned(), Tree::Number((NOW + 600).to_string())),
            ("iat".to_owned(), Tree::Number((NOW - 60).to_string())),
            ("cognito:groups".to_owned(), list(&["admins", "readers"])),
            ("scope".to_owned(), text("orders/read orders/write")),
            ("token_use".to_owned(), text(if self.is_access { "access" } else { "id" })),
            (if self.is_access { "client_id" } else { "aud" }.to_owned(), text("app")),
        ];
        change(&mut members, &self.changes, &CLAIMS, &NAMES);
        members
    }

    /// Returns the times at which the token is verified, in addition to those from the model.
    pub(super) fn times(&self) -> Vec<u64> {
        let chosen = self.times.iter().map(|time| match time {
            Time::Near(offset) => near(*offset),
            Time::Any(seconds) => *seconds,
        });
        [NOW].into_iter().chain(chosen).collect()
    }
}
