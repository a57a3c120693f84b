//! Log lines about ambiguous paths.

use crate::{
    rejection::{Conflict, Rejection},
    routes::Routes,
};
use std::cell::RefCell;

/// The maximum number of pairs of rules that are logged.
const LIMIT: usize = 100;

/// The pairs of rules that were logged, so that each is logged once.
#[derive(Debug, Default)]
pub(crate) struct Explanations(RefCell<Vec<Conflict>>);

impl Explanations {
    /// Returns a line for the operator's log if the path is ambiguous and its pair of rules was not logged before.
    pub(crate) fn line(&self, rejection: Rejection, routes: &Routes) -> Option<String> {
        let Rejection::AmbiguousPath(conflict) = rejection else { return None };
        let mut logged = self.0.borrow_mut();
        if logged.contains(&conflict) || logged.len() >= LIMIT {
            return None;
        }
        logged.push(conflict);
        if conflict == Conflict::default() {
            return Some("rejected (400) a path that can be read in too many ways".to_owned());
        }
        let (first, second) = (routes.name(conflict.first), routes.name(conflict.second));
        Some(format!(
            "rejected (400) an ambiguous path: {first} matches it as sent, and {second} as other servers read it"
        ))
    }
}
