//! `docs/hosts.md`: the number of correct verdicts of each integration.

use super::tokens::{samples, tokens};
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

## The corpus

";

const RECIPES: &str = "
## The recipes

The samples of each [recipe](issuers.md) are sent to each integration in the same way, with the pool of the recipe as its configuration and with
generated keys. Every sample of every recipe must be sent: no integration lacks a recipe. The gateway behind nginx, Caddy and Traefik is made with the
Rust library here. [Gateway](gateway.md) describes the options of the command `poolgate serve`.

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
    page += &table("verdict", groups(), columns);
    page += RECIPES;
    let link = |name: &str, title: &str| format!("[{title}](issuers/{name}.json)");
    let recipes = samples().into_iter().map(|it| (link(&it.recipe, &it.title), it.indices));
    page += &table("recipe", recipes.collect(), columns);
    page + READ_NEXT
}

/// Returns a table with these rows, each of which has a title and the indices of its tokens, and a last row with all tokens.
fn table(title: &str, rows: Vec<(String, Vec<usize>)>, columns: &[(&str, Vec<Seen>)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut table =
        format!("| {title} | tokens | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(columns.len()));
    let all = ("**all**".to_owned(), rows.iter().flat_map(|(_, indices)| indices.clone()).collect());
    for (title, indices) in rows.iter().chain([&all]) {
        let cells = columns.iter().map(|(_, seen)| cell(indices, seen)).collect::<Vec<_>>().join(" | ");
        table += &format!("| {title} | {} | {cells} |\n", indices.len());
    }
    table
}

fn cell(indices: &[usize], seen: &[Seen]) -> String {
    let sent: Vec<bool> = indices.iter().filter_map(|index| seen[*index].agrees(tokens()[*index])).collect();
    match sent.len() {
        0 => "–".to_owned(),
        count => format!("{}/{count}", sent.iter().filter(|agrees| **agrees).count()),
    }
}
