//! What a route asks of a token that is already verified.

use crate::{Answer, Denial, Reason, Verified, refusal::Refused};

/// Groups and scopes that a verified token must have: of one route, where [`Pool`](crate::Pool) states what holds for all.
///
/// ```
/// use poolgate::Requirement;
///
/// let reports = Requirement::new().any_of_groups(["admins", "auditors"]).all_of_scopes(["reports/read"]);
/// ```
///
/// Nothing is asked for unless stated; what is stated with no names is met by no token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Requirement {
    any_of_groups: Option<Vec<String>>,
    all_of_groups: Vec<String>,
    any_of_scopes: Option<Vec<String>>,
    all_of_scopes: Vec<String>,
}

impl Requirement {
    /// Asks for nothing but a verified token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for at least one of these `cognito:groups`.
    pub fn any_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.any_of_groups = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// Asks for every one of these `cognito:groups`.
    pub fn all_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.all_of_groups = groups.into_iter().map(Into::into).collect();
        self
    }

    /// Asks for at least one of these scopes. ID tokens have none.
    pub fn any_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.any_of_scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Asks for every one of these scopes. ID tokens have none.
    pub fn all_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.all_of_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a token meets it.
    ///
    /// # Errors
    /// A [`Denial`] with the answer 403: `group-missing` or `scope-missing`.
    pub fn check(&self, verified: &Verified) -> Result<(), Denial> {
        let missing = |reason| Err(Denial { reason, answer: Answer::InsufficientScope });
        if !fits(&verified.groups, self.any_of_groups.as_deref(), &self.all_of_groups) {
            return missing(Reason::GroupMissing);
        }
        if !fits(&verified.scopes, self.any_of_scopes.as_deref(), &self.all_of_scopes) {
            return missing(Reason::ScopeMissing);
        }
        Ok(())
    }

    /// What the caller is told who does not meet it (RFC 6750 section 3.1).
    pub(crate) fn refusal(&self) -> Refused {
        let scopes: Vec<String> = self.any_of_scopes.iter().flatten().chain(&self.all_of_scopes).cloned().collect();
        Refused::insufficient(&scopes)
    }
}

fn fits(held: &[String], any_of: Option<&[String]>, all_of: &[String]) -> bool {
    any_of.is_none_or(|names| names.iter().any(|name| held.contains(name)))
        && all_of.iter().all(|name| held.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }

    #[test]
    fn any_of_is_one_of_them_all_of_is_every_one_and_both_must_hold() {
        let new = Requirement::new;
        let nobody: [&str; 0] = [];
        for (requirement, missing) in [
            (new(), None),
            (new().any_of_groups(["a", "x"]), None),
            (new().any_of_groups(["x", "y"]), Some(Reason::GroupMissing)),
            (new().any_of_groups(nobody), Some(Reason::GroupMissing)),
            (new().all_of_groups(["a", "b"]), None),
            (new().all_of_groups(["a", "x"]), Some(Reason::GroupMissing)),
            (new().any_of_groups(["a"]).all_of_groups(["x"]), Some(Reason::GroupMissing)),
            (new().any_of_scopes(["read", "x"]), None),
            (new().any_of_scopes(["rea"]), Some(Reason::ScopeMissing)),
            (new().all_of_scopes(["read", "x"]), Some(Reason::ScopeMissing)),
            (new().any_of_groups(["a"]).all_of_scopes(["read", "write"]), None),
        ] {
            let came = requirement.check(&verified(&["a", "b"], &["read", "write"]));
            assert_eq!(came.err().map(|denial| denial.reason), missing, "{requirement:?}");
        }
    }
}
