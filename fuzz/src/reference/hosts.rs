//! The host of a request, as docs/paths.md describes it, and which rules may be the one for it.

use crate::reference::json::Tree;

/// The host of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Every reading of it.
    Read(Vec<String>),
    /// It may be any.
    Any,
}

/// A reading of the host, for one rule.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading<'h> {
    Name(&'h str),
    /// A host that no rule lists.
    Unlisted,
    /// A host that, of all rules with hosts, only the one with this number lists.
    OnlyOf(usize),
}

/// Reads the host from the header fields.
pub(crate) fn host(headers: &[(String, String)]) -> Host {
    let fields = |name: &str| -> Vec<String> {
        headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.to_ascii_lowercase()).collect()
    };
    let (authorities, hosts) = (fields(":authority"), fields("host"));
    let sent = match (authorities.as_slice(), hosts.as_slice()) {
        ([one], []) | ([], [one]) => one,
        ([one], [other]) if one == other => one,
        _ => return Host::Any,
    };
    let Some(name) = without_port(sent) else { return Host::Any };
    match name.strip_suffix('.') {
        Some(shorter) if is_name(shorter) => Host::Read(vec![name.to_owned(), shorter.to_owned()]),
        None if is_name(name) || is_usual_ipv6(name) => Host::Read(vec![name.to_owned()]),
        _ => Host::Any,
    }
}

/// Returns what precedes `:port`. None: what follows a colon is no port.
fn without_port(authority: &str) -> Option<&str> {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[end..].split_once(':') {
        None => Some(authority),
        Some((before, port)) => {
            let is_port = (1..=5).contains(&port.len()) && port.chars().all(|digit| digit.is_ascii_digit());
            is_port.then(|| &authority[..end + before.len()])
        }
    }
}

fn is_name(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.chars().all(|one| matches!(one, 'a'..='z' | '0'..='9' | '-' | '_'))
            && !(label.starts_with("xn--") && label.ends_with('-'))
    };
    let is_octet = |label: &&str| label.parse::<u8>().is_ok_and(|number| number.to_string() == **label);
    let ends_in_number = labels.last().is_some_and(|last| {
        last.starts_with("0x") || (!last.is_empty() && last.chars().all(|one| one.is_ascii_digit()))
    });
    labels.iter().all(is_label) && (!ends_in_number || (labels.len() == 4 && labels.iter().all(is_octet)))
}

/// Returns whether this is an IPv6 address in brackets in the form of RFC 5952 section 4, without an IPv4 address.
fn is_usual_ipv6(host: &str) -> bool {
    let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    let words = |text: &str| -> Option<Vec<u16>> {
        let words = text.split(':').filter(|_| !text.is_empty()).map(|word| {
            let is_usual = (1..=4).contains(&word.len()) && (word == "0" || !word.starts_with('0'));
            let is_hex = word.chars().all(|one| matches!(one, '0'..='9' | 'a'..='f'));
            if is_usual && is_hex { u16::from_str_radix(word, 16).ok() } else { None }
        });
        words.collect()
    };
    let (address, gap) = match inner.split_once("::") {
        None => (words(inner), 0..0),
        Some((before, after)) => match (words(before), words(after)) {
            (Some(before), Some(after)) if before.len() + after.len() <= 6 => {
                let gap = before.len()..8 - after.len();
                (Some([before, vec![0; gap.len()], after].concat()), gap)
            }
            _ => (None, 0..0),
        },
    };
    let Some(address) = address.filter(|address| address.len() == 8) else { return false };
    let is_mapped = address[..5].iter().all(|word| *word == 0) && address[5] == 0xffff;
    // The first of the longest runs of two zeros or more is the one that is left out.
    let run = |start: usize| address[start..].iter().take_while(|word| **word == 0).count();
    let runs = || (0..8).filter(|start| *start == 0 || address[start - 1] != 0).map(|start| (start, run(start)));
    let longest = runs().map(|(_, length)| length).max().unwrap_or_default();
    let first = runs().find(|(_, length)| *length == longest).unwrap_or_default();
    let expected = if longest < 2 { 0..0 } else { first.0..first.0 + longest };
    gap == expected && !is_mapped
}

/// Returns the readings to compare with the rules.
pub(crate) fn readings<'h>(host: &'h Host, config: &Tree) -> Vec<Reading<'h>> {
    match host {
        Host::Read(names) => names.iter().map(|name| Reading::Name(name)).collect(),
        Host::Any => {
            let routes = if let Some(Tree::Array(routes)) = config.get("routes") { routes.len() } else { 0 };
            std::iter::once(Reading::Unlisted).chain((0..routes).map(Reading::OnlyOf)).collect()
        }
    }
}

/// Returns whether the rule with this number is for this host.
pub(crate) fn is_for(route: &Tree, number: usize, host: Reading<'_>) -> bool {
    let Some(Tree::Array(patterns)) = route.get("hosts") else { return true };
    let fits = |pattern: &str, name: &str| match pattern.strip_prefix('*') {
        Some(end) => name.len() > end.len() && name.ends_with(end),
        None => name == pattern,
    };
    match host {
        Reading::Name(name) => {
            patterns.iter().filter_map(Tree::as_str).any(|pattern| fits(&pattern.to_ascii_lowercase(), name))
        }
        Reading::Unlisted => false,
        Reading::OnlyOf(listing) => number == listing,
    }
}
