//! `docs/hosts.md`: the number of correct verdicts of each integration.

use poolgate_tests::{
    corpus::{Expected, cases},
    seen::Seen,
};
use std::collections::BTreeMap;

const INTRODUCTION: &str = "\
# Results of every integration

On this page you can check that every integration gives the same result for the same token. The test suite sends the {tokens} tokens of its corpus to each
one.

Each cell has two numbers. The second is the number of tokens that could be sent to that integration: some tokens cannot be sent in an HTTP header.
The first is the number of these for which the result and the reason code were the same as those of the core. gRPC responses, and
responses through a proxy, contain no reason code; there, only the status is compared. A dash means that no token of the row could be sent.

`POOLGATE_WRITE_HOSTS=1 cargo test --test hosts` writes this page, and `cargo test --test hosts` compares it.

";

const READ_NEXT: &str = "
## Read next

- [How poolgate is tested](testing.md): what the corpus contains, and what has not been tested.
- [Reason codes](reasons.md): what each reason means.
- [Choose an integration](choosing.md): what the integrations have in common, and what differs.
";

/// Returns the verdicts with the indices of their cases. Accepted tokens come first.
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

/// Returns the page for the names and verdicts of the integrations.
pub fn page(columns: &[(&str, Vec<Seen>)]) -> String {
    let mut page = INTRODUCTION.replace("{tokens}", &cases().len().to_string());
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    page += &format!("| verdict | tokens | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(columns.len()));
    let groups = groups();
    let all = ("**all**".to_owned(), (0..cases().len()).collect());
    for (title, indices) in groups.iter().chain([&all]) {
        let cells = columns.iter().map(|(_, seen)| cell(indices, seen)).collect::<Vec<_>>().join(" | ");
        page += &format!("| {title} | {} | {cells} |\n", indices.len());
    }
    page + READ_NEXT
}

fn cell(indices: &[usize], seen: &[Seen]) -> String {
    let sent: Vec<bool> = indices.iter().filter_map(|index| seen[*index].agrees(&cases()[*index])).collect();
    match sent.len() {
        0 => "–".to_owned(),
        count => format!("{}/{count}", sent.iter().filter(|agrees| **agrees).count()),
    }
}
