//! What a route asks of a token that is already verified.

use crate::{Denial, ErrorCode, Reason, Verified, refusal::Refused};

/// Groups and scopes that a verified token must have: of one route, where [`Pool`](crate::Pool) states what holds for all.
///
/// ```
/// use poolgate::Requirement;
///
/// let reports = Requirement::new().any_of_groups(["admins", "auditors"]).all_of_scopes(["reports/read"]);
/// ```
///
/// Nothing is asked for unless stated. A list must be stated once, and have names: one that is empty would be met by everybody or by
/// nobody, and an empty name is a group of that name. Each of the four methods panics otherwise, where it is called: check a list first
/// that comes from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Requirement {
    any_of_groups: Option<Vec<String>>,
    all_of_groups: Option<Vec<String>>,
    any_of_scopes: Option<Vec<String>>,
    all_of_scopes: Option<Vec<String>>,
}

impl Requirement {
    /// Asks for nothing but a verified token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for at least one of these `cognito:groups`.
    ///
    /// # Panics
    /// If there is no name, an empty one, or this was stated before.
    #[track_caller]
    pub fn any_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        state(&mut self.any_of_groups, groups);
        self
    }

    /// Asks for every one of these `cognito:groups`.
    ///
    /// # Panics
    /// If there is no name, an empty one, or this was stated before.
    #[track_caller]
    pub fn all_of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        state(&mut self.all_of_groups, groups);
        self
    }

    /// Asks for at least one of these scopes. ID tokens have none.
    ///
    /// # Panics
    /// If there is no name, an empty one, or this was stated before.
    #[track_caller]
    pub fn any_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        state(&mut self.any_of_scopes, scopes);
        self
    }

    /// Asks for every one of these scopes. ID tokens have none.
    ///
    /// # Panics
    /// If there is no name, an empty one, or this was stated before.
    #[track_caller]
    pub fn all_of_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        state(&mut self.all_of_scopes, scopes);
        self
    }

    /// Whether a token meets it.
    ///
    /// # Errors
    /// A [`Denial`] with the answer 403: `group-missing` or `scope-missing`.
    pub fn check(&self, verified: &Verified) -> Result<(), Denial> {
        let missing = |reason| Err(Denial::new(reason, ErrorCode::InsufficientScope));
        if !fits(&verified.groups, self.any_of_groups.as_deref(), self.all_of_groups.as_deref()) {
            return missing(Reason::GroupMissing);
        }
        if !fits(&verified.scopes, self.any_of_scopes.as_deref(), self.all_of_scopes.as_deref()) {
            return missing(Reason::ScopeMissing);
        }
        Ok(())
    }

    /// What the caller is told who does not meet it (RFC 6750 section 3.1).
    pub(crate) fn refusal(&self) -> Refused {
        let lists = self.any_of_scopes.iter().chain(&self.all_of_scopes);
        let scopes: Vec<String> = lists.flatten().cloned().collect();
        Refused::insufficient(&scopes)
    }
}

/// Takes a list of names, once.
#[track_caller]
fn state(place: &mut Option<Vec<String>>, names: impl IntoIterator<Item = impl Into<String>>) {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    assert!(!names.is_empty(), "a requirement without a name: leave it out, or name what is required");
    assert!(!names.iter().any(String::is_empty), "a requirement with an empty name");
    assert!(place.replace(names).is_none(), "a requirement that is stated twice: state it once, with all names");
}

fn fits(held: &[String], any_of: Option<&[String]>, all_of: Option<&[String]>) -> bool {
    any_of.is_none_or(|names| names.iter().any(|name| held.contains(name)))
        && all_of.is_none_or(|names| names.iter().all(|name| held.contains(name)))
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
            let came = requirement.check(&verified(&["a", "b"], &["read", "write"]));
            assert_eq!(came.err().map(|denial| denial.reason), missing, "{requirement:?}");
        }
    }

    #[test]
    fn a_list_that_says_nothing_is_refused_where_it_is_stated() {
        type Statement = fn() -> Requirement;
        let statements: [(&str, Statement); 8] = [
            ("any_of_groups", || Requirement::new().any_of_groups([""; 0])),
            ("all_of_groups", || Requirement::new().all_of_groups([""; 0])),
            ("any_of_scopes", || Requirement::new().any_of_scopes([""; 0])),
            ("all_of_scopes", || Requirement::new().all_of_scopes([""; 0])),
            ("an empty group", || Requirement::new().any_of_groups(["admins", ""])),
            ("an empty scope", || Requirement::new().all_of_scopes([""])),
            ("groups twice", || Requirement::new().any_of_groups(["admins"]).any_of_groups(["readers"])),
            ("scopes twice", || Requirement::new().all_of_scopes(["read"]).all_of_scopes(["write"])),
        ];
        for (what, state) in statements {
            assert!(std::panic::catch_unwind(state).is_err(), "{what} is taken");
        }
    }
}
