//! JWK Sets: the limits, and that an unusable key does not affect the others.
//!
//! Oracles: a set is accepted exactly if the reference accepts it, and otherwise rejected with the same error. Every entry is either a usable
//! key or reported, once. There are no more keys than the limit. A reference allows every usable key. Parsing the set again, encoding it
//! differently, adding unusable entries or omitting the skipped ones changes no key.

mod plan;

use crate::{
    reference::json::{ParseError, Tree},
    text::{Order, plain, respelled},
};
use arbitrary::Unstructured;
use num_bigint::BigUint;
use poolgate_core::{
    KeyError, KeyReport, KeySetError, Limits,
    keys::{Found, KeySet},
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
    let report = set.report();
    check_report(&set, &report, &entries, limits);
    report.key_ids.iter().for_each(|key_id| check_key(key_id, &entries));

    let again = KeySet::parse(bytes, limits).expect("it was accepted before");
    assert!(is_same(&report, &again.report()), "parsed again");
    let spelled = respelled(&tree, Order::Changed, &mut Unstructured::new(bytes));
    let unbounded = Limits { jwks_bytes: 1 << 24, jwks_keys: 10_000, ..*limits };
    // Either of two members with the same name may come first now. Such an entry is rejected in both cases.
    let again = KeySet::parse(spelled.as_bytes(), &unbounded).expect("another spelling of what was taken");
    assert!(is_same(&report, &again.report()), "encoded differently: {spelled}");

    let is_skipped = |at: usize| report.skipped.iter().any(|key| key.index as usize == at);
    let kept = (0..).zip(&entries).filter(|(at, _)| !is_skipped(*at)).map(|(_, entry)| entry.clone()).collect();
    if !report.key_ids.is_empty() {
        let kept = read(kept, &unbounded);
        assert_eq!((kept.key_ids, kept.skipped), (report.key_ids.clone(), vec![]), "without the skipped ones");
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
    assert_eq!(key_ids.len() + skipped.len(), entries.len(), "each entry is a key or skipped: {report:?}");
    assert!(key_ids.is_sorted_by(|earlier, later| earlier < later), "{key_ids:?}");
    assert!(skipped.is_sorted_by(|earlier, later| earlier.index < later.index), "{skipped:?}");
    assert!(skipped.iter().all(|key| (key.index as usize) < entries.len()), "{skipped:?}");
    assert_eq!(set.is_usable(), !key_ids.is_empty());
    for key_id in key_ids {
        assert!(matches!(set.find(key_id), Found::Key(_)), "{key_id:?}");
    }
    for key in skipped {
        let Some(key_id) = &key.key_id else { continue };
        let is_held = key_ids.contains(key_id);
        let is_as_reported = match set.find(key_id) {
            Found::Key(_) => is_held && key.error == KeyError::DuplicateKeyId,
            Found::Rejected => !is_held,
            Found::Unknown => false,
        };
        assert!(is_as_reported, "{key:?}");
    }
}

/// Checks a key against RFC 7517, RFC 7518 and the additional limits. The first entry with a `kid` is the one that is used.
fn check_key(key_id: &str, entries: &[Tree]) {
    let is_named = |entry: &&Tree| !entry.has_duplicates() && entry.get("kid").and_then(Tree::as_str) == Some(key_id);
    let entry = entries.iter().find(is_named).unwrap_or_else(|| panic!("a key {key_id:?} that is not in the set"));
    assert!((1..=256).contains(&key_id.len()), "{key_id:?}");
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(entry.get(name).is_none(), "a private key is used: {entry:?}");
    }
    assert!(entry.get("use").is_none_or(|purpose| purpose.as_str() == Some("sig")), "{entry:?}");
    if let Some(operations) = entry.get("key_ops") {
        let Tree::Array(operations) = operations else { panic!("{entry:?}") };
        assert!(operations.contains(&Tree::String("verify".into())), "{entry:?}");
    }
    let octets = |name: &str| {
        let text = entry.get(name).and_then(Tree::as_str).unwrap_or_else(|| panic!("no {name}: {entry:?}"));
        crate::reference::base64url::decode(text).unwrap_or_else(|error| panic!("{error:?} in {name}: {entry:?}"))
    };
    let algorithm = entry.get("alg").map(|name| name.as_str().unwrap_or_else(|| panic!("{entry:?}")));
    let is_for = |names: &[&str]| algorithm.is_none_or(|name| names.contains(&name));
    let curve = entry.get("crv").and_then(Tree::as_str);
    match (entry.get("kty").and_then(Tree::as_str), curve) {
        (Some("RSA"), _) => {
            let (n, e) = (octets("n"), octets("e"));
            assert!(n.first().is_some_and(|byte| *byte != 0) && e.first().is_some_and(|byte| *byte != 0), "{entry:?}");
            let (n, e) = (BigUint::from_bytes_be(&n), BigUint::from_bytes_be(&e));
            assert!((2_048..=8_192).contains(&n.bits()) && n.bit(0), "{entry:?}");
            assert!(e.bit(0) && e >= BigUint::from(3u8) && e < n, "{entry:?}");
            assert!(is_for(&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]), "{entry:?}");
        }
        (Some("EC"), Some(curve @ ("P-256" | "P-384" | "P-521"))) => {
            let (length, algorithm) = match curve {
                "P-256" => (32, "ES256"),
                "P-384" => (48, "ES384"),
                _ => (66, "ES512"),
            };
            assert_eq!((octets("x").len(), octets("y").len()), (length, length), "{entry:?}");
            assert!(is_for(&[algorithm]), "{entry:?}");
        }
        (Some("OKP"), Some("Ed25519")) => {
            assert_eq!(octets("x").len(), 32, "{entry:?}");
            assert!(is_for(&["EdDSA"]), "{entry:?}");
        }
        _ => panic!("a key of an unknown type: {entry:?}"),
    }
}

fn read(entries: Vec<Tree>, limits: &Limits) -> KeyReport {
    let text = plain(&Tree::Object(vec![("keys".into(), Tree::Array(entries))]));
    KeySet::parse(text.as_bytes(), limits).unwrap_or_else(|error| panic!("{error:?}: {text}")).report()
}

fn is_same(report: &KeyReport, other: &KeyReport) -> bool {
    report.key_ids == other.key_ids && report.skipped == other.skipped
}
