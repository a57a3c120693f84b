//! `docs/hosts.md`: which verdicts, and how many of them each host gave.

use poolgate_tests::{
    corpus::{Expected, cases},
    seen::Seen,
};
use std::collections::BTreeMap;

/// Groups of verdicts by name, with the cases' places in the corpus; the good tokens first.
fn groups() -> Vec<(String, Vec<usize>)> {
    let mut groups: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, case) in cases().iter().enumerate() {
        let name = match case.expected {
            Expected::Allow => None,
            Expected::Deny(reason) => Some(reason),
        };
        groups.entry(name).or_default().push(index);
    }
    let title = |name: Option<&str>| name.map_or("verified".to_owned(), |reason| format!("`{reason}`"));
    groups.into_iter().map(|(name, indices)| (title(name), indices)).collect()
}

/// The page, from each host's name and verdicts.
pub fn page(columns: &[(&str, Vec<Seen>)]) -> String {
    let mut page = format!(
        "# Verdicts of every host\n\nThe {} tokens of the corpus, put to every host: a cell says how many tokens got just the \
         verdict, and for what reason, that the core gives, of how many that host could be asked (some can't stand in a \
         header). In gRPC and through a proxy no reason is told, and the status alone counts. Written by \
         `POOLGATE_WRITE_HOSTS=1 cargo test --test hosts`, and compared by `cargo test --test hosts`.\n\n",
        cases().len()
    );
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    page += &format!("| verdict | tokens | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(columns.len()));
    let groups = groups();
    let all = ("**all**".to_owned(), (0..cases().len()).collect());
    for (title, indices) in groups.iter().chain([&all]) {
        let cells = columns.iter().map(|(_, seen)| cell(indices, seen)).collect::<Vec<_>>().join(" | ");
        page += &format!("| {title} | {} | {cells} |\n", indices.len());
    }
    page
}

fn cell(indices: &[usize], seen: &[Seen]) -> String {
    let asked: Vec<bool> = indices.iter().filter_map(|index| seen[*index].agrees(&cases()[*index])).collect();
    match asked.len() {
        0 => "–".to_owned(),
        count => format!("{}/{count}", asked.iter().filter(|agrees| **agrees).count()),
    }
}
