//! Log lines about ambiguous paths and hosts.

use crate::{
    rejection::{Conflict, Rejection},
    routes::Routes,
};
use std::cell::RefCell;

/// The maximum number of rejections that are logged.
const LIMIT: usize = 100;

/// The rejections that were logged, so that each pair of rules is logged once for paths and once for hosts.
#[derive(Debug, Default)]
pub(crate) struct Explanations(RefCell<Vec<Rejection>>);

impl Explanations {
    /// Returns a line for the operator's log if the path or the host is ambiguous and its pair of rules was not logged before.
    pub(crate) fn line(&self, rejection: Rejection, routes: &Routes) -> Option<String> {
        let (Rejection::AmbiguousPath(conflict) | Rejection::AmbiguousHost(conflict)) = rejection else { return None };
        let mut logged = self.0.borrow_mut();
        if logged.contains(&rejection) || logged.len() >= LIMIT {
            return None;
        }
        logged.push(rejection);
        if conflict == Conflict::default() {
            return Some("rejected (400) a path that can be read in too many ways".to_owned());
        }
        let (first, second) = (routes.name(conflict.first), routes.name(conflict.second));
        Some(match rejection {
            Rejection::AmbiguousHost(_) => format!(
                "rejected (400) a host that is absent, spelled in an unusual way, or ends with a dot: {first} matches it as sent, and {second} as \
                 other servers may read it"
            ),
            _ => format!(
                "rejected (400) an ambiguous path: {first} matches it as sent, and {second} as other servers read it"
            ),
        })
    }
}
