//! JWK Sets: bounded, and a bad key takes no other with it.
//!
//! Oracles: a set is taken exactly if the reference says so, and else refused for the reason it says; every entry is either a key or
//! reported, once; no more keys than the limit; what is taken is what a reference allows; reading it again, spelling it otherwise,
//! adding bad entries or leaving the skipped ones out changes no key.

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

/// The depth of every set.
const DEPTH: u32 = 8;

/// Takes a byte for the most keys and one for the form: a plan of a set, or its text.
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
        Err(ParseError::Refused) => Err(KeySetError::Malformed),
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

    let again = KeySet::parse(bytes, limits).expect("it was taken a moment ago");
    assert!(is_same(&report, &again.report()), "read again");
    let spelled = respelled(&tree, Order::Changed, &mut Unstructured::new(bytes));
    let unbounded = Limits { jwks_bytes: 1 << 24, jwks_keys: 10_000, ..*limits };
    // Of two members of one name, either may come first now; such an entry is refused all the same.
    let again = KeySet::parse(spelled.as_bytes(), &unbounded).expect("another spelling of what was taken");
    assert!(is_same(&report, &again.report()), "spelled otherwise: {spelled}");

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
    assert_eq!(more.key_ids, report.key_ids, "with three bad ones more");
    assert_eq!(more.skipped.len(), report.skipped.len() + 3, "of {count}");
}

/// The entries of a set, as far as the set as a whole is good.
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

/// Every entry once, in order, within the limits.
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
            Found::Refused => !is_held,
            Found::Nothing => false,
        };
        assert!(is_as_reported, "{key:?}");
    }
}

/// What RFC 7517 and RFC 7518 ask of a key, and the limits beyond them: of the first entry of a name, which is the one that counts.
fn check_key(key_id: &str, entries: &[Tree]) {
    let is_named = |entry: &&Tree| !entry.has_duplicates() && entry.get("kid").and_then(Tree::as_str) == Some(key_id);
    let entry = entries.iter().find(is_named).unwrap_or_else(|| panic!("a key {key_id:?} that nobody stated"));
    assert!((1..=256).contains(&key_id.len()), "{key_id:?}");
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(entry.get(name).is_none(), "a private key is held: {entry:?}");
    }
    assert!(entry.get("use").is_none_or(|purpose| purpose.as_str() == Some("sig")), "{entry:?}");
    if let Some(operations) = entry.get("key_ops") {
        let Tree::Array(operations) = operations else { panic!("{entry:?}") };
        assert!(operations.contains(&Tree::String("verify".into())), "{entry:?}");
    }
    let octets = |name: &str| {
        let text = entry.get(name).and_then(Tree::as_str).unwrap_or_else(|| panic!("no {name}: {entry:?}"));
        crate::reference::base64url::decode(text).unwrap_or_else(|fault| panic!("{fault:?} in {name}: {entry:?}"))
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
        _ => panic!("a key of no known kind: {entry:?}"),
    }
}

fn read(entries: Vec<Tree>, limits: &Limits) -> KeyReport {
    let text = plain(&Tree::Object(vec![("keys".into(), Tree::Array(entries))]));
    KeySet::parse(text.as_bytes(), limits).unwrap_or_else(|fault| panic!("{fault:?}: {text}")).report()
}

fn is_same(report: &KeyReport, other: &KeyReport) -> bool {
    report.key_ids == other.key_ids && report.skipped == other.skipped
}
