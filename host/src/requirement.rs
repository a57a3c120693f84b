//! Groups, scopes and claim rules that a verified token must satisfy.

use crate::{Denial, ErrorCode, Reason, Verified, problem_response::ProblemResponse};

/// Groups, scopes and claim rules that a verified token must satisfy.
///
/// Use a requirement for one route or operation. Configure what all tokens of a user pool must have on
/// [`Pool`](crate::Pool). A requirement is checked by [`RequireLayer`](crate::tower::RequireLayer), or with
/// [`check`](Self::check).
///
/// By default, nothing is required. If several lists are set, the token must meet all of them.
///
/// ```
/// use poolgate::Requirement;
///
/// let reports = Requirement::new().any_of_groups(["admins", "auditors"]).all_of_scopes(["reports/read"]);
/// ```
///
/// # Panics
///
/// Each of the four methods that set a list panics if the list is empty or contains an empty name, or if the list has
/// been set before. Check a list that comes from user input or a configuration file before you pass it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Requirement {
    any_of_groups: Option<Vec<String>>,
    all_of_groups: Option<Vec<String>>,
    any_of_scopes: Option<Vec<String>>,
    all_of_scopes: Option<Vec<String>>,
    /// The names of lists of claim rules.
    claim_rules: Vec<String>,
}

impl Requirement {
    /// Creates a requirement that every verified token meets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires at least one of these groups in `cognito:groups`.
    ///
    /// # Panics
    ///
    /// Panics if the list is empty or contains an empty name, or if this method has been called before.
    #[track_caller]
    pub fn any_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        set(&mut self.any_of_groups, groups);
        self
    }

    /// Requires all of these groups in `cognito:groups`.
    ///
    /// # Panics
    ///
    /// Panics if the list is empty or contains an empty name, or if this method has been called before.
    #[track_caller]
    pub fn all_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        set(&mut self.all_of_groups, groups);
        self
    }

    /// Requires at least one of these scopes in `scope`. ID tokens have no scopes.
    ///
    /// # Panics
    ///
    /// Panics if the list is empty or contains an empty name, or if this method has been called before.
    #[track_caller]
    pub fn any_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        set(&mut self.any_of_scopes, scopes);
        self
    }

    /// Requires all of these scopes in `scope`. ID tokens have no scopes.
    ///
    /// # Panics
    ///
    /// Panics if the list is empty or contains an empty name, or if this method has been called before.
    #[track_caller]
    pub fn all_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        set(&mut self.all_of_scopes, scopes);
        self
    }

    /// Requires that the token fits the claim rules that [`VerifierBuilder::claim_rules`](crate::VerifierBuilder::claim_rules) has added with
    /// this name. May be called several times. No token fits an unknown name.
    ///
    /// ```
    /// use poolgate::{ClaimRule, Requirement, Verifier};
    ///
    /// let builder = Verifier::builder().claim_rules("staff", [ClaimRule::new("custom:tenant").any_of(["acme"])]);
    /// let staff = Requirement::new().claim_rules("staff");
    /// ```
    pub fn claim_rules(mut self, name: impl Into<String>) -> Self {
        self.claim_rules.push(name.into());
        self
    }

    /// Checks the groups, the scopes and the claim rules of a verified token.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] with the reason `group-missing`, `scope-missing` or `claim-forbidden` (403) if the token does not meet the requirement.
    pub fn check(&self, verified: &Verified) -> Result<(), Denial> {
        let missing = |reason| Err(Denial::new(reason, ErrorCode::InsufficientScope));
        if !meets(&verified.groups, self.any_of_groups.as_deref(), self.all_of_groups.as_deref()) {
            return missing(Reason::GroupMissing);
        }
        if !meets(&verified.scopes, self.any_of_scopes.as_deref(), self.all_of_scopes.as_deref()) {
            return missing(Reason::ScopeMissing);
        }
        if !self.claim_rules.iter().all(|name| verified.fits_claim_rules(name)) {
            return missing(Reason::ClaimForbidden);
        }
        Ok(())
    }

    /// Returns the error response for a token that does not meet the requirement (RFC 6750 section 3.1).
    pub(crate) fn error_response(&self) -> ProblemResponse {
        let lists = self.any_of_scopes.iter().chain(&self.all_of_scopes);
        let scopes: Vec<String> = lists.flatten().cloned().collect();
        ProblemResponse::insufficient(&scopes)
    }
}

/// Sets a list of names. Panics if it is invalid, or has been set before.
#[track_caller]
fn set(list: &mut Option<Vec<String>>, names: impl IntoIterator<Item = impl Into<String>>) {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    assert!(!names.is_empty(), "the list of a requirement is empty; add a name, or remove the call");
    assert!(!names.iter().any(String::is_empty), "a requirement contains an empty name");
    assert!(list.replace(names).is_none(), "a list of a requirement is set twice; set it once, with all names");
}

/// Returns `true` if `actual` contains one name of `any_of` and all names of `all_of`.
fn meets(actual: &[String], any_of: Option<&[String]>, all_of: Option<&[String]>) -> bool {
    any_of.is_none_or(|names| names.iter().any(|name| actual.contains(name)))
        && all_of.is_none_or(|names| names.iter().all(|name| actual.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim_rule_lists::FittingLists;

    fn verified(groups: &[&str], scopes: &[&str]) -> Verified {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Verified {
            subject: None,
            username: None,
            token_use: None,
            issuer: None,
            client_id: None,
            groups: names(groups),
            scopes: names(scopes),
            issued_at: None,
            expires_at: 0,
            auth_time: None,
            payload: String::new(),
            keys_are_stale: false,
            fitting: FittingLists::of(0),
        }
    }

    #[test]
    fn any_of_needs_one_name_all_of_needs_every_name_and_both_must_be_met() {
        let new = Requirement::new;
        for (requirement, missing) in [
            (new(), None),
            (new().any_of_groups(["a", "x"]), None),
            (new().any_of_groups(["x", "y"]), Some(Reason::GroupMissing)),
            (new().all_of_groups(["a", "b"]), None),
            (new().all_of_groups(["a", "x"]), Some(Reason::GroupMissing)),
            (new().any_of_groups(["a"]).all_of_groups(["x"]), Some(Reason::GroupMissing)),
            (new().any_of_scopes(["read", "x"]), None),
            (new().any_of_scopes(["rea"]), Some(Reason::ScopeMissing)),
            (new().all_of_scopes(["read", "x"]), Some(Reason::ScopeMissing)),
            (new().any_of_groups(["a"]).all_of_scopes(["read", "write"]), None),
        ] {
            let result = requirement.check(&verified(&["a", "b"], &["read", "write"]));
            assert_eq!(result.err().map(|denial| denial.reason), missing, "{requirement:?}");
        }
    }

    #[test]
    fn an_invalid_list_panics_where_it_is_set() {
        type Setter = fn() -> Requirement;
        let setters: [(&str, Setter); 8] = [
            ("any_of_groups", || Requirement::new().any_of_groups([""; 0])),
            ("all_of_groups", || Requirement::new().all_of_groups([""; 0])),
            ("any_of_scopes", || Requirement::new().any_of_scopes([""; 0])),
            ("all_of_scopes", || Requirement::new().all_of_scopes([""; 0])),
            ("an empty group", || Requirement::new().any_of_groups(["admins", ""])),
            ("an empty scope", || Requirement::new().all_of_scopes([""])),
            ("groups twice", || Requirement::new().any_of_groups(["admins"]).any_of_groups(["readers"])),
            ("scopes twice", || Requirement::new().all_of_scopes(["read"]).all_of_scopes(["write"])),
        ];
        for (what, setter) in setters {
            assert!(std::panic::catch_unwind(setter).is_err(), "{what} is accepted");
        }
    }
}
