//! The rules and policies of a configuration, as text.

use crate::command::shown;
use serde_json::Value;

/// A rule of the configuration: its position and its members.
pub struct Rule<'c> {
    pub number: u32,
    pub route: &'c Value,
}

impl<'c> Rule<'c> {
    pub fn of(configuration: &'c Value, number: u32) -> Self {
        Self { number, route: &configuration["routes"][number as usize] }
    }

    /// The policies that it names.
    pub fn policies(&self, configuration: &'c Value) -> Vec<&'c Value> {
        let names = ["any_of", "all_of"].into_iter().filter_map(|list| self.route[list].as_array()).flatten();
        let all = configuration["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
        names.filter_map(|name| all.iter().find(|policy| policy["name"] == *name)).collect()
    }

    pub fn text(&self) -> String {
        format!("routes[{}] {}", self.number, shown::json(self.route, false))
    }
}
