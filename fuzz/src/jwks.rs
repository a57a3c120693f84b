//! JWK Sets: the limits, and that an unusable key does not affect the others.
//!
//! Oracles: a set is accepted exactly if the reference accepts it, and otherwise rejected with the same error. Every entry is either a usable
//! key or reported, once. There are no more keys than the limit. A reference allows every usable key. For each `kid` and algorithm, the key is
//! the only one among the usable entries, in whatever order they stand. Parsing the set again, encoding it differently, reversing it, adding
//! unusable entries or omitting the skipped ones changes no key.

mod plan;

use crate::{
    reference::json::{ParseError, Tree},
    text::{Order, plain, respelled},
};
use arbitrary::Unstructured;
use num_bigint::BigUint;
use poolgate_core::{
    Algorithm, KeyError, KeyReport, KeySetError, Limits,
    keys::{KeySet, NoKey, UnnamedKeys},
};

/// The maximum nesting of every set.
const DEPTH: u32 = 8;

/// The input is a byte for the maximum number of keys and one for the form, followed by a plan of a set or its text.
pub fn run(data: &[u8]) {
    let Some(([most, form], rest)) = data.split_first_chunk::<2>() else { return };
    let limits =
        Limits { jwks_keys: 1 + u32::from(*most) % 12, jwks_bytes: 8_192, json_depth: DEPTH, ..Limits::default() };
    match form % 2 {
        0 => check(rest, &limits),
        _ => check(plan::set(&mut Unstructured::new(rest)).as_bytes(), &limits),
    }
}

fn check(bytes: &[u8], limits: &Limits) {
    let came = KeySet::parse(bytes, limits);
    let expected = match Tree::read(bytes, DEPTH) {
        _ if bytes.len() > limits.jwks_bytes as usize => Err(KeySetError::TooLarge),
        Err(ParseError::Unsure) => return,
        Err(ParseError::Rejected) => Err(KeySetError::Malformed),
        Ok(tree) => entries(&tree, limits).map(|entries| (tree.clone(), entries)),
    };
    let (set, (tree, entries)) = match (came, expected) {
        (Ok(set), Ok(expected)) => (set, expected),
        (came, expected) => {
            let (came, expected) = (came.err(), expected.err());
            assert_eq!(came, expected, "{}", String::from_utf8_lossy(bytes));
            return;
        }
    };
    let report = set.report(UnnamedKeys::Rejected);
    check_report(&set, &report, &entries, limits);
    let usable = usable(&report, &entries);
    usable.iter().for_each(|(_, entry)| check_key(entry));
    check_choice(&set, &usable);
    let reversed: Vec<Tree> = entries.iter().rev().cloned().collect();
    let unbounded = Limits { jwks_bytes: 1 << 24, jwks_keys: 10_000, ..*limits };
    check_choice(&parsed(reversed, &unbounded), &usable);

    let again = KeySet::parse(bytes, limits).expect("it was accepted before");
    assert!(is_same(&report, &again.report(UnnamedKeys::Rejected)), "parsed again");
    let spelled = respelled(&tree, Order::Changed, &mut Unstructured::new(bytes));
    // Either of two members with the same name may come first now. Such an entry is rejected in both cases.
    let again = KeySet::parse(spelled.as_bytes(), &unbounded).expect("another spelling of what was taken");
    assert!(is_same(&report, &again.report(UnnamedKeys::Rejected)), "encoded differently: {spelled}");

    if !report.key_ids.is_empty() {
        let kept = read(usable.into_iter().map(|(_, entry)| entry.clone()).collect(), &unbounded);
        assert_eq!(kept.key_ids, report.key_ids, "without the unusable ones");
        assert!(kept.skipped.iter().all(|key| key.error == KeyError::DuplicateKeyId), "{:?}", kept.skipped);
    }
    let mut more = entries;
    more.extend([Tree::Null, Tree::Array(vec![]), Tree::Object(vec![("kty".into(), Tree::String("oct".into()))])]);
    let count = more.len();
    let more = read(more, &unbounded);
    assert_eq!(more.key_ids, report.key_ids, "with three more unusable entries");
    assert_eq!(more.skipped.len(), report.skipped.len() + 3, "of {count}");
}

/// Returns the entries of a set, if the set as a whole is valid.
fn entries(tree: &Tree, limits: &Limits) -> Result<Vec<Tree>, KeySetError> {
    let Tree::Object(members) = tree else { return Err(KeySetError::Malformed) };
    if tree.is_ambiguous() || members.iter().any(|(name, value)| name != "keys" && value.has_duplicates()) {
        return Err(KeySetError::DuplicateMember);
    }
    match tree.get("keys") {
        Some(Tree::Array(entries)) if entries.len() > limits.jwks_keys as usize => Err(KeySetError::TooManyKeys),
        Some(Tree::Array(entries)) if entries.is_empty() => Err(KeySetError::NoUsableKey),
        Some(Tree::Array(entries)) => Ok(entries.clone()),
        _ => Err(KeySetError::Malformed),
    }
}

/// Checks that the report has every entry once, in order, within the limits.
fn check_report(set: &KeySet, report: &KeyReport, entries: &[Tree], limits: &Limits) {
    let KeyReport { key_ids, skipped, .. } = report;
    assert!(entries.len() <= limits.jwks_keys as usize && key_ids.len() <= entries.len(), "{key_ids:?}");
    assert!(key_ids.is_sorted_by(|earlier, later| earlier < later), "{key_ids:?}");
    assert!(skipped.is_sorted_by(|earlier, later| earlier.index < later.index), "{skipped:?}");
    assert!(skipped.iter().all(|key| (key.index as usize) < entries.len()), "{skipped:?}");
    assert_eq!(set.is_usable(UnnamedKeys::Rejected), !key_ids.is_empty());
    for key_id in key_ids {
        let has_key = |algorithm: Algorithm| set.find(Some(key_id), algorithm, UnnamedKeys::Rejected).is_ok();
        assert!(Algorithm::ALL.into_iter().any(has_key), "{key_id:?}");
    }
    for key in skipped.iter().filter(|key| key.error != KeyError::DuplicateKeyId) {
        let Some(key_id) = &key.key_id else { continue };
        let found = set.find(Some(key_id), Algorithm::Rs256, UnnamedKeys::Rejected);
        assert!(!matches!(found, Err(NoKey::UnknownKeyId)), "{key:?}");
    }
}

/// Returns the usable entries with their `kid`. Those that are ambiguous for some algorithm are among them.
fn usable<'e>(report: &KeyReport, entries: &'e [Tree]) -> Vec<(&'e str, &'e Tree)> {
    let is_unusable =
        |at: u32| report.skipped.iter().any(|key| key.index == at && key.error != KeyError::DuplicateKeyId);
    let usable = (0..).zip(entries).filter(|(at, _)| !is_unusable(*at));
    usable.map(|(at, entry)| (kid(entry).unwrap_or_else(|| panic!("{at} has no kid: {entry:?}")), entry)).collect()
}

fn kid(entry: &Tree) -> Option<&str> {
    entry.get("kid").and_then(Tree::as_str)
}

/// Checks the key for each `kid` and algorithm. RFC 7517 section 5.1: the order of the keys means nothing.
fn check_choice(set: &KeySet, usable: &[(&str, &Tree)]) {
    for (key_id, _) in usable {
        for algorithm in Algorithm::ALL {
            let of_id = usable.iter().filter(|(own, _)| own == key_id).map(|(_, entry)| *entry);
            let mut fitting: Vec<_> = of_id.filter(|entry| is_for(entry, algorithm)).map(identity).collect();
            fitting.sort();
            fitting.dedup();
            let found = set.find(Some(key_id), algorithm, UnnamedKeys::Rejected);
            match fitting.len() {
                0 => assert_eq!(found.err(), Some(NoKey::OtherAlgorithm), "{key_id:?} {algorithm:?}"),
                1 => assert!(found.is_ok(), "{key_id:?} {algorithm:?}: {found:?}"),
                _ => assert_eq!(found.err(), Some(NoKey::Ambiguous), "{key_id:?} {algorithm:?}"),
            }
        }
    }
}

/// Returns the numbers of a key, as numbers, and its issuer.
fn identity(entry: &Tree) -> (Vec<BigUint>, Option<&str>) {
    let number = |name: &&str| present(entry, name).map(|_| BigUint::from_bytes_be(&octets(entry, name)));
    (["n", "e", "x", "y"].iter().filter_map(number).collect(), present(entry, "issuer").and_then(Tree::as_str))
}

/// Returns a member that is not `null`.
fn present<'e>(entry: &'e Tree, name: &str) -> Option<&'e Tree> {
    entry.get(name).filter(|value| **value != Tree::Null)
}

/// Returns whether a usable key fits an algorithm.
fn is_for(entry: &Tree, algorithm: Algorithm) -> bool {
    let text = |name: &str| present(entry, name).and_then(Tree::as_str);
    let of_family = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => algorithm.name().starts_with("RS") || algorithm.name().starts_with("PS"),
        (_, Some("P-256")) => algorithm == Algorithm::Es256,
        (_, Some("P-384")) => algorithm == Algorithm::Es384,
        (_, Some("P-521")) => algorithm == Algorithm::Es512,
        _ => algorithm == Algorithm::EdDsa,
    };
    let own = text("alg").map(|name| if name == "Ed25519" { "EdDSA" } else { name });
    of_family && own.is_none_or(|name| name == algorithm.name())
}

/// Decodes a number of a key. Some issuers pad, or publish standard base64.
fn octets(entry: &Tree, name: &str) -> Vec<u8> {
    let text = present(entry, name).and_then(Tree::as_str).unwrap_or_else(|| panic!("no {name}: {entry:?}"));
    let padding = text.len() - text.trim_end_matches('=').len();
    assert!(padding <= 2, "{name}: {entry:?}");
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    crate::reference::base64::decode(&text).unwrap_or_else(|error| panic!("{error:?} in {name}: {entry:?}"))
}

/// Checks a key against RFC 7517, RFC 7518 and the additional limits.
fn check_key(entry: &Tree) {
    assert!(!entry.has_duplicates() && kid(entry).is_some_and(|kid| (1..=256).contains(&kid.len())), "{entry:?}");
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(present(entry, name).is_none(), "a private key is used: {entry:?}");
    }
    assert!(present(entry, "use").is_none_or(|purpose| purpose.as_str() == Some("sig")), "{entry:?}");
    if let Some(operations) = present(entry, "key_ops") {
        let Tree::Array(operations) = operations else { panic!("{entry:?}") };
        assert!(operations.contains(&Tree::String("verify".into())), "{entry:?}");
    }
    let octets = |name: &str| octets(entry, name);
    let algorithm = present(entry, "alg").map(|name| name.as_str().unwrap_or_else(|| panic!("{entry:?}")));
    let is_one_of = |names: &[&str]| algorithm.is_none_or(|name| names.contains(&name));
    let curve = present(entry, "crv").and_then(Tree::as_str);
    match (present(entry, "kty").and_then(Tree::as_str), curve) {
        (Some("RSA"), _) => {
            let (n, e) = (octets("n"), octets("e"));
            let (n, e) = (BigUint::from_bytes_be(&n), BigUint::from_bytes_be(&e));
            assert!((2_048..=8_192).contains(&n.bits()) && n.bit(0), "{entry:?}");
            assert!(e.bit(0) && e >= BigUint::from(3u8) && e.bits() <= 64, "{entry:?}");
            assert!(is_one_of(&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]), "{entry:?}");
        }
        (Some("EC"), Some(curve @ ("P-256" | "P-384" | "P-521"))) => {
            let (length, algorithm) = match curve {
                "P-256" => (32, "ES256"),
                "P-384" => (48, "ES384"),
                _ => (66, "ES512"),
            };
            for name in ["x", "y"] {
                assert!(BigUint::from_bytes_be(&octets(name)).bits() <= 8 * length, "{entry:?}");
            }
            assert!(is_one_of(&[algorithm]), "{entry:?}");
        }
        (Some("OKP"), Some("Ed25519")) => {
            assert_eq!(octets("x").len(), 32, "{entry:?}");
            assert!(is_one_of(&["EdDSA", "Ed25519"]), "{entry:?}");
        }
        _ => panic!("a key of an unknown type: {entry:?}"),
    }
}

fn parsed(entries: Vec<Tree>, limits: &Limits) -> KeySet {
    let text = plain(&Tree::Object(vec![("keys".into(), Tree::Array(entries))]));
    KeySet::parse(text.as_bytes(), limits).unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

fn read(entries: Vec<Tree>, limits: &Limits) -> KeyReport {
    parsed(entries, limits).report(UnnamedKeys::Rejected)
}

fn is_same(report: &KeyReport, other: &KeyReport) -> bool {
    report.key_ids == other.key_ids && report.skipped == other.skipped
}
